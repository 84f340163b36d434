//! The words of a record's data in presentation form (RFC 1035, section 5.1).

/// Splits into words; quotes around one go, escapes in it stay.
pub(crate) fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = first == '"';
        let body = if quoted { &rest[1..] } else { rest };
        let mut escaped = false;
        let end = body.find(|c: char| {
            let ends = !escaped && if quoted { c == '"' } else { c.is_whitespace() };
            escaped = !escaped && c == '\\';
            ends
        });
        let (word, behind) = match end {
            Some(end) => (&body[..end], &body[end + usize::from(quoted)..]),
            None if quoted => return None,
            None => (body, ""),
        };
        if quoted && !behind.is_empty() && !behind.starts_with(char::is_whitespace) {
            return None;
        }
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    Some(words)
}

/// The bytes that a word with escapes stands for.
pub(crate) fn unescape(word: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        match rest {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', ..] => {
                let digit = |digit: u8| u32::from(digit - b'0');
                let value = digit(*a) * 100 + digit(*b) * 10 + digit(*c);
                bytes.push(u8::try_from(value).ok()?);
                rest = &rest[3..];
            }
            [b'0'..=b'9', ..] | [] => return None,
            [other, behind @ ..] => {
                bytes.push(*other);
                rest = behind;
            }
        }
    }
    Some(bytes)
}

/// A character string in quotes, as the contract writes it.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(byte));
            }
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\{byte:03}")),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_in_a_zone_file() {
        for (text, words) in [
            ("10 100 443 pbx1", Some(vec!["10", "100", "443", "pbx1"])),
            (
                r#"  "a b"  "" c\ d "\"q\"" "#,
                Some(vec!["a b", "", "c\\ d", "\\\"q\\\""]),
            ),
            ("", Some(vec![])),
            ("\"open", None),
            ("\"a\"b", None),
        ] {
            let found = split(text);
            let found: Option<Vec<&str>> = found
                .as_ref()
                .map(|words| words.iter().map(String::as_str).collect());
            assert_eq!(found, words, "{text}");
        }
    }

    #[test]
    fn quoting_and_unescaping_are_each_others_inverse() {
        let all: Vec<u8> = (0..=255).collect();
        let quoted = quote(&all);
        assert!(quoted.is_ascii() && !quoted.bytes().any(|byte| byte.is_ascii_control()));
        assert_eq!(unescape(&quoted[1..quoted.len() - 1]), Some(all));
        for text in ["\\", "\\25", "\\256", "\\2a"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }
}
