//! Guests that misbehave: one clear error each, and the host goes on.

use std::fmt::Write as _;

use miette::Diagnostic;
use switchover_plugin_host::{PluginError, Problem, Source};

use crate::guest::{Guest, Kind, Raised, ZEROS, assert_alive, componentize, run, strict_host};

const LOOP: &str = "(loop $l (br $l)) unreachable";
const TRAP: &str = "(call $oops) unreachable";
const OOPS: &str = "(func $oops unreachable)";

/// An export's body, by name.
fn body<'a>(guest: &'a mut Guest, export: &str) -> &'a mut String {
    match export {
        "describe" => &mut guest.describe,
        "check" => &mut guest.check,
        "desired" => &mut guest.desired,
        "queries" => &mut guest.queries,
        "current" => &mut guest.current,
        "examine" => &mut guest.examine,
        "adopt" => &mut guest.adopt,
        "procedure" => &mut guest.procedure,
        "lines" => &mut guest.lines,
        other => panic!("no export {other}"),
    }
}

const EXPORTS: [&str; 9] = [
    "describe",
    "check",
    "desired",
    "queries",
    "current",
    "examine",
    "adopt",
    "procedure",
    "lines",
];

/// What a person gets to read of the first thing that goes wrong.
fn told(component: Vec<u8>) -> String {
    let host = strict_host();
    let error = host
        .load("guest", &Source::new(component))
        .and_then(|plugin| plugin.start())
        .and_then(|mut session| run(&mut session))
        .expect_err("the guest misbehaves");
    assert_alive(&host);
    text(&error)
}

fn text(error: &PluginError) -> String {
    let mut out = error.to_string();
    for part in [error.code(), error.help()] {
        let _ = write!(
            out,
            "\n  {}",
            part.expect("every error has a code and help")
        );
    }
    out
}

/// One line of headline and the texts, for each of the guests.
fn all(guests: impl IntoIterator<Item = (String, Vec<u8>)>) -> String {
    guests
        .into_iter()
        .map(|(title, component)| format!("{title}\n  {}\n\n", told(component)))
        .collect()
}

fn in_each_export(change: impl Fn(&mut Guest, &str)) -> String {
    all(EXPORTS.map(|export| {
        let mut guest = Guest::default();
        change(&mut guest, export);
        (export.to_owned(), guest.component())
    }))
}

#[test]
fn the_guest_that_behaves_behaves() {
    assert_alive(&strict_host());
}

#[test]
fn a_loop_in_each_export() {
    insta::assert_snapshot!(in_each_export(
        |guest, export| *body(guest, export) = LOOP.into()
    ));
}

#[test]
fn a_trap_in_each_export() {
    insta::assert_snapshot!(in_each_export(|guest, export| {
        *body(guest, export) = TRAP.into();
        guest.more = OOPS.into();
    }));
}

#[test]
fn memory_bombs() {
    let grow = "(loop $l (drop (memory.grow (i32.const 100))) (br $l)) unreachable";
    let with = |title: &str, change: &dyn Fn(&mut Guest)| {
        let mut guest = Guest::default();
        change(&mut guest);
        (title.to_owned(), guest.component())
    };
    insta::assert_snapshot!(all([
        with("grows without end", &|guest| guest.desired = grow.into()),
        with("wants it at once", &|guest| guest.desired =
            "(memory.grow (i32.const 65000))".into()),
        with("begins too large", &|guest| guest.pages = 5000),
        with("grows while it is given arguments", &|guest| guest
            .realloc =
            grow.into()),
        with("grows a table without end", &|guest| {
            guest.more = "(table $t 0 funcref)".into();
            guest.check = "(loop $l (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $l)) unreachable".into();
        }),
    ]));
}

#[test]
fn more_than_the_host_takes() {
    // 80 MiB that are really there, as the message of a failure.
    let long = Guest {
        pages: 1400,
        desired: format!(
            "(i32.store8 (i32.const {ZEROS}) (i32.const 1))
             (i32.store offset=12 (i32.const {ZEROS}) (i32.const 0x10000))
             (i32.store offset=16 (i32.const {ZEROS}) (i32.const 0x5000000))
             (i32.const {ZEROS})"
        ),
        ..Guest::default()
    };
    // 1 GiB: 1024 queries of 72 bytes, the id of each the same 1 MiB of memory.
    let repeated = Guest {
        pages: 32,
        queries: format!(
            "(local $i i32)
             (loop $l
                (i32.store (i32.add (i32.const 0x30000) (i32.mul (local.get $i) (i32.const 72))) (i32.const 0x40000))
                (i32.store offset=4
                    (i32.add (i32.const 0x30000) (i32.mul (local.get $i) (i32.const 72))) (i32.const 0x100000))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $l (i32.lt_u (local.get $i) (i32.const 1024))))
             (i32.store offset=4 (i32.const {ZEROS}) (i32.const 0x30000))
             (i32.store offset=8 (i32.const {ZEROS}) (i32.const 1024))
             (i32.const {ZEROS})"
        ),
        ..Guest::default()
    };
    // 1 GiB of memory of its own.
    let real = Guest {
        check: "(memory.grow (i32.const 16384))".into(),
        ..Guest::default()
    };
    insta::assert_snapshot!(all([
        ("a long text".to_owned(), long.component()),
        (
            "the same text a thousand times".to_owned(),
            repeated.component()
        ),
        ("1 GiB".to_owned(), real.component()),
    ]));
}

#[test]
fn lies_about_types() {
    let guest = Guest::default;
    let list = |address: u32, length: u32| {
        format!(
            "(i32.store (i32.const {ZEROS}) (i32.const {address}))
             (i32.store offset=4 (i32.const {ZEROS}) (i32.const {length}))
             (i32.const {ZEROS})"
        )
    };
    let table = [
        (
            "a name that is not UTF-8",
            Guest {
                name: vec![b'g', 0xff, 0xfe],
                ..guest()
            },
        ),
        ("an enum without such a case", Guest { undo: 9, ..guest() }),
        (
            "a list longer than memory",
            Guest {
                reads: u32::MAX,
                ..guest()
            },
        ),
        (
            "a manifest outside memory",
            Guest {
                describe: "(i32.const 0x7ffffff0)".into(),
                ..guest()
            },
        ),
        (
            "a manifest at the end of memory",
            Guest {
                describe: "(i32.const 131064)".into(),
                ..guest()
            },
        ),
        (
            "an unaligned manifest",
            Guest {
                describe: "(i32.const 4097)".into(),
                ..guest()
            },
        ),
        (
            "a list outside memory",
            Guest {
                check: list(0x7fff_ff00, 1),
                ..guest()
            },
        ),
        (
            "an unaligned list",
            Guest {
                check: list(3, 1),
                ..guest()
            },
        ),
        (
            "a result without such a case",
            Guest {
                desired: format!(
                    "(i32.store8 (i32.const {ZEROS}) (i32.const 7)) (i32.const {ZEROS})"
                ),
                ..guest()
            },
        ),
        (
            "arguments put outside memory",
            Guest {
                realloc: "(i32.const 0x7ffffff0)".into(),
                ..guest()
            },
        ),
        (
            "arguments put at odd addresses",
            Guest {
                realloc: "(i32.const 65537)".into(),
                ..guest()
            },
        ),
    ];
    insta::assert_snapshot!(all(
        table.map(|(title, guest)| (title.to_owned(), guest.component()))
    ));
}

#[test]
fn other_ways_to_end_badly() {
    let guest = Guest::default;
    let table = [
        (
            "endless recursion",
            Guest {
                current: "(call $deep)".into(),
                more: "(func $deep (result i32) (call $deep))".into(),
                ..guest()
            },
        ),
        (
            "a division by zero",
            Guest {
                current: "(i32.div_u (i32.const 1) (i32.const 0))".into(),
                ..guest()
            },
        ),
        (
            "a trap while starting",
            Guest {
                more: "(func $begin unreachable) (start $begin)".into(),
                ..guest()
            },
        ),
        (
            "a loop while starting",
            Guest {
                more: format!("(func $begin {LOOP}) (start $begin)"),
                ..guest()
            },
        ),
        (
            "a loop while cleaning up",
            Guest {
                more: "(func (export \"cabi_post_switchover:plugin/api@0.1.0#check\") (param i32) (loop $l (br $l)))".into(),
                ..guest()
            },
        ),
        (
            "fewer lines than resources",
            Guest {
                lines: format!("(i32.const {ZEROS})"),
                ..guest()
            },
        ),
        (
            "its own failure",
            Guest {
                procedure: format!(
                    "(i32.store8 (i32.const {ZEROS}) (i32.const 1))
                     (i32.store offset=4 (i32.const {ZEROS}) (i32.const 0x4000))
                     (i32.store offset=8 (i32.const {ZEROS}) (i32.const 4))
                     (i32.store offset=12 (i32.const {ZEROS}) (i32.const 0x4010))
                     (i32.store offset=16 (i32.const {ZEROS}) (i32.const 12))
                     (i32.store8 offset=20 (i32.const {ZEROS}) (i32.const 1))
                     (i32.store offset=24 (i32.const {ZEROS}) (i32.const 0x4020))
                     (i32.store offset=28 (i32.const {ZEROS}) (i32.const 8))
                     (i32.const {ZEROS})"
                ),
                more: "(data (i32.const 0x4000) \"full\")
                       (data (i32.const 0x4010) \"no room\\1b[2J!\")
                       (data (i32.const 0x4020) \"make it!\")"
                    .into(),
                ..guest()
            },
        ),
    ];
    insta::assert_snapshot!(all(
        table.map(|(title, guest)| (title.to_owned(), guest.component()))
    ));
}

#[test]
fn imports_and_other_worlds() {
    let import = Guest {
        imports: r#"(import "$root" "now" (func $now (result i64)))"#.into(),
        wit: (
            "world clocked { import now: func() -> u64; export api; }".into(),
            "clocked",
        ),
        ..Guest::default()
    };
    let wasi = Guest {
        imports: r#"(import "switchover:plugin/files@0.1.0" "read" (func $read (result i32)))"#
            .into(),
        wit: (
            "interface files { read: func() -> u32; }
             world reading { import files; export api; }"
                .into(),
            "reading",
        ),
        ..Guest::default()
    };
    let other = "package switchover:plugin@0.1.0;
         interface api { describe: func() -> u32; }
         world plugin { export api; }";
    let typed = r#"(module (func (export "switchover:plugin/api@0.1.0#describe") (result i32) (i32.const 1)))"#;
    let component = |text: &str| wat::parse_str(text).unwrap();
    insta::assert_snapshot!(all([
        ("a function".to_owned(), import.component()),
        ("an interface".to_owned(), wasi.component()),
        (
            "a function among the types".to_owned(),
            component(
                r#"(component (import "switchover:plugin/types@0.1.0" (instance (export "f" (func)))))"#
            ),
        ),
        (
            "several".to_owned(),
            component(
                r#"(component
                    (import "wasi:cli/environment@0.2.0" (instance))
                    (import "wasi:sockets/tcp@0.2.0" (instance (export "connect" (func)))))"#,
            ),
        ),
        ("no exports".to_owned(), component("(component)")),
        (
            "exports of other types".to_owned(),
            componentize(typed, other, "plugin")
        ),
        ("a core module".to_owned(), component("(module)")),
        ("text".to_owned(), b"#!/bin/sh\n".to_vec()),
        ("nothing".to_owned(), Vec::new()),
    ]));
}

const ERROR: u8 = 0;
const WARNING: u8 = 1;
const NOTE: u8 = 2;

/// Declares a warning that `check` raises and one that `examine` does.
fn declaring(checked: Vec<Raised>, examined: Vec<Raised>) -> Guest {
    let kind = |code: &str, name: &str, basis| Kind {
        code: code.into(),
        name: name.into(),
        severity: WARNING,
        basis,
        summary: "it is so".into(),
        explanation: "To fix it, wait.".into(),
    };
    Guest {
        kinds: vec![
            kind("GUEST001", "offline", 0),
            kind("GUEST101", "online", 1),
        ],
        checked,
        examined,
        ..Guest::default()
    }
}

#[test]
fn findings_that_the_manifest_does_not_declare() {
    let table: [(&str, Vec<Raised>, Vec<Raised>); 9] = [
        (
            "another code",
            vec![("GUEST002", "offline", WARNING)],
            vec![],
        ),
        ("no code", vec![("", "", NOTE)], vec![]),
        ("one of ours", vec![("SW001", "syntax", ERROR)], vec![]),
        (
            "in lower case",
            vec![("guest001", "offline", WARNING)],
            vec![],
        ),
        (
            "another name",
            vec![("GUEST001", "off\u{1b}line", WARNING)],
            vec![],
        ),
        ("graver", vec![("GUEST001", "offline", ERROR)], vec![]),
        (
            "without asking",
            vec![("GUEST101", "online", WARNING)],
            vec![],
        ),
        (
            "after asking",
            vec![],
            vec![("GUEST001", "offline", WARNING)],
        ),
        (
            "the second of two",
            vec![],
            vec![
                ("GUEST101", "online", WARNING),
                ("GUEST102", "online", WARNING),
            ],
        ),
    ];
    insta::assert_snapshot!(all(table.map(|(title, checked, examined)| {
        (title.to_owned(), declaring(checked, examined).component())
    })));
}

#[test]
fn findings_that_the_manifest_declares() {
    let checked = vec![
        ("GUEST001", "offline", WARNING),
        ("GUEST001", "offline", NOTE),
    ];
    let examined = vec![("GUEST101", "online", NOTE)];
    let plugin = declaring(checked, examined).load(&strict_host()).unwrap();
    let mut session = plugin.start().unwrap();
    run(&mut session).unwrap();
    let found = session
        .check(&crate::guest::view(), &crate::guest::target())
        .unwrap();
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["GUEST001", "GUEST001"]);
}

#[test]
fn an_ended_session_stays_ended_and_others_go_on() {
    let host = strict_host();
    let plugin = Guest {
        check: TRAP.into(),
        more: OOPS.into(),
        ..Guest::default()
    }
    .load(&host)
    .unwrap();
    let mut session = plugin.start().unwrap();
    assert!(matches!(
        run(&mut session).unwrap_err().problem(),
        Problem::Trap { .. }
    ));
    assert_eq!(*run(&mut session).unwrap_err().problem(), Problem::Ended);
    assert_alive(&host);
    // Another session of the same plugin is a new instance.
    let mut second = plugin.start().unwrap();
    assert!(matches!(
        run(&mut second).unwrap_err().problem(),
        Problem::Trap { .. }
    ));
}

#[test]
fn a_failure_of_its_own_does_not_end_a_session() {
    let host = strict_host();
    let failing = format!("(i32.store8 (i32.const {ZEROS}) (i32.const 1)) (i32.const {ZEROS})");
    let plugin = Guest {
        desired: failing,
        ..Guest::default()
    }
    .load(&host)
    .unwrap();
    let mut session = plugin.start().unwrap();
    for _ in 0..2 {
        let error = session
            .desired(&crate::guest::view(), &crate::guest::target())
            .unwrap_err();
        assert!(
            matches!(error.problem(), Problem::Failure { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_component_that_is_too_large_is_not_even_read() {
    use switchover_plugin_host::{Host, HostConfig, Limits};
    let limits = Limits {
        component: 100,
        ..Limits::default()
    };
    let host = Host::new(HostConfig {
        cache: None,
        limits,
    })
    .unwrap();
    let error = Guest::default().load(&host).unwrap_err();
    assert!(
        matches!(error.problem(), Problem::TooLarge { limit: 100, .. }),
        "{error}"
    );
}

#[test]
fn one_looping_guest_does_not_hold_up_another() {
    let host = strict_host();
    let looping = Guest {
        check: LOOP.into(),
        ..Guest::default()
    }
    .load(&host)
    .unwrap();
    std::thread::scope(|scope| {
        let stuck = scope.spawn(|| run(&mut looping.start().unwrap()).unwrap_err());
        for _ in 0..20 {
            assert_alive(&host);
        }
        assert!(matches!(
            stuck.join().unwrap().problem(),
            Problem::Deadline(_)
        ));
    });
}
