//! `switchover.lock`: what it looks like, that it comes back as it was, and what it says about a changed plugin.

use std::collections::BTreeSet;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};
use proptest::prelude::*;
use switchover_plugin_host::lock::{Difference, Pin};
use switchover_plugin_host::wit::{BodyMatch, HttpPattern, Pattern};
use switchover_plugin_host::{Digest, Lock, LockError, pattern};

use crate::guest::{Guest, strict_host};

fn texts(patterns: impl IntoIterator<Item = Pattern>) -> BTreeSet<String> {
    patterns
        .into_iter()
        .map(|one| pattern::text(&one))
        .collect()
}

fn http(method: &str, body: &[(&str, &[&str])]) -> Pattern {
    let body = body.iter().map(|(pointer, values)| BodyMatch {
        pointer: (*pointer).into(),
        one_of: values.iter().map(|value| (*value).into()).collect(),
    });
    Pattern::Http(HttpPattern {
        method: method.into(),
        path: "/".into(),
        body: body.collect(),
    })
}

fn kea() -> Pin {
    Pin {
        version: "0.1.0".into(),
        sha256: Digest::of(b"kea"),
        wit: "0.1.0".into(),
        reads: texts([http(
            "POST",
            &[("/command", &["\"config-get\"", "\"list-commands\""])],
        )]),
        steps: texts([http(
            "POST",
            &[
                ("/command", &["\"config-set\""]),
                ("/service/0", &["\"dhcp4\""]),
            ],
        )]),
        commands: BTreeSet::new(),
    }
}

fn lock() -> Lock {
    let mut lock = Lock::default();
    lock.pin("kea", kea());
    lock.pin(
        "dnsmasq",
        Pin {
            version: "0.1.0".into(),
            sha256: Digest::of(b"dnsmasq"),
            wit: "0.1.0".into(),
            reads: texts([
                Pattern::File("*.conf".into()),
                Pattern::Folder(String::new()),
            ]),
            steps: texts([Pattern::File("*.conf".into())]),
            commands: ["test".into(), "reload".into()].into(),
        },
    );
    lock
}

#[test]
fn the_file_is_readable() {
    insta::assert_snapshot!(lock().render());
    assert_eq!(
        Lock::parse("switchover.lock", &lock().render()).unwrap(),
        lock()
    );
    assert_eq!(Lock::parse("switchover.lock", "").unwrap(), Lock::default());
    assert_eq!(
        Lock::parse("switchover.lock", &Lock::default().render()).unwrap(),
        Lock::default()
    );
}

#[test]
fn different_rights_have_different_texts() {
    let patterns = [
        http("POST", &[("/a", &["1"])]),
        http("POST", &[("/a", &["1", "2"])]),
        http("POST", &[("/a", &["1"]), ("/b", &["2"])]),
        http("POST", &[("/a", &["\"1 and /b is 2\""])]),
        http("POST", &[("/a", &["\"1\""])]),
        http("POST", &[("", &["1"])]),
        http("POST", &[]),
        http("GET", &[]),
        Pattern::File("a".into()),
        Pattern::Folder("a".into()),
        Pattern::Zone("a".into()),
    ];
    assert_eq!(texts(patterns.clone()).len(), patterns.len());
}

#[test]
fn a_changed_plugin_is_told_apart() {
    let found = Pin {
        version: "0.2.0".into(),
        sha256: Digest::of(b"other"),
        reads: texts([http("POST", &[("/command", &["\"config-get\""])])]),
        commands: ["reload".into()].into(),
        ..kea()
    };
    let text: Vec<_> = kea()
        .differences(&found)
        .iter()
        .map(Difference::to_string)
        .collect();
    insta::assert_snapshot!(text.join("\n"));
    assert_eq!(kea().differences(&kea()), []);
}

#[test]
fn a_plugin_is_verified_against_its_pin() {
    let host = strict_host();
    let plugin = Guest::default().load(&host).unwrap();
    let locked = Lock::of([&plugin]);
    locked.verify(&plugin).unwrap();
    let parsed = Lock::parse("switchover.lock", &locked.render()).unwrap();
    parsed.verify(&plugin).unwrap();

    let changed = Guest {
        version: "1.2.4",
        ..Guest::default()
    }
    .load(&host)
    .unwrap();
    let mismatch = parsed.verify(&changed).unwrap_err();
    let mut told = mismatch.to_string();
    // The digests change with the tools that build the guest.
    for digest in [plugin.digest(), changed.digest()] {
        told = told.replace(&digest.to_string(), "…");
    }
    let unknown = Lock::default().verify(&plugin).unwrap_err();
    insta::assert_snapshot!(format!(
        "{told}\n  {}\n{unknown}\n  {}",
        mismatch.help().unwrap(),
        unknown.help().unwrap()
    ));
}

#[test]
fn files_that_are_no_lock() {
    let sha = Digest::of(b"");
    let format = "lock-format 1\n";
    let cases = [
        "plugin {".to_owned(),
        "plugin kea {}".to_owned(),
        "lock-format 2\n".to_owned(),
        "lock-format one\n".to_owned(),
        format!("{format}plugin kea {{}}\n"),
        format!("{format}plugin\n"),
        format!("{format}plugin 7\n"),
        format!("{format}plugin kea sha256=x\n"),
        format!("{format}tool kea\n"),
        format!("{format}plugin kea {{ version \"1\"; wit \"1\"; sha256 abc }}\n"),
        format!(
            "{format}plugin kea {{ version \"1\"; version \"1\"; wit \"1\"; sha256 {sha:?} }}\n"
        ),
        format!(
            "{format}plugin kea {{ version \"1\"; wit \"1\"; sha256 \"{sha}\"; read a; read a }}\n"
        ),
        format!("{format}plugin kea {{ version \"1\"; wit \"1\"; sha256 \"{sha}\"; allow all }}\n"),
        format!(
            "{format}{0}{0}",
            format_args!("plugin kea {{ version \"1\"; wit \"1\"; sha256 \"{sha}\" }}\n")
        ),
    ];
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::none()).with_width(200);
    let mut out = String::new();
    for case in cases {
        let error: LockError = Lock::parse("switchover.lock", &case).expect_err(&case);
        handler.render_report(&mut out, &error).unwrap();
    }
    insta::assert_snapshot!(out);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(
        name in any::<String>(),
        version in any::<String>(),
        bytes in any::<[u8; 32]>(),
        reads in proptest::collection::btree_set("(\"|#|\\\\|a| |\n|é|\u{2028})*", 0..4),
        steps in proptest::collection::btree_set(any::<String>(), 0..4),
    ) {
        let pin = Pin { version, sha256: bytes.into(), wit: "0.1.0".into(), reads, steps, commands: BTreeSet::new() };
        let mut lock = Lock::default();
        lock.pin(name, pin);
        let text = lock.render();
        let back = Lock::parse("switchover.lock", &text);
        prop_assert_eq!(back.map_err(|error| format!("{error:?}\n{text}")), Ok(lock));
    }

    #[test]
    fn no_text_makes_it_panic(text in "(plugin|lock-format|read|[ {}\"#/\\\\\n;=1a])*") {
        let _ = Lock::parse("switchover.lock", &text);
    }
}
