//! What a word outside of quotes is meant to be.

pub(super) use crate::read::is_invisible;

/// Quotation marks that are not KDL's.
pub(super) fn is_foreign_quote(letter: char) -> bool {
    matches!(
        letter,
        '\'' | '`'
            | '´'
            | '“'
            | '”'
            | '„'
            | '‟'
            | '‘'
            | '’'
            | '‚'
            | '‛'
            | '«'
            | '»'
            | '‹'
            | '›'
            | '″'
            | '＂'
    )
}

/// Whether two quotation marks may belong together.
pub(super) fn closes(open: char, close: char) -> bool {
    let single = |letter| matches!(letter, '\'' | '`' | '´' | '‘' | '’' | '‚' | '‛' | '‹' | '›');
    is_foreign_quote(close) && single(open) == single(close)
}

/// The punctuation of KDL as East Asian input methods write it.
pub(super) fn plain_punctuation(letter: char) -> Option<&'static str> {
    Some(match letter {
        '＝' => "=",
        '｛' => " {",
        '｝' => "}",
        '；' => ";",
        '，' | '、' => " ",
        '：' => " ",
        _ => return None,
    })
}

pub(super) fn is_key(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_')
}

/// Whether KDL takes a word for a number, right or wrong.
pub(super) fn is_numeric(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    let unsigned = unsigned.strip_prefix('.').unwrap_or(unsigned);
    unsigned.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Whether a word is a number of KDL.
pub(super) fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = unsigned.strip_prefix(prefix) {
            return digits_of(digits, radix);
        }
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    digits_of(whole, 10)
        && fraction.is_none_or(|part| digits_of(part, 10))
        && exponent.is_none_or(|part| digits_of(part, 10))
}

fn digits_of(text: &str, radix: u32) -> bool {
    text.starts_with(|letter: char| letter.is_digit(radix))
        && text
            .chars()
            .all(|letter| letter == '_' || letter.is_digit(radix))
}

/// What a value without quotes is, for a sentence about it.
pub(super) fn noun(word: &str) -> &'static str {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if word.contains("${") {
        "text with a parameter"
    } else if word.parse::<std::net::IpAddr>().is_ok() {
        "address"
    } else if word.parse::<ipnet::IpNet>().is_ok() {
        "subnet"
    } else if word.parse::<crate::value::MacAddr>().is_ok() {
        "hardware address"
    } else if word.contains("://") {
        "URL"
    } else if crate::value::parse_duration(word).is_ok() {
        "duration"
    } else if word.parse::<jiff::civil::Date>().is_ok() {
        "date"
    } else if word.contains('.') && word.split('.').all(digits) {
        "version"
    } else if word.contains(['/', '\\']) {
        "path"
    } else {
        "text"
    }
}

/// What KDL takes nowhere in a text.
pub(super) fn is_forbidden(letter: char) -> bool {
    matches!(
        letter,
        '\0'..='\u{8}' | '\u{e}'..='\u{1f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}
