use std::collections::HashMap;

use crate::source::{FileId, Span};

/// More than most nodes have: up to here comparing is faster than hashing.
const FEW: usize = 12;

/// Names and where they were written.
pub(super) struct Names<'a> {
    few: [(&'a str, Span); FEW],
    length: usize,
    /// All of them, once they are many.
    many: HashMap<&'a str, Span>,
}

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        let nowhere = Span {
            file: FileId(0),
            start: 0,
            end: 0,
        };
        Self {
            few: [("", nowhere); FEW],
            length: 0,
            many: HashMap::new(),
        }
    }

    /// Gives the place that the name had.
    pub(super) fn insert(&mut self, name: &'a str, span: Span) -> Option<Span> {
        if let Some(known) = self.few[..self.length]
            .iter_mut()
            .find(|(known, _)| *known == name)
        {
            return Some(std::mem::replace(&mut known.1, span));
        }
        if self.many.is_empty() && self.length < FEW {
            self.few[self.length] = (name, span);
            self.length += 1;
            return None;
        }
        self.many.extend(self.few[..self.length].iter().copied());
        self.length = 0;
        self.many.insert(name, span)
    }

    pub(super) fn get(&self, name: &str) -> Option<Span> {
        let few = self.few[..self.length]
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, span)| *span);
        few.or_else(|| self.many.get(name).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_or_many_they_are_found() {
        let words: Vec<String> = (0..40).map(|number| format!("name-{number}")).collect();
        let at = |start| Span {
            file: FileId(0),
            start,
            end: start + 1,
        };
        let mut names = Names::new();
        for (word, place) in words.iter().zip(0..) {
            assert_eq!(names.get(word), None);
            assert_eq!(names.insert(word, at(place)), None);
            assert_eq!(names.get(&words[0]), Some(at(0)));
            assert_eq!(names.get(word), Some(at(place)));
        }
        assert_eq!(names.insert(&words[3], at(99)), Some(at(3)));
        assert_eq!(names.get(&words[3]), Some(at(99)));
    }
}
