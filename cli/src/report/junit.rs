//! `validate --format junit`: a test report, for what shows nothing else.
//!
//! A rule is a class of tests, which is how both GitLab and Jenkins group them. A finding is a test of its rule and fails
//! where it fails the run, so that report and exit code say the same; another is a skipped test, the only other kind that
//! both show with its text. A rule without findings is a test that passes: a clean run is not an empty one, and GitLab
//! tells between two runs what is new and what is resolved.

use std::collections::BTreeSet;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use switchover_topology::Diagnostic;

use crate::report::human::draw;
use crate::report::{Documents, Occurrences, Range, Report, word};
use crate::rules::Rule;
use crate::terminal::Look;

/// How the text of a failure is laid out: nobody looks at it in a terminal.
const PLAIN: Look = Look {
    width: 100,
    color: false,
    terminal: false,
    unicode: true,
};

/// One JUnit document with one suite.
pub(crate) fn junit(report: &Report<'_>) -> Result<String, quick_junit::SerializeError> {
    let documents = Documents::new(report.sources);
    let mut suite = TestSuite::new("switchover validate");
    let mut seen = Occurrences::default();
    for diagnostic in report.diagnostics {
        suite.add_test_case(finding(diagnostic, report, &documents, &mut seen));
    }
    let raised: BTreeSet<&str> = report
        .diagnostics
        .iter()
        .map(|diagnostic| diagnostic.code.as_str())
        .collect();
    let own = report.selection.own().into_iter();
    let clean = own.filter(|rule| !raised.contains(rule.code()));
    suite.add_test_cases(clean.map(passed));
    let mut document = quick_junit::Report::new("switchover");
    document.add_test_suite(suite);
    document.to_string()
}

fn finding<'a>(
    diagnostic: &'a Diagnostic,
    report: &Report<'_>,
    documents: &Documents<'_>,
    seen: &mut Occurrences<(&'a str, &'a str)>,
) -> TestCase {
    let range = Range::of(diagnostic.span, documents);
    let place = range.map_or_else(|| report.topology.clone(), |range| range.to_string());
    let mut status = if report.fails(diagnostic) {
        TestCaseStatus::non_success(NonSuccessKind::Failure)
    } else {
        TestCaseStatus::skipped()
    };
    let standing = match &diagnostic.acknowledged {
        Some(reason) => format!("accepted: {reason}"),
        None => word(diagnostic.severity).to_owned(),
    };
    status
        .set_type(word(diagnostic.severity))
        .set_message(format!("{place}: {} ({standing})", diagnostic.message))
        .set_description(draw(diagnostic, documents, PLAIN));

    // Tests of one name are one test to GitLab. A place in the name would make every finding new when a line is added.
    let name = match seen.next((&diagnostic.code, &diagnostic.message)) {
        1 => diagnostic.message.clone(),
        count => format!("{} ({count})", diagnostic.message),
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(class(&diagnostic.code, &diagnostic.name));
    // Not of the first JUnit, but what GitLab links to.
    let file = range.map_or(report.topology.as_str(), |range| range.file);
    case.extra.insert("file".into(), file.into());
    if let Some(range) = range {
        let line = range.start.line.to_string();
        case.extra.insert("line".into(), line.as_str().into());
    }
    case
}

fn passed(rule: Rule<'_>) -> TestCase {
    let mut case = TestCase::new(rule.summary(), TestCaseStatus::success());
    case.set_classname(class(rule.code(), rule.name()));
    case
}

fn class(code: &str, name: &str) -> String {
    format!("{code} {name}")
}
