use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use aho_corasick::{AhoCorasick, Anchored, Input, MatchKind, StartKind};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::placeholder::{Placeholder, escape_into};
use crate::secrets::Secret;

/// A secret of fewer bytes is found only where no letter or digit touches it: `1234` inside `812345` is not the PIN.
const BOUNDED_BELOW: usize = 8;

/// Encodings of URLs in use: a form's, a component's (RFC 3986, unreserved kept), a path's and a query's.
const URL_SETS: [&AsciiSet; 4] = [
    NON_ALPHANUMERIC,
    &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~'),
    &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'}'),
    &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'\''),
];

/// Finds the values of secrets: to put their placeholders in their place in what goes to a plugin, or `***` in what
/// people read. Cheap to clone; its automatons are built when first used.
#[derive(Clone, Default)]
pub struct Masker(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Name and value; ordered by name, so that of two names with one value the first is always taken.
    secrets: Vec<(String, Secret)>,
    /// Further texts to redact, such as the credentials of a header.
    derived: Vec<Secret>,
    exact: OnceLock<Finder>,
    any_form: OnceLock<Finder>,
}

impl Masker {
    /// For all these secrets.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = (String, Secret)>) -> Self {
        let mut secrets: Vec<_> = secrets
            .into_iter()
            .filter(|(_, secret)| !secret.expose().is_empty())
            .collect();
        secrets.sort_by(|(left, _), (right, _)| left.cmp(right));
        Self(Arc::new(Inner {
            secrets,
            ..Inner::default()
        }))
    }

    /// The same, and further texts that [`Masker::redact`] hides.
    #[must_use]
    pub fn with_derived(&self, derived: impl IntoIterator<Item = Secret>) -> Self {
        let mut all = self.0.derived.clone();
        all.extend(derived.into_iter().filter(|text| !text.expose().is_empty()));
        Self(Arc::new(Inner {
            secrets: self.0.secrets.clone(),
            derived: all,
            ..Inner::default()
        }))
    }

    /// Puts `${secret:NAME}` in the place of each secret, and escapes every `${` that was there, so that expanding
    /// the result gives `bytes` back. For text and bytes that are not JSON.
    #[must_use]
    pub fn mask<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let finder = self.0.exact();
        let mut out = Vec::new();
        let mut done = 0;
        for found in finder.matches(bytes) {
            escape_into(&bytes[done..found.start], true, &mut out);
            let name = Cow::Borrowed(self.0.secrets[found.owner].0.as_str());
            out.extend_from_slice(Placeholder::Secret(name).to_string().as_bytes());
            done = found.end;
        }
        if done == 0 && memchr::memmem::find(bytes, b"${").is_none() {
            return Cow::Borrowed(bytes);
        }
        escape_into(&bytes[done..], false, &mut out);
        Cow::Owned(out)
    }

    /// [`Masker::mask`] for text.
    #[must_use]
    pub fn mask_text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.mask(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Secrets are text, so what is cut out of a text leaves a text.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// [`Masker::mask`] in every string and key of a JSON value. Numbers stay: a server that holds a secret as a
    /// number is covered by naming the key as sensitive, not by looking for digits.
    pub fn mask_json(&self, json: &mut Value) {
        match json {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.mask_text(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_json(item)),
            Value::Object(members) => {
                if members
                    .keys()
                    .any(|key| matches!(self.mask_text(key), Cow::Owned(_)))
                {
                    *members = std::mem::take(members)
                        .into_iter()
                        .map(|(key, value)| (self.mask_text(&key).into_owned(), value))
                        .collect();
                }
                members.values_mut().for_each(|value| self.mask_json(value));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Puts `***` in the place of each secret, be it as it is, escaped for JSON, percent-encoded or in base64 (also
    /// behind a user name, as in basic authentication). For errors and logs.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        if self.0.secrets.is_empty() && self.0.derived.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for found in self.0.any_form().matches(text.as_bytes()) {
            out.push_str(&String::from_utf8_lossy(
                &text.as_bytes()[done..found.start],
            ));
            out.push_str("***");
            done = found.end;
        }
        out.push_str(&String::from_utf8_lossy(&text.as_bytes()[done..]));
        out
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Masker({} secrets)", self.0.secrets.len())
    }
}

impl Inner {
    fn exact(&self) -> &Finder {
        self.exact.get_or_init(|| {
            Finder::new(self.secrets.iter().enumerate().map(|(owner, (_, secret))| {
                let value = secret.expose();
                (
                    value.as_bytes().to_vec(),
                    owner,
                    value.len() < BOUNDED_BELOW,
                )
            }))
        })
    }

    fn any_form(&self) -> &Finder {
        self.any_form.get_or_init(|| {
            let texts = self
                .secrets
                .iter()
                .map(|(_, secret)| secret)
                .chain(&self.derived);
            Finder::new(texts.flat_map(|secret| {
                let bounded = secret.expose().len() < BOUNDED_BELOW;
                forms(secret.expose())
                    .into_iter()
                    .map(move |form| (form, 0, bounded))
            }))
        })
    }
}

/// The spellings in which a secret may turn up in a text.
fn forms(value: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![value.to_owned()];
    let json = Value::from(value).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let ascii: String = json
        .chars()
        .flat_map(|c| {
            let mut units = [0; 2];
            let text = if c.is_ascii() {
                c.to_string()
            } else {
                c.encode_utf16(&mut units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect()
            };
            text.chars().collect::<Vec<_>>()
        })
        .collect();
    // PHP, among others, escapes the slash.
    forms.extend([
        json.replace('/', "\\/"),
        ascii.replace('/', "\\/"),
        json,
        ascii,
    ]);
    for set in URL_SETS {
        let encoded = utf8_percent_encode(value, set).to_string();
        forms.extend([
            lower_case_escapes(&encoded),
            encoded.replace("%20", "+"),
            encoded,
        ]);
    }
    forms.push(STANDARD.encode(value));
    forms.push(STANDARD_NO_PAD.encode(value));
    forms.push(URL_SAFE_NO_PAD.encode(value));
    if value.len() >= BOUNDED_BELOW {
        // Inside a longer text (`user:password`) the secret starts at one of three places in a group of three bytes.
        // What its own bytes alone decide of the digits is always the same.
        for lead in 0..3_usize {
            let mut bytes = vec![0; lead];
            bytes.extend_from_slice(value.as_bytes());
            let first = (lead * 8).div_ceil(6);
            let last = bytes.len() * 8 / 6;
            forms.push(STANDARD_NO_PAD.encode(&bytes)[first..last].to_owned());
            forms.push(URL_SAFE_NO_PAD.encode(&bytes)[first..last].to_owned());
        }
    }
    forms.sort();
    forms.dedup();
    forms.into_iter().map(String::into_bytes).collect()
}

/// `%2F` as `%2f`.
fn lower_case_escapes(encoded: &str) -> String {
    let mut left = 0;
    encoded
        .chars()
        .map(|c| {
            if c == '%' {
                left = 2;
                c
            } else if left > 0 {
                left -= 1;
                c.to_ascii_lowercase()
            } else {
                c
            }
        })
        .collect()
}

/// Where a pattern was found, and whose it is.
struct Found {
    start: usize,
    end: usize,
    owner: usize,
}

/// Finds patterns from left to right, the longest of those that start at one place, none overlapping.
struct Finder {
    automaton: Option<AhoCorasick>,
    patterns: Vec<Pattern>,
}

struct Pattern {
    length: usize,
    owner: usize,
    bounded: bool,
    /// The longest other pattern that this one starts with: what is left to try where this one is not bounded.
    shorter: Option<usize>,
}

impl Finder {
    fn new(all: impl Iterator<Item = (Vec<u8>, usize, bool)>) -> Self {
        let mut texts: Vec<Vec<u8>> = Vec::new();
        let mut patterns: Vec<Pattern> = Vec::new();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        for (text, owner, bounded) in all {
            if let Some(&at) = known.get(&text) {
                patterns[at].bounded &= bounded;
                continue;
            }
            known.insert(text.clone(), patterns.len());
            patterns.push(Pattern {
                length: text.len(),
                owner,
                bounded,
                shorter: None,
            });
            texts.push(text);
        }
        for at in 0..patterns.len() {
            let text = &texts[at];
            patterns[at].shorter = (1..text.len())
                .rev()
                .find_map(|length| known.get(&text[..length]).copied());
        }
        let automaton = if texts.is_empty() {
            None
        } else {
            // Fails only past 2^31 patterns or states, which no memory holds.
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .start_kind(StartKind::Unanchored)
                .build(&texts)
                .ok()
        };
        Self {
            automaton,
            patterns,
        }
    }

    fn matches<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = Found> + 'a {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let input = Input::new(text).range(at..).anchored(Anchored::No);
                let found = self.automaton.as_ref()?.try_find(input).ok()??;
                let start = found.start();
                let mut candidate = Some(found.pattern().as_usize());
                while let Some(index) = candidate {
                    let pattern = &self.patterns[index];
                    let end = start + pattern.length;
                    if !pattern.bounded || is_bounded(text, start, end) {
                        at = end;
                        return Some(Found {
                            start,
                            end,
                            owner: pattern.owner,
                        });
                    }
                    candidate = pattern.shorter;
                }
                at = start + 1;
            }
        })
    }
}

/// No letter or digit touches `start..end`.
fn is_bounded(text: &[u8], start: usize, end: usize) -> bool {
    !start
        .checked_sub(1)
        .is_some_and(|before| text[before].is_ascii_alphanumeric())
        && !text.get(end).is_some_and(u8::is_ascii_alphanumeric)
}
