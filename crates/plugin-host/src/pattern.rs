//! Patterns of requests: how one is written for people, and the shapes that its parts must have.

use crate::wit::{BodyMatch, HttpPattern, Pattern, ProbeKind};

/// A pattern in the form that `switchover.lock` and `plugin inspect` show. Two patterns that allow different
/// requests never have the same text.
///
/// `http POST / where /command is "config-get" | "list-commands"`, `file *.cfg`, `folder .`, `zone *.example`, `probe
/// dns-query`
#[must_use]
pub fn text(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Http(HttpPattern { method, path, body }) => {
            let mut out = format!("http {method} {path}");
            for (at, BodyMatch { pointer, one_of }) in body.iter().enumerate() {
                let joint = if at == 0 { "where" } else { "and" };
                let pointer = if pointer.is_empty() { "body" } else { pointer };
                out.push_str(&format!(" {joint} {pointer} is {}", one_of.join(" | ")));
            }
            out
        }
        Pattern::File(path) => format!("file {path}"),
        Pattern::Folder(path) if path.is_empty() => "folder .".to_owned(),
        Pattern::Folder(path) => format!("folder {path}"),
        Pattern::Zone(name) => format!("zone {name}"),
        Pattern::Probe(kind) => {
            let kind = match kind {
                ProbeKind::DnsQuery => "dns-query",
                ProbeKind::SipOptions => "sip-options",
                ProbeKind::DhcpDiscover => "dhcp-discover",
            };
            format!("probe {kind}")
        }
    }
}

/// Why a path is not taken as it is.
///
/// Nothing is normalised here: a path that needs it could be understood differently by a server, a proxy or a file
/// system than by the check, so it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    /// Not below the endpoint.
    #[error("does not begin with `/`")]
    NoSlash,
    /// Not below the root.
    #[error("begins with `/`")]
    Absolute,
    /// Two slashes together, or one at the end of a file's path.
    #[error("has an empty part")]
    EmptyPart,
    /// `.` or `..`.
    #[error("has a `.` or `..` part")]
    Dots,
    /// `\`, which some take for `/`.
    #[error("has a backslash")]
    Backslash,
    /// Control characters, spaces and others that a URI writes as an escape.
    #[error("has a character that does not belong in it")]
    Character,
    /// An escape that is incomplete, or stands for a character with a meaning in paths, or for one that needs none.
    #[error("has an escape that could be read in two ways")]
    Escape,
    /// Only http requests have a fragment or a query, and at most one.
    #[error("has a second `?`, or a `#`")]
    Query,
    /// A value that is put in while sending could change where the request goes.
    #[error("holds a `${{…}}` reference")]
    Reference,
    /// No file system takes it.
    #[error("is too long")]
    Long,
    /// Nothing at all.
    #[error("is empty")]
    Empty,
    /// Looks like a drive of Windows.
    #[error("begins with a drive")]
    Drive,
}

const LONGEST_PATH: usize = 4000;
const LONGEST_PART: usize = 255;
/// RFC 1035, section 2.3.4, without the final dot.
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A path of an http request, with its query if it has one.
pub(crate) fn http_path(path: &str) -> Result<(&str, Option<&str>), PathFault> {
    if path.contains("${") {
        return Err(PathFault::Reference);
    }
    if path.len() > LONGEST_PATH {
        return Err(PathFault::Long);
    }
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    if query.is_some_and(|query| query.contains('?'))
        || path.contains('#')
        || query.is_some_and(|q| q.contains('#'))
    {
        return Err(PathFault::Query);
    }
    let parts = path.strip_prefix('/').ok_or(PathFault::NoSlash)?;
    uri_characters(path)?;
    query.map_or(Ok(()), uri_characters)?;
    if !parts.is_empty() {
        let mut parts = parts.split('/').peekable();
        while let Some(part) = parts.next() {
            // A final slash names a folder and is its own path; one in the middle is not.
            if part.is_empty() && parts.peek().is_some() {
                return Err(PathFault::EmptyPart);
            }
            if part == "." || part == ".." {
                return Err(PathFault::Dots);
            }
        }
        if path.ends_with("//") {
            return Err(PathFault::EmptyPart);
        }
    }
    Ok((path, query))
}

/// Characters of RFC 3986's `pchar`, `/` and, in a query, the same. Without `;`: servers cut parts of a path there.
fn uri_characters(text: &str) -> Result<(), PathFault> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {}
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+'
            | b',' | b'=' => {}
            b':' | b'@' | b'/' => {}
            b'\\' => return Err(PathFault::Backslash),
            b'%' => {
                let digits = text.get(at..at + 2).ok_or(PathFault::Escape)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(PathFault::Escape);
                }
                let escaped = u8::from_str_radix(digits, 16).map_err(|_| PathFault::Escape)?;
                let unreserved = escaped.is_ascii_alphanumeric() || b"-._~".contains(&escaped);
                if unreserved || b"/\\%;?#".contains(&escaped) || escaped.is_ascii_control() {
                    return Err(PathFault::Escape);
                }
                at += 2;
            }
            _ => return Err(PathFault::Character),
        }
    }
    Ok(())
}

/// A path of a file below a root.
pub(crate) fn file_path(path: &str) -> Result<(), PathFault> {
    if path.is_empty() {
        return Err(PathFault::Empty);
    }
    if path.contains("${") {
        return Err(PathFault::Reference);
    }
    if path.starts_with('/') {
        return Err(PathFault::Absolute);
    }
    if path.contains('\\') {
        return Err(PathFault::Backslash);
    }
    if path.chars().any(char::is_control) {
        return Err(PathFault::Character);
    }
    if path.len() > LONGEST_PATH || path.split('/').any(|part| part.len() > LONGEST_PART) {
        return Err(PathFault::Long);
    }
    if path.split('/').any(|part| part == "." || part == "..") {
        return Err(PathFault::Dots);
    }
    if path.split('/').any(str::is_empty) {
        return Err(PathFault::EmptyPart);
    }
    if let [drive, b':', ..] = path.as_bytes()
        && drive.is_ascii_alphabetic()
        && (path.len() == 2 || path.as_bytes()[2] == b'/')
    {
        return Err(PathFault::Drive);
    }
    Ok(())
}

/// A path of a folder below a root; the root itself is empty or `.`.
pub(crate) fn folder_path(path: &str) -> Result<&str, PathFault> {
    if path.is_empty() || path == "." {
        return Ok("");
    }
    file_path(path).map(|()| path)
}

/// The name of a zone, or a pattern of one: lower case, without the final dot.
///
/// Names with escapes are refused: `a\.b` would look like a name below `b` and be none.
pub(crate) fn zone_name(name: &str) -> Result<(), PathFault> {
    if name.is_empty() {
        return Err(PathFault::Empty);
    }
    // RFC 2317 has names of zones with a slash in them.
    let usable = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_/*.".contains(&b);
    if !name.bytes().all(usable) {
        return Err(PathFault::Character);
    }
    if name.len() > LONGEST_NAME || name.split('.').any(|label| label.len() > LONGEST_LABEL) {
        return Err(PathFault::Long);
    }
    if name.split('.').any(str::is_empty) {
        return Err(PathFault::EmptyPart);
    }
    Ok(())
}

/// Whether `text` is what `pattern` says, where `*` stands for any run of characters that are not in `barriers`.
pub(crate) fn glob(pattern: &str, text: &str, barriers: &[char]) -> bool {
    // Where to go on after the last `*` if the characters after it turn out not to fit.
    let mut retry: Option<(&str, &str)> = None;
    let (mut pattern, mut text) = (pattern, text);
    loop {
        if let Some(rest) = pattern.strip_prefix('*') {
            retry = Some((rest, text));
            pattern = rest;
            continue;
        }
        let mut wanted = pattern.chars();
        let mut found = text.chars();
        match (wanted.next(), found.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one == other => {
                (pattern, text) = (wanted.as_str(), found.as_str());
            }
            _ => {
                let Some((after, from)) = retry else {
                    return false;
                };
                let mut longer = from.chars();
                match longer.next() {
                    Some(skipped) if !barriers.contains(&skipped) => {
                        (pattern, text) = (after, longer.as_str());
                        retry = Some((after, text));
                    }
                    _ => return false,
                }
            }
        }
    }
}
