//! What is to change alike at many sites is shown at the first of them. Sites over one base differ by the values of its
//! parameters: with these taken out, what is printed of them is the same text.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest as _, Sha256};

use crate::render::text::{count, visible};

/// A part of so many lines says no more than a reference to another site would.
const SHORT: usize = 3;

/// Sites that are named of many.
const NAMED: usize = 6;

/// Parts that were shown, by what they say without the values of a site's own.
#[derive(Default)]
pub(super) struct Repeats {
    /// The number of the site that showed it.
    parts: HashMap<[u8; 32], usize>,
    wholes: HashMap<[u8; 32], usize>,
    sites: Vec<Shown>,
    /// Sites with nothing to show beside another one.
    alike: BTreeMap<usize, Vec<String>>,
}

struct Shown {
    name: String,
    /// Names of the parameters that it gives.
    own: Vec<String>,
}

/// A parameter and its value at a site.
pub(crate) type Parameter = (String, String);

impl Repeats {
    /// Whether another site has shown the same; then it stands for this one.
    pub(super) fn knows(&mut self, site: &str, parameters: &[Parameter], text: &str) -> bool {
        let whole = Without::of(site, parameters).digest(text);
        if let Some(&first) = self.wholes.get(&whole) {
            self.alike.entry(first).or_default().push(site.to_owned());
            return true;
        }
        self.wholes.insert(whole, self.sites.len());
        self.sites.push(Shown {
            name: site.to_owned(),
            own: parameters.iter().map(|(name, _)| name.clone()).collect(),
        });
        false
    }

    /// What is to be shown of a site; none where another one has shown the same.
    pub(super) fn new_in(
        &mut self,
        site: &str,
        parameters: &[Parameter],
        text: &str,
    ) -> Option<String> {
        if self.knows(site, parameters, text) {
            return None;
        }
        let (without, number) = (Without::of(site, parameters), self.sites.len() - 1);
        let mut shown = String::with_capacity(text.len());
        for part in parts(text) {
            let is_short = part.trim_end().lines().count() <= SHORT;
            let first = *self.parts.entry(without.digest(part)).or_insert(number);
            if first == number || is_short {
                shown.push_str(part);
                continue;
            }
            let heading = part.lines().next().unwrap_or_default();
            let end = if part.ends_with("\n\n") { "\n\n" } else { "\n" };
            shown += &format!("{heading}\n  the same as at {}{end}", self.named(first));
        }
        Some(shown)
    }

    /// A line for each site that stands for others; empty where none does.
    pub(super) fn alike(&self) -> String {
        let mut text = String::new();
        for (&first, sites) in &self.alike {
            let few: Vec<&str> = sites.iter().take(NAMED).map(String::as_str).collect();
            let more = match sites.len() - few.len() {
                0 => String::new(),
                more => format!(" and {} more", count(more)),
            };
            text += &format!(
                "same changes as at {}, at {}: {}{more}\n",
                self.named(first),
                match sites.len() {
                    1 => "1 more site".to_owned(),
                    many => format!("{} more sites", count(many)),
                },
                visible(&few.join(", "))
            );
        }
        text
    }

    /// `acme-rome, but for city and octet`
    fn named(&self, site: usize) -> String {
        let Shown { name, own } = &self.sites[site];
        let name = visible(name);
        match own.as_slice() {
            [] => name.into_owned(),
            [one] => format!("{name}, but for `{one}`"),
            [most @ .., last] => format!("{name}, but for `{}` and `{last}`", most.join("`, `")),
        }
    }
}

/// Parts of a text: each begins after an empty line, at the margin.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        let end = loop {
            let Some(at) = rest[from..].find("\n\n") else {
                break rest.len();
            };
            let next = from + at + 2;
            if !rest[next..].starts_with([' ', '\n']) {
                break next;
            }
            from = next;
        };
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part)
    })
}

/// What is a site's own: its name and the values of its parameters, the longest first.
struct Without<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Without<'a> {
    fn of(site: &'a str, parameters: &'a [Parameter]) -> Self {
        let named = parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        let mut own: Vec<(&str, &str)> = named.filter(|(_, value)| !value.is_empty()).collect();
        own.push(("", site));
        own.sort_by_key(|(name, value)| (std::cmp::Reverse(value.len()), *name));
        Self(own)
    }

    /// Of the text with names of parameters for their values, wherever a value is a word.
    fn digest(&self, text: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut plain = 0;
        let mut at = 0;
        let mut within_word = false;
        while let Some(letter) = text[at..].chars().next() {
            let ends_here = |value: &str| {
                let after = text[at + value.len()..].chars().next();
                !after.is_some_and(char::is_alphanumeric)
            };
            let own = self.0.iter().find(|(_, value)| {
                !within_word && text[at..].starts_with(value) && ends_here(value)
            });
            if let Some((name, value)) = own {
                // No text holds these: what is printed is visible.
                hash.update(&text[plain..at]);
                hash.update(b"\0");
                hash.update(name);
                hash.update(b"\0");
                at += value.len();
                plain = at;
                within_word = true;
                continue;
            }
            within_word = letter.is_alphanumeric();
            at += letter.len_utf8();
        }
        hash.update(&text[plain..]);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(octet: &str) -> Vec<Parameter> {
        vec![("octet".to_owned(), octet.to_owned())]
    }

    fn text(octet: u8, mac: &str) -> String {
        format!(
            "files\n  + file/{mac}.cfg\n\ndhcp\n  + a 10.{octet}.0.1\n\n  + b\n  + c\n\n3 to add\n"
        )
    }

    #[test]
    fn a_part_is_shown_once() {
        let mut repeats = Repeats::default();
        let first = text(47, "aa");
        assert_eq!(
            repeats.new_in("oslo", &parameters("47"), &first),
            Some(first)
        );
        assert_eq!(
            repeats
                .new_in("rome", &parameters("39"), &text(39, "bb"))
                .as_deref(),
            Some(
                "files\n  + file/bb.cfg\n\ndhcp\n  the same as at oslo, but for `octet`\n\n3 to add\n"
            )
        );
        assert_eq!(repeats.alike(), "");
    }

    #[test]
    fn a_site_like_another_is_named_only() {
        let mut repeats = Repeats::default();
        for octet in 101..=109 {
            let own = parameters(&octet.to_string());
            let shown = repeats.new_in(&format!("s{octet}"), &own, &text(octet, "aa"));
            assert_eq!(shown.is_some(), octet == 101, "{octet}");
        }
        assert_eq!(
            repeats.alike(),
            "same changes as at s101, but for `octet`, at 8 more sites: s102, s103, s104, s105, s106, s107 and 2 more\n"
        );
    }

    #[test]
    fn values_are_words_and_what_else_differs_is_shown() {
        let mut repeats = Repeats::default();
        let shown = |repeats: &mut Repeats, site: &str, octet: &str, text: &str| {
            repeats.new_in(site, &parameters(octet), text).is_some()
        };
        assert!(shown(&mut repeats, "a", "4", "x 44 4.4 é4\n"));
        // 44 is no 4, and é4 is a word.
        assert!(shown(&mut repeats, "b", "5", "x 55 5.5 é5\n"));
        assert!(!shown(&mut repeats, "c", "5", "x 44 5.5 é4\n"));
        assert!(shown(&mut repeats, "d", "5", "x 44 5.6 é4\n"));
        assert!(shown(&mut repeats, "e", "", "x 44 5.6 é4 \n"));
    }
}
