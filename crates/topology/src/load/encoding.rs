//! Texts that are not UTF-8: which encoding they have, and how to get rid of it.

use crate::source::Position;

/// What a file is instead of UTF-8 text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf16 {
        little: bool,
    },
    Utf32,
    /// Text of one byte a letter, judged by the first one that is not UTF-8.
    Bytes {
        at: Position,
        byte: u8,
    },
    /// No text at all.
    File(&'static str),
}

/// How many bytes at the beginning of a file are looked at.
const BEGINNING: usize = 128;

/// What a text that is valid UTF-8 is meant as, if it has letters of no text.
pub(super) fn of_text(text: &str) -> Option<Encoding> {
    of_beginning(&text.as_bytes()[..text.len().min(BEGINNING)])
}

pub(super) fn decode(bytes: Vec<u8>) -> Result<String, Encoding> {
    if let Some(encoding) = of_beginning(&bytes[..bytes.len().min(BEGINNING)]) {
        return Err(encoding);
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = String::from_utf8_lossy(&bytes[..at]);
        Encoding::Bytes {
            at: Position::of(&before, before.len()),
            byte: bytes.get(at).copied().unwrap_or_default(),
        }
    })
}

fn of_beginning(bytes: &[u8]) -> Option<Encoding> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some(Encoding::Utf32),
        [0xff, 0xfe, ..] => return Some(Encoding::Utf16 { little: true }),
        [0xfe, 0xff, ..] => return Some(Encoding::Utf16 { little: false }),
        [b'P', b'K', 3, 4, ..] => {
            return Some(Encoding::File("an Excel workbook, or another ZIP archive"));
        }
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            return Some(Encoding::File(
                "an Excel workbook, or another document of Office",
            ));
        }
        [0x1f, 0x8b, ..] => return Some(Encoding::File("compressed with gzip")),
        [b'%', b'P', b'D', b'F', b'-', ..] => return Some(Encoding::File("a PDF document")),
        _ => {}
    }
    if !bytes.contains(&0) {
        return None;
    }
    // Text that is mostly ASCII has a zero in every second byte.
    let zeros = |parity: usize| {
        bytes
            .iter()
            .skip(parity)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    let most = bytes.len() / 2 * 2 / 3;
    match (even, odd) {
        (0, odd) if odd > 0 && odd >= most => Some(Encoding::Utf16 { little: true }),
        (even, 0) if even > 0 && even >= most => Some(Encoding::Utf16 { little: false }),
        _ => None,
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Utf16 { little: true } => {
                formatter.write_str("it is UTF-16 (little-endian), not UTF-8")
            }
            Self::Utf16 { little: false } => {
                formatter.write_str("it is UTF-16 (big-endian), not UTF-8")
            }
            Self::Utf32 => formatter.write_str("it is UTF-32, not UTF-8"),
            Self::File(what) => write!(formatter, "it is {what}, not a text"),
            Self::Bytes { at, byte } => {
                write!(
                    formatter,
                    "it is not UTF-8: line {}, column {} holds the byte 0x{byte:02X}",
                    at.line, at.column
                )?;
                match windows_1252(*byte) {
                    Some(letter) => write!(formatter, ", `{letter}` in Latin-1 (Windows-1252)"),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Encoding {
    /// `name` is what the file is called; a table comes from a spreadsheet.
    pub(super) fn help(&self, name: &str) -> String {
        let from = match self {
            Self::Utf16 { little: true } => "UTF-16LE",
            Self::Utf16 { little: false } => "UTF-16BE",
            Self::Utf32 => "UTF-32",
            Self::Bytes { .. } => "WINDOWS-1252",
            Self::File(_) => {
                return "a topology is a text, and a table is CSV: in Excel, save it as “CSV UTF-8”"
                    .to_owned();
            }
        };
        let (stem, end) = match name.rsplit_once('.') {
            Some((stem, end)) if !stem.is_empty() && !end.contains('/') => {
                (stem, format!(".{end}"))
            }
            _ => (name, String::new()),
        };
        let save = match end.to_ascii_lowercase().as_str() {
            ".csv" | ".tsv" | ".txt" => "in Excel, save it as “CSV UTF-8”",
            _ => "save the file as UTF-8",
        };
        let shell = |name: &str| {
            let is_plain = |letter: char| letter.is_alphanumeric() || "-_./+".contains(letter);
            (name.chars().all(is_plain) && !name.starts_with('-')).then(|| name.to_owned())
        };
        let new = format!("{stem}-utf8{end}");
        let (name, new) = match (shell(name), shell(&new)) {
            (Some(name), Some(new)) => (name, new),
            _ => ("FILE".to_owned(), "NEW".to_owned()),
        };
        format!("{save}, or convert it: `iconv -f {from} -t UTF-8 {name} > {new}`")
    }
}

/// The letter that a byte is on Windows in the Americas and Western Europe; Latin-1 has the same from 0xA0 on.
fn windows_1252(byte: u8) -> Option<char> {
    const FIRST: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0',
        '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FIRST
            .get(usize::from(byte - 0x80))
            .copied()
            .filter(|letter| *letter != '\0'),
        0xa1..=0xff => Some(char::from(byte)),
        _ => None,
    }
}
