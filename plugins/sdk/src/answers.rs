//! Looking up what was read.

use serde::de::DeserializeOwned;

use crate::{Answer, Failure, Response, Rrset};

/// Answers, found by the id of their query.
#[derive(Clone, Copy)]
pub struct Answers<'a>(&'a [Answer]);

impl<'a> Answers<'a> {
    /// Looks into `answers`.
    #[must_use]
    pub fn new(answers: &'a [Answer]) -> Self {
        Self(answers)
    }

    /// The answer to the query, if it has been asked.
    #[must_use]
    pub fn get(self, query: &str) -> Option<&'a Response> {
        self.0
            .iter()
            .find(|answer| answer.query == query)
            .map(|answer| &answer.response)
    }

    /// Every answer whose query's id begins with `prefix`, with the rest of the id.
    pub fn with_prefix(self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a Response)> {
        self.0
            .iter()
            .filter_map(move |answer| Some((answer.query.strip_prefix(prefix)?, &answer.response)))
    }

    /// Bytes of an answer or a file; none where the query was not asked or the file is absent.
    #[must_use]
    pub fn bytes(self, query: &str) -> Option<&'a [u8]> {
        match self.get(query)? {
            Response::Http(bytes) | Response::File(bytes) => Some(bytes),
            Response::Absent | Response::Folder(_) | Response::Zone(_) => None,
        }
    }

    /// The same as text.
    ///
    /// # Errors
    /// The bytes are not UTF-8.
    pub fn text(self, query: &str) -> Result<Option<&'a str>, Failure> {
        self.bytes(query)
            .map(|bytes| {
                std::str::from_utf8(bytes).map_err(|error| {
                    Failure::new(
                        "answer-not-utf8",
                        format!("the answer to `{query}` is no text: {error}"),
                    )
                })
            })
            .transpose()
    }

    /// The same as JSON.
    ///
    /// # Errors
    /// The bytes are not JSON of that shape.
    pub fn json<T: DeserializeOwned>(self, query: &str) -> Result<Option<T>, Failure> {
        self.bytes(query)
            .map(|bytes| {
                serde_json::from_slice(bytes).map_err(|error| {
                    Failure::new(
                        "answer-not-understood",
                        format!("the answer to `{query}` is not what was expected: {error}"),
                    )
                })
            })
            .transpose()
    }

    /// Names in a folder; none where the query was not asked, empty where there is no folder.
    #[must_use]
    pub fn folder(self, query: &str) -> Option<&'a [String]> {
        match self.get(query)? {
            Response::Folder(names) => Some(names),
            Response::Absent => Some(&[]),
            Response::Http(_) | Response::File(_) | Response::Zone(_) => None,
        }
    }

    /// The RRsets of a zone; none where the query was not asked.
    #[must_use]
    pub fn zone(self, query: &str) -> Option<&'a [Rrset]> {
        match self.get(query)? {
            Response::Zone(rrsets) => Some(rrsets),
            Response::Http(_) | Response::File(_) | Response::Folder(_) | Response::Absent => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn answers() -> Vec<Answer> {
        [
            ("config", Response::Http(br#"{"a": 1}"#.to_vec())),
            ("file/a", Response::File(b"text".to_vec())),
            ("file/b", Response::Absent),
            ("file/c", Response::File(vec![0xff])),
            ("list", Response::Folder(vec!["x".into()])),
            ("zone/a", Response::Zone(vec![])),
        ]
        .map(|(query, response)| Answer {
            query: query.into(),
            response,
        })
        .into()
    }

    #[test]
    fn every_kind_of_answer_is_found() {
        let answers = answers();
        let found = Answers::new(&answers);
        assert_eq!(found.json::<Value>("config"), Ok(Some(json!({"a": 1}))));
        assert_eq!(found.text("file/a"), Ok(Some("text")));
        assert_eq!(found.text("file/b"), Ok(None));
        assert_eq!(found.text("never asked"), Ok(None));
        assert_eq!(found.folder("list"), Some(&["x".to_owned()][..]));
        assert_eq!(found.folder("file/b"), Some(&[][..]));
        assert_eq!(found.folder("config"), None);
        assert_eq!(found.zone("zone/a"), Some(&[][..]));
        assert_eq!(found.zone("list"), None);
        assert_eq!(found.bytes("zone/a"), None);
        let files: Vec<&str> = found.with_prefix("file/").map(|(rest, _)| rest).collect();
        assert_eq!(files, ["a", "b", "c"]);
    }

    #[test]
    fn answers_of_the_wrong_kind_are_failures() {
        let answers = answers();
        let found = Answers::new(&answers);
        assert_eq!(
            found.text("file/c").map_err(|failure| failure.code),
            Err("answer-not-utf8".into())
        );
        assert_eq!(
            found
                .json::<Value>("file/a")
                .map_err(|failure| failure.code),
            Err("answer-not-understood".into())
        );
    }
}
