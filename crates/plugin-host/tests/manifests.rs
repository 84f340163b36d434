//! Manifests that a plugin could be loaded with but not be held to.

use std::fmt::Write as _;

use crate::guest::{Guest, Kind, strict_host};

#[test]
fn names_and_versions_are_checked() {
    let mut out = String::new();
    let names = [
        "other",
        "",
        "Guest",
        "guest--x",
        "../guest",
        "guest\u{1b}[2J",
    ];
    let versions = ["", "1", "1.2", "1.2.3.4", "v1.2.3", "1.2.3 evil", "1.2.x"];
    let named = names.map(|name| Guest {
        name: name.as_bytes().to_vec(),
        ..Guest::default()
    });
    let versioned = versions.map(|version| Guest {
        version,
        ..Guest::default()
    });
    for guest in named.into_iter().chain(versioned) {
        let _ = writeln!(
            out,
            "{}",
            guest.load(&strict_host()).expect_err("not acceptable")
        );
    }
    insta::assert_snapshot!(out);
    for version in ["1.2.3", "0.1.0-rc.1", "1.0.0+build.7"] {
        Guest {
            version,
            ..Guest::default()
        }
        .load(&strict_host())
        .unwrap();
    }
}

fn kind() -> Kind {
    Kind {
        code: "GUEST001".into(),
        name: "guest-of-honour".into(),
        severity: 0,
        basis: 0,
        summary: "somebody comes".into(),
        explanation: "Why.\n\nTo fix it, wait.".into(),
    }
}

#[test]
fn kinds_of_findings_are_checked() {
    let mut out = String::new();
    let with = |change: &dyn Fn(&mut Kind)| {
        let mut kind = kind();
        change(&mut kind);
        vec![kind]
    };
    let second = |change: &dyn Fn(&mut Kind)| {
        let mut kinds = with(&|_| {});
        kinds.extend(with(change));
        kinds
    };
    let codes = [
        "",
        "001",
        "G",
        "G01",
        "GUEST",
        "GUEST01",
        "guest001",
        "GUEST-001",
        "1G001",
        "GUEST001 ",
        "GU\u{1b}001",
        "GÄST001",
        "GUESTx01",
        "SW001",
        "SW999",
        "SWITCH001",
    ];
    let mut bad: Vec<Vec<Kind>> = codes
        .iter()
        .map(|code| with(&|kind| kind.code = (*code).into()))
        .collect();
    bad.push(with(&|kind| kind.code = format!("{}001", "G".repeat(30))));
    for name in ["", "Guest", "a--b", "a b", "a\nb"] {
        bad.push(with(&|kind| kind.name = name.into()));
    }
    for summary in ["", " ", "a\nb", "\u{1b}[2J", &"x".repeat(201)] {
        bad.push(with(&|kind| kind.summary = summary.into()));
    }
    for explanation in ["", "\n", "\u{1b}[2J", "a\r\nb", &"x".repeat(4001)] {
        bad.push(with(&|kind| kind.explanation = explanation.into()));
    }
    bad.push(second(&|kind| kind.name = "another".into()));
    bad.push(second(&|kind| kind.code = "GUEST002".into()));
    for kinds in bad {
        let guest = Guest {
            kinds,
            ..Guest::default()
        };
        let _ = writeln!(
            out,
            "{}",
            guest.load(&strict_host()).expect_err("not acceptable")
        );
    }
    insta::assert_snapshot!(out);

    let good = [
        with(&|kind| kind.code = "G001".into()),
        with(&|kind| kind.code = "W12345".into()),
        with(&|kind| kind.code = "S0W001".into()),
        with(&|kind| kind.code = format!("{}001", "G".repeat(29))),
        with(&|kind| kind.summary = "x".repeat(200)),
        with(&|kind| kind.explanation = "x".repeat(4000)),
        second(&|kind| {
            kind.code = "GUEST002".into();
            kind.name = "another".into();
        }),
    ];
    for kinds in good {
        let guest = Guest {
            kinds,
            ..Guest::default()
        };
        guest.load(&strict_host()).unwrap();
    }
}
