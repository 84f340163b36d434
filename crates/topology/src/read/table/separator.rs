//! What stands between the cells of a table.

/// Where several are equally many, the first: commas are what most of the world uses.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// A table's separator, and where its first line begins.
pub(crate) struct Separated {
    pub(crate) by: char,
    pub(super) start: usize,
}

impl Separated {
    /// Judged by the header line, or as the first line says it (`sep=;`, as spreadsheets write it).
    pub(crate) fn of(text: &str) -> Self {
        let mut start = text.len() - text.trim_start_matches('\u{feff}').len();
        let mut said = None;
        let mut header = "";
        for line in text.get(start..).unwrap_or_default().split_inclusive('\n') {
            let content = line.trim_matches([' ', '\r', '\n']);
            if said.is_none()
                && let Some(separator) = says(content)
            {
                said = Some(separator);
                start += line.len();
                continue;
            }
            if !content.is_empty() {
                header = content;
                break;
            }
            if said.is_some() {
                start += line.len();
            }
        }
        let count = |separator: char| {
            // Not those within quotes.
            header
                .split('"')
                .step_by(2)
                .map(|part| part.matches(separator).count())
                .sum::<usize>()
        };
        let most = SEPARATORS
            .into_iter()
            .rev()
            .max_by_key(|separator| count(*separator));
        Self {
            by: said.or(most).unwrap_or(','),
            start,
        }
    }

    /// The header line.
    pub(crate) fn header<'a>(&self, text: &'a str) -> &'a str {
        let mut lines = text.get(self.start..).unwrap_or_default().lines();
        lines
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
    }

    pub(super) fn byte(&self) -> u8 {
        u8::try_from(self.by).unwrap_or(b',')
    }
}

/// The separator that a first line such as `sep=;` names.
fn says(line: &str) -> Option<char> {
    let rest = line.trim_matches('"');
    let rest = rest
        .strip_prefix("sep=")
        .or_else(|| rest.strip_prefix("SEP="))?;
    let mut letters = rest.chars();
    let separator = letters.next()?;
    (SEPARATORS.contains(&separator) && letters.next().is_none()).then_some(separator)
}

/// The separator that a cell seems to hold several cells with, as a word.
pub(super) fn inside(cell: &str) -> Option<&'static str> {
    let words = [
        (';', "semicolons"),
        ('\t', "tabs"),
        ('|', "pipes"),
        (',', "commas"),
    ];
    words
        .into_iter()
        .find(|(separator, _)| cell.contains(*separator))
        .map(|(_, word)| word)
}
