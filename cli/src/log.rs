//! `--log-format json`: what is told on stderr as one JSON object a line; see `schemas/log.schema.json`.
//!
//! The same is told as without it, by the same `-v` and `-q`, and with the same secrets hidden: texts of the engine and of
//! effects are redacted where they are made.

use std::time::Duration;

use clap::ValueEnum;
use serde::{Serialize, Serializer};
use switchover_effects::Event as Effect;
use switchover_engine::Event as Told;
use switchover_topology::Severity;

use crate::terminal::Verbosity;

/// How stderr is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object a line: `schemas/log.schema.json`.
    Json,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Level {
    Error,
    Warning,
    Info,
    Debug,
    Trace,
}

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    time: jiff::Timestamp,
    level: Level,
    /// Among many sites: the file of the one that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    site: Option<&'a str>,
    #[serde(flatten)]
    event: &'a Event<'a>,
}

/// What a line tells. Names and members are public API.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    /// A text for people that has no form of its own.
    Message {
        text: &'a str,
    },
    /// A finding about the topology.
    Finding {
        code: &'a str,
        name: &'a str,
        severity: Severity,
        message: &'a str,
        help: Option<&'a str>,
        file: Option<&'a str>,
        line: Option<usize>,
        column: Option<usize>,
    },
    /// Why the command, or one site's part of it, ended early.
    Error {
        code: Option<String>,
        message: String,
        /// From the outermost to the innermost.
        causes: Vec<String>,
        help: Option<String>,
        exit_code: u8,
    },
    /// The state of a target is being read.
    Reading {
        target: &'a str,
    },
    /// It has been read.
    Observed {
        target: &'a str,
    },
    /// A step of an apply begins.
    Step {
        target: &'a str,
        phase: &'static str,
        title: &'a str,
    },
    /// The commit of a target is complete.
    Committed {
        target: &'a str,
    },
    /// What was written is as wanted.
    Verified {
        target: &'a str,
    },
    /// Something failed; a step is being taken back.
    Undoing {
        target: &'a str,
        title: &'a str,
    },
    /// Everything is done, and is taken back unless somebody confirms it by then.
    Waiting {
        until: jiff::Timestamp,
    },
    /// Somebody did.
    Confirmed {
        who: &'a str,
    },
    /// The end of the run could not be written into its journal, which calls it interrupted from now on.
    Unended {
        why: &'a str,
    },
    /// The end of what was done could not be written into the audit log.
    Unaudited {
        why: &'a str,
    },
    /// A run before this one is over, and something that it left beside files was not cleared away.
    LeftBehind {
        why: &'a str,
        /// Nobody looks for it any more.
        forgotten: bool,
    },
    /// A target that another process has left in the middle cannot be completed: it is rolled back, and applied again.
    NotCompleted {
        target: &'a str,
        why: &'a str,
    },
    /// A generation was recorded.
    Generation {
        number: u64,
    },
    /// An HTTP request was answered, or failed.
    Http {
        method: &'a str,
        url: &'a str,
        status: Option<u16>,
        #[serde(serialize_with = "in_milliseconds")]
        milliseconds: Duration,
        error: Option<&'a str>,
    },
    /// A server was asked over DNS, DHCP or SIP.
    Asked {
        request: &'a str,
        #[serde(serialize_with = "in_milliseconds")]
        milliseconds: Duration,
        error: Option<&'a str>,
    },
    FileRead {
        path: &'a str,
        bytes: Option<usize>,
    },
    FolderListed {
        path: &'a str,
        files: usize,
    },
    FileStaged {
        path: &'a str,
        bytes: usize,
    },
    FileWritten {
        path: &'a str,
    },
    FileRemoved {
        path: &'a str,
    },
    FileRestored {
        path: &'a str,
    },
    Command {
        line: &'a str,
        status: Option<i32>,
        #[serde(serialize_with = "in_milliseconds")]
        milliseconds: Duration,
    },
    Connected {
        host: &'a str,
        #[serde(serialize_with = "in_milliseconds")]
        milliseconds: Duration,
    },
    Secret {
        name: &'a str,
        source: &'a str,
    },
    /// Work on one of many sites begins.
    SiteBegun,
    /// It is over.
    SiteEnded {
        name: Option<&'a str>,
        result: &'a str,
        exit_code: u8,
        #[serde(serialize_with = "in_milliseconds")]
        milliseconds: Duration,
    },
    /// The last line of a run.
    Ended {
        exit_code: u8,
    },
}

/// One line of the log, with its line break.
pub(crate) fn line(level: Level, site: Option<&str>, event: &Event<'_>) -> String {
    let line = Line {
        time: jiff::Timestamp::now(),
        level,
        site,
        event,
    };
    // Nothing in it can fail to be JSON: keys are names, numbers are finite.
    serde_json::to_string(&line).map_or_else(|_| String::new(), |text| text + "\n")
}

/// Of what is told from this verbosity on.
pub(crate) const fn level(from: Verbosity) -> Level {
    match from {
        Verbosity::Quiet => Level::Error,
        Verbosity::Normal => Level::Info,
        Verbosity::Verbose => Level::Debug,
        Verbosity::Trace => Level::Trace,
    }
}

/// Of a finding.
pub(crate) const fn level_of(severity: Severity) -> Level {
    match severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Info,
    }
}

fn in_milliseconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((elapsed.as_secs_f64() * 1e6).round() / 1e3)
}

impl<'a> From<&'a Told> for Event<'a> {
    fn from(told: &'a Told) -> Self {
        match told {
            Told::Reading { target } => Self::Reading { target },
            Told::Observed { target } => Self::Observed { target },
            Told::Step {
                target,
                phase,
                title,
            } => Self::Step {
                target,
                phase: phase.name(),
                title,
            },
            Told::Committed { target } => Self::Committed { target },
            Told::Verified { target } => Self::Verified { target },
            Told::Undoing { target, title } => Self::Undoing { target, title },
            Told::Waiting { until } => Self::Waiting { until: *until },
            Told::Confirmed { who } => Self::Confirmed { who },
            Told::Unended { why } => Self::Unended { why },
            Told::Unaudited { why } => Self::Unaudited { why },
            Told::LeftBehind { why, forgotten } => Self::LeftBehind {
                why,
                forgotten: *forgotten,
            },
            Told::NotCompleted { target, why } => Self::NotCompleted { target, why },
            Told::Generation { number } => Self::Generation { number: *number },
        }
    }
}

impl<'a> From<&Effect<'a>> for Event<'a> {
    fn from(effect: &Effect<'a>) -> Self {
        match *effect {
            Effect::Http {
                method,
                url,
                status,
                elapsed,
                error,
            } => Self::Http {
                method,
                url,
                status,
                milliseconds: elapsed,
                error,
            },
            Effect::Asked {
                request,
                elapsed,
                error,
            } => Self::Asked {
                request,
                milliseconds: elapsed,
                error,
            },
            Effect::FileRead { path, bytes } => Self::FileRead { path, bytes },
            Effect::FolderListed { path, files } => Self::FolderListed { path, files },
            Effect::FileStaged { path, bytes } => Self::FileStaged { path, bytes },
            Effect::FileWritten { path } => Self::FileWritten { path },
            Effect::FileRemoved { path } => Self::FileRemoved { path },
            Effect::FileRestored { path } => Self::FileRestored { path },
            Effect::Command {
                line,
                status,
                elapsed,
            } => Self::Command {
                line,
                status,
                milliseconds: elapsed,
            },
            Effect::Connected { host, elapsed } => Self::Connected {
                host,
                milliseconds: elapsed,
            },
            Effect::Secret { name, source } => Self::Secret { name, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;
    use switchover_engine::Phase;

    use super::*;

    const SCHEMA: &str = include_str!("../../schemas/log.schema.json");

    fn samples() -> Vec<Event<'static>> {
        let milliseconds = Duration::from_micros(1_234);
        vec![
            Event::Message { text: "a" },
            Event::Finding {
                code: "SW104",
                name: "a",
                severity: Severity::Note,
                message: "a",
                help: None,
                file: Some("a"),
                line: Some(1),
                column: Some(1),
            },
            Event::Error {
                code: None,
                message: "a".to_owned(),
                causes: vec!["b".to_owned()],
                help: Some("c".to_owned()),
                exit_code: 1,
            },
            Event::Reading { target: "a" },
            Event::Observed { target: "a" },
            Event::Step {
                target: "a",
                phase: Phase::Undo.name(),
                title: "b",
            },
            Event::Committed { target: "a" },
            Event::Verified { target: "a" },
            Event::Undoing {
                target: "a",
                title: "b",
            },
            Event::Waiting {
                until: jiff::Timestamp::UNIX_EPOCH,
            },
            Event::Confirmed { who: "a" },
            Event::Unended { why: "a" },
            Event::Unaudited { why: "a" },
            Event::NotCompleted {
                target: "a",
                why: "b",
            },
            Event::LeftBehind {
                why: "a",
                forgotten: false,
            },
            Event::Generation { number: 1 },
            Event::Http {
                method: "GET",
                url: "a",
                status: Some(200),
                milliseconds,
                error: None,
            },
            Event::Asked {
                request: "a",
                milliseconds,
                error: Some("b"),
            },
            Event::FileRead {
                path: "a",
                bytes: None,
            },
            Event::FolderListed {
                path: "a",
                files: 0,
            },
            Event::FileStaged {
                path: "a",
                bytes: 1,
            },
            Event::FileWritten { path: "a" },
            Event::FileRemoved { path: "a" },
            Event::FileRestored { path: "a" },
            Event::Command {
                line: "a",
                status: Some(-1),
                milliseconds,
            },
            Event::Connected {
                host: "a",
                milliseconds,
            },
            Event::Secret {
                name: "a",
                source: "b",
            },
            Event::SiteBegun,
            Event::SiteEnded {
                name: None,
                result: "not-begun",
                exit_code: 1,
                milliseconds,
            },
            Event::Ended { exit_code: 0 },
        ]
    }

    /// Every line fits the schema, by a form of its own, and does not with a member more or less.
    #[test]
    fn the_schema_says_what_is_written() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let forms: BTreeSet<&str> = schema["$defs"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let schema = jsonschema::options()
            .should_validate_formats(true)
            .build(&schema)
            .unwrap();
        let mut names = BTreeSet::new();
        for event in samples() {
            let text = line(Level::Warning, None, &event);
            assert!(text.ends_with('\n') && text.trim_end().lines().count() == 1);
            let written: Value = serde_json::from_str(&text).unwrap();
            names.insert(written["event"].as_str().unwrap().to_owned());
            let errors: Vec<_> = schema.iter_errors(&written).collect();
            assert!(errors.is_empty(), "{written}: {errors:?}");
            let members = written.as_object().unwrap();
            for name in members.keys() {
                let mut less = members.clone();
                less.remove(name);
                assert!(!schema.is_valid(&less.into()), "{written} without {name}");
            }
            let mut more = members.clone();
            more.insert("surprise".to_owned(), Value::Null);
            assert!(!schema.is_valid(&more.into()), "{written} with more");
        }
        assert_eq!(
            names.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            forms
        );
    }

    #[test]
    fn a_line_says_whose_it_is() {
        let text = line(Level::Info, Some("a/switchover.kdl"), &Event::SiteBegun);
        let written: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written["site"], "a/switchover.kdl");
        assert_eq!(written["level"], "info");
    }
}
