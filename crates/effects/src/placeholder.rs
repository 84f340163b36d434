//! Placeholders in text: where a value that a plugin never sees is put in while sending.
//!
//! `${secret:NAME}`, `${observed:QUERY#/json/pointer}` and `${step.NAME}`. A run of `$` directly before a `{` is read
//! in pairs: each pair is one literal `$`, and a single one left over opens a placeholder. So `$${` is a literal
//! `${`, and every text, whatever it holds, can be written with or without a placeholder behind it. A `$` elsewhere
//! is a `$`.
//!
//! The pointer is in the form that RFC 6901, section 6, gives it behind a `#`: percent-encoded where need be.

use std::borrow::Cow;
use std::fmt;

use miette::Diagnostic;
use percent_encoding::{
    AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode,
};
use serde_json::Value;

/// No name in a placeholder is longer, so that an unclosed one is found early.
const MAX_LENGTH: usize = 1024;

/// What must be percent-encoded in a pointer to pass through a placeholder.
const POINTER: &AsciiSet = &CONTROLS.add(b'%').add(b'{').add(b'}').add(b'$').add(b'#');

/// What stays as it is when a value becomes a part of a URL: RFC 3986, unreserved.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Which value a placeholder stands for. [`fmt::Display`] writes the whole placeholder, `${…}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Placeholder<'a> {
    /// A declared secret by its name.
    Secret(Cow<'a, str>),
    /// A value in the JSON answer to a query.
    Observed {
        /// The query's identity.
        query: Cow<'a, str>,
        /// RFC 6901, such as `/0/arguments/password`; empty for the whole answer.
        pointer: Cow<'a, str>,
    },
    /// A value captured by an earlier step.
    Step(Cow<'a, str>),
}

impl<'a> Placeholder<'a> {
    /// Reads what stands between `${` and `}`.
    fn parse(inner: &'a str) -> Option<Self> {
        if let Some(name) = inner.strip_prefix("secret:") {
            return is_name(name).then_some(Self::Secret(Cow::Borrowed(name)));
        }
        if let Some(name) = inner.strip_prefix("step.") {
            return is_name(name).then_some(Self::Step(Cow::Borrowed(name)));
        }
        let (query, pointer) = inner.strip_prefix("observed:")?.split_once('#')?;
        let pointer = percent_decode_str(pointer).decode_utf8().ok()?;
        (is_name(query) && (pointer.is_empty() || pointer.starts_with('/'))).then_some(
            Self::Observed {
                query: Cow::Borrowed(query),
                pointer,
            },
        )
    }
}

impl fmt::Display for Placeholder<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(name) => write!(out, "${{secret:{name}}}"),
            Self::Observed { query, pointer } => {
                write!(
                    out,
                    "${{observed:{query}#{}}}",
                    utf8_percent_encode(pointer, POINTER)
                )
            }
            Self::Step(name) => write!(out, "${{step.{name}}}"),
        }
    }
}

/// Whether a secret, a query or a captured value may be called this: not empty, no braces, no `$`, no `#`, no
/// control characters, at most 512 bytes.
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=512).contains(&name.len()) && !name.chars().any(|c| c.is_control() || "{}$#".contains(c))
}

/// Where the values are.
pub trait Values {
    /// The value of a declared secret.
    fn secret(&self, name: &str) -> Option<&str> {
        let _ = name;
        None
    }

    /// The value at `pointer` in the answer to `query`.
    fn observed(&self, query: &str, pointer: &str) -> Option<&Value> {
        let _ = (query, pointer);
        None
    }

    /// The value that an earlier step captured under this name.
    fn captured(&self, name: &str) -> Option<&Value> {
        let _ = name;
        None
    }
}

/// Text whose placeholders cannot be put in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum ExpandError {
    /// A `${` that opens nothing known.
    #[error("`${{` at byte {at} opens no placeholder")]
    #[diagnostic(
        code("effects::placeholder::malformed"),
        help(
            "known are `${{secret:NAME}}`, `${{observed:QUERY#/json/pointer}}` and `${{step.NAME}}`; a literal `${{` \
             is written `$${{`"
        )
    )]
    Malformed {
        /// Offset of the `$`.
        at: usize,
    },
    /// A secret that is not declared or not resolved.
    #[error("no secret is called `{name}`")]
    #[diagnostic(
        code("effects::placeholder::secret"),
        help("declare it in the topology with `(secret)\"…\"`")
    )]
    UnknownSecret {
        /// As written.
        name: String,
    },
    /// A value that no answer holds.
    #[error("the answer to `{query}` holds nothing at `{pointer}`")]
    #[diagnostic(
        code("effects::placeholder::observed"),
        help("the server's answer changed, or the plugin asks for a value that it did not read")
    )]
    UnknownObserved {
        /// The query's identity.
        query: String,
        /// As written.
        pointer: String,
    },
    /// A value that no earlier step captured.
    #[error("no earlier step captured `{name}`")]
    #[diagnostic(
        code("effects::placeholder::step"),
        help("a step can only use what a step before it captures")
    )]
    UnknownStep {
        /// As written.
        name: String,
    },
}

/// A piece of text: literal as it will be sent, or a placeholder.
enum Piece<'a> {
    Literal(&'a [u8]),
    Placeholder(Placeholder<'a>),
}

/// Hands the pieces of `text` to `take` in order.
fn pieces<'a>(
    text: &'a [u8],
    mut take: impl FnMut(Piece<'a>) -> Result<(), ExpandError>,
) -> Result<(), ExpandError> {
    let mut done = 0;
    let mut at = 0;
    while let Some(found) = find(&text[at..], b"${") {
        // `found` is the last `$` of its run: only that one has a `{` behind it.
        let open = at + found;
        let run = text[done..=open]
            .iter()
            .rev()
            .take_while(|&&byte| byte == b'$')
            .count();
        let start = open + 1 - run;
        if run > 1 || start > done {
            take(Piece::Literal(&text[done..start + run / 2]))?;
        }
        done = open + 1;
        at = open + 2;
        if run % 2 == 1 {
            let malformed = ExpandError::Malformed { at: open };
            let window = &text[at..text.len().min(at + MAX_LENGTH)];
            let length = window
                .iter()
                .position(|&byte| byte == b'}')
                .ok_or_else(|| malformed.clone())?;
            let inner = std::str::from_utf8(&window[..length]).map_err(|_| malformed.clone())?;
            take(Piece::Placeholder(
                Placeholder::parse(inner).ok_or(malformed)?,
            ))?;
            at += length + 1;
            done = at;
        }
    }
    if done < text.len() {
        take(Piece::Literal(&text[done..]))?;
    }
    Ok(())
}

fn find(text: &[u8], needle: &[u8; 2]) -> Option<usize> {
    text.windows(2).position(|window| window == needle)
}

/// What a placeholder stands for.
enum Found<'a> {
    Text(&'a str),
    Json(&'a Value),
}

impl<'a> Found<'a> {
    fn get(
        placeholder: &Placeholder<'_>,
        values: &'a (impl Values + ?Sized),
    ) -> Result<Self, ExpandError> {
        match placeholder {
            Placeholder::Secret(name) => {
                values
                    .secret(name)
                    .map(Found::Text)
                    .ok_or_else(|| ExpandError::UnknownSecret {
                        name: name.to_string(),
                    })
            }
            Placeholder::Observed { query, pointer } => values
                .observed(query, pointer)
                .map(Found::Json)
                .ok_or_else(|| ExpandError::UnknownObserved {
                    query: query.to_string(),
                    pointer: pointer.to_string(),
                }),
            Placeholder::Step(name) => {
                values
                    .captured(name)
                    .map(Found::Json)
                    .ok_or_else(|| ExpandError::UnknownStep {
                        name: name.to_string(),
                    })
            }
        }
    }

    /// A JSON string as its text, any other JSON value as compact JSON.
    fn text(&self) -> Cow<'a, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Json(Value::String(text)) => Cow::Borrowed(text),
            Self::Json(value) => Cow::Owned(value.to_string()),
        }
    }
}

/// Puts values into a file's or a body's bytes, exactly as they are.
///
/// # Errors
/// Where a placeholder is malformed or stands for nothing.
pub fn expand_bytes(text: &[u8], values: &(impl Values + ?Sized)) -> Result<Vec<u8>, ExpandError> {
    let mut out = Vec::with_capacity(text.len());
    pieces(text, |piece| {
        match piece {
            Piece::Literal(literal) => out.extend_from_slice(literal),
            Piece::Placeholder(placeholder) => {
                out.extend_from_slice(Found::get(&placeholder, values)?.text().as_bytes());
            }
        }
        Ok(())
    })?;
    Ok(out)
}

/// Puts values into a text, exactly as they are.
///
/// # Errors
/// As [`expand_bytes`].
pub fn expand_text(text: &str, values: &(impl Values + ?Sized)) -> Result<String, ExpandError> {
    expand_with(text, values, |value, out| out.push_str(value))
}

/// Puts values into a path with its query string: each value percent-encoded, so that it cannot end the component
/// it stands in.
///
/// # Errors
/// As [`expand_bytes`].
pub fn expand_url(text: &str, values: &(impl Values + ?Sized)) -> Result<String, ExpandError> {
    expand_with(text, values, |value, out| {
        out.extend(utf8_percent_encode(value, COMPONENT));
    })
}

fn expand_with(
    text: &str,
    values: &(impl Values + ?Sized),
    mut put: impl FnMut(&str, &mut String),
) -> Result<String, ExpandError> {
    let mut out = String::with_capacity(text.len());
    pieces(text.as_bytes(), |piece| {
        match piece {
            // Pieces are cut at ASCII bytes, so a literal of a text is a text.
            Piece::Literal(literal) => out.push_str(&String::from_utf8_lossy(literal)),
            Piece::Placeholder(placeholder) => {
                put(&Found::get(&placeholder, values)?.text(), &mut out);
            }
        }
        Ok(())
    })?;
    Ok(out)
}

/// Puts values into every string and key of a JSON value; serialising it afterwards escapes them. A string that is
/// one placeholder and nothing else becomes the observed or captured value with its type, such as a number.
///
/// # Errors
/// As [`expand_bytes`]; the value is then half expanded and of no use.
pub fn expand_json(json: &mut Value, values: &(impl Values + ?Sized)) -> Result<(), ExpandError> {
    match json {
        Value::String(text) if text.contains("${") => {
            if let Some(placeholder) = sole(text)
                && let Found::Json(value) = Found::get(&placeholder, values)?
            {
                *json = value.clone();
            } else {
                *text = expand_text(text, values)?;
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .try_for_each(|item| expand_json(item, values))?,
        Value::Object(members) => {
            if members.keys().any(|key| key.contains("${")) {
                *members = std::mem::take(members)
                    .into_iter()
                    .map(|(key, value)| Ok((expand_text(&key, values)?, value)))
                    .collect::<Result<_, ExpandError>>()?;
            }
            members
                .values_mut()
                .try_for_each(|value| expand_json(value, values))?;
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    Ok(())
}

/// The placeholder, where the text is one and nothing else.
fn sole(text: &str) -> Option<Placeholder<'_>> {
    let inner = text.strip_prefix("${")?.strip_suffix('}')?;
    if inner.contains('}') {
        None
    } else {
        Placeholder::parse(inner)
    }
}

/// Every placeholder in a text, in order; to check a text before anything is sent.
///
/// # Errors
/// Where one is malformed.
pub fn placeholders(text: &[u8]) -> Result<Vec<Placeholder<'_>>, ExpandError> {
    let mut found = Vec::new();
    pieces(text, |piece| {
        if let Piece::Placeholder(placeholder) = piece {
            found.push(placeholder);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Writes a text so that expanding gives it back: nothing in it opens a placeholder.
#[must_use]
pub fn escape_literals(text: &str) -> Cow<'_, str> {
    if !text.contains("${") {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len() + 8);
    escape_into(text.as_bytes(), false, &mut out);
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

/// Doubles every `$` of a run that has a `{` behind it, or, where a placeholder follows, that ends the text.
pub(crate) fn escape_into(text: &[u8], placeholder_follows: bool, out: &mut Vec<u8>) {
    let mut run = 0;
    for &byte in text {
        if byte == b'$' {
            run += 1;
        } else {
            if byte == b'{' {
                out.extend(std::iter::repeat_n(b'$', run));
            }
            run = 0;
        }
        out.push(byte);
    }
    if placeholder_follows {
        out.extend(std::iter::repeat_n(b'$', run));
    }
}
