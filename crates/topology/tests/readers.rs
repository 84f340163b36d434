//! The fast reader of plain nodes against the KDL parser, which is right.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use switchover_topology::{false_alarm, readers_disagree};

use crate::support::{codes, read};

fn check(text: &str) -> Result<(), TestCaseError> {
    // What the parser accepts has no mistake.
    if let Some(alarm) = false_alarm(text) {
        return Err(TestCaseError::fail(format!("{text:?}\n{alarm}")));
    }
    match readers_disagree(text) {
        Some(difference) => Err(TestCaseError::fail(format!("{text:?}\n{difference}"))),
        None => Ok(()),
    }
}

fn kdl_files(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            kdl_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "kdl") {
            found.extend(fs::read_to_string(path));
        }
    }
}

/// Every document of the project's tests.
fn documents() -> Vec<String> {
    let mut found = Vec::new();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["tests", "../rules/tests", "../../examples"] {
        kdl_files(&here.join(folder), &mut found);
    }
    assert!(found.len() > 10);
    found
}

#[test]
fn they_agree_on_every_example() {
    for text in documents() {
        for text in [text.replace('\n', "\r\n"), text] {
            assert_eq!(readers_disagree(&text), None, "{text}");
            assert_eq!(false_alarm(&text), None, "{text}");
        }
    }
}

#[test]
fn they_agree_where_kdl_is_odd() {
    let values = [
        "1",
        "-1",
        "+1",
        "007",
        "-0",
        "1_000",
        "0x1f",
        "0b1",
        "0o7",
        "1.5",
        "1e3",
        "-",
        "+",
        "-a",
        "+a",
        ".a",
        ".1",
        "-.1",
        "--",
        "a.b",
        "a:b",
        "a-",
        "123456789012345678",
        "1234567890123456789",
        "99999999999999999999999999",
        "-123456789012345678901234567890123456789012345678901234567890",
        "#true",
        "#false",
        "#null",
        "#nan",
        "#inf",
        "#-inf",
        "#tru",
        "#truex",
        "#true#",
        "true",
        "false",
        "null",
        "inf",
        "-inf",
        "nan",
        "truex",
        "(t)1",
        "(t) 1",
        "( t )1",
        "(t)",
        "()1",
        "(\"t\")x",
        "(true)1",
        "(t)#true",
        "(secret)\"env:A\"",
        "\"\"",
        "\"\"\"",
        "\"a\"b",
        "\"a\\nb\"",
        "\"\\u{e9}\"",
        "\"a\\   b\"",
        "\"ä\"",
        "\"\u{a0}\"",
        "\"\u{2028}\"",
        "\"\u{200e}\"",
        "\"\u{feff}\"",
        "\"\u{7f}\"",
        "\"\t\"",
        "\"a",
        "#\"a\"#",
        "##\"a\"#\"##",
        "\"\"\"\n a\n \"\"\"",
        "ä",
        "a\u{a0}b",
        "a\u{2028}b",
        "[a]",
        "a,b",
        "@a",
        "a@b",
        "/a",
        "\\",
        "a\\",
        "=",
        "a=b",
        "\"a\"=b",
        "(t)a=b",
        "a=(t)b",
        "a= b",
        "a =b",
        "\"a\" =b",
        "a = b",
        "a=b=c",
        "a=1 =c",
        "a=",
        "a==b",
        "1=b",
        "#true=b",
    ];
    let frames = [
        "n V",
        "n V\n",
        "n V;",
        "n V; m",
        "n V V",
        "n V // c",
        "n V//c",
        "n V/* c */",
        "n /* c */ V",
        "n /-V",
        "n /-V V",
        "n V /-V",
        "n V \\\n V",
        "n\tV",
        "n  V  ",
        "n{V}",
        "n {V}",
        "n { V }",
        "n { V; }",
        "n { V;; }",
        "n { V\n}",
        "n { a V }",
        "n { a V } // c",
        "n { a V }; m",
        "n { a V } V",
        "n V {}",
        "n V{}",
        "n V { } ",
        "n V /-{ a }",
        "n V /-{ a } { b }",
        "n V { b } /-{ a }",
        "n V { a { b V } }\n",
        "n V { // c\n a V // d\n}\n",
        "V",
        "V V",
        "V { V }",
        "(t)n V",
        "/-n V",
        "n k=V",
        "n k=V V",
        "n V k=V",
        "n k=V k=V { a k=V }",
        "n k=V}",
        "} n V",
        "n V\r\n",
        "n V\r",
        "n { a V\r\n b V\r }",
        "\u{feff}n V",
        "n {\n;a V\n}",
        "n { a V } }",
        "n { a V",
        "n (",
        "n V)",
        "n \"V\"",
        "n V // \u{2028} m",
        "n V // ä\u{85}m",
        "n V \u{2028} m",
        "n V \u{3000} x",
        "n { a V // c }\n}",
    ];
    let mut alarms = Vec::new();
    for value in values {
        for frame in frames {
            let text = frame.replace('V', value);
            assert_eq!(readers_disagree(&text), None, "{text:?}");
            alarms.extend(false_alarm(&text).map(|alarm| format!("{text:?} {alarm}")));
        }
    }
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

#[test]
fn what_nests_deep_is_left_to_the_parser() {
    for depth in [1, 15, 16, 17, 63, 64, 65, 300] {
        let text = format!("{}a 1{}\nb 2\n", "n { ".repeat(depth), " }".repeat(depth));
        assert_eq!(readers_disagree(&text), None, "{depth}");
        let tight = format!("{}{}\n", "n {".repeat(depth), "}".repeat(depth));
        assert_eq!(readers_disagree(&tight), None, "{depth}");
    }
    // More than any topology has, and more than a stack bears.
    let loaded = read(&"n {".repeat(100_000));
    assert_eq!(codes(&loaded), ["SW001"]);
    let loaded = read(&format!("{}{}", "n {\n".repeat(400), "}\n".repeat(400)));
    assert_eq!(codes(&loaded), ["SW001"]);
    let loaded = read(&"/*".repeat(100_000));
    assert_eq!(codes(&loaded), ["SW001"]);
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z][a-z0-9.-]{0,6}",
        1 => "[-+._]{0,2}[a-z0-9]{0,3}",
        1 => prop::sample::select(vec!["true", "false", "null", "inf", "nan", "_", "a=b", "é", "@", "a:b"])
            .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[ -!#-\\[\\]-~]{0,24}".prop_map(|text| format!("\"{text}\"")),
        1 => "\\PC{0,8}".prop_map(|text| format!("\"{text}\"")),
        1 => "([a-z]|\\\\[\\\\\"bfnrtsu ]|\\\\u\\{[0-9a-f]{1,5}\\}|[ \t\r\n]){0,6}".prop_map(|text| format!("\"{text}\"")),
        1 => "[a-z\"#\n ]{0,6}".prop_map(|text| format!("#\"{text}\"#")),
        3 => "-?[0-9]{1,20}",
        1 => "[-+]?[0-9][0-9_.exob]{0,5}",
        2 => prop::sample::select(vec!["#true", "#false", "#null", "#nan", "#-inf", "#x"]).prop_map(str::to_owned),
        3 => word(),
        1 => (word(), word()).prop_map(|(kind, text)| format!("({kind}){text}")),
        1 => word().prop_map(|text| format!("(secret)\"env:{text}\"")),
    ]
}

fn blank() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => Just(" ".to_owned()),
        2 => Just("\t ".to_owned()),
        1 => Just(String::new()),
        1 => prop::sample::select(vec![" /* c */ ", " \\\n", " /-", "\u{a0}", " /*{*/", "\u{3000}"]).prop_map(str::to_owned),
    ]
}

fn end() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => Just("\n".to_owned()),
        3 => Just("\r\n".to_owned()),
        3 => Just(";".to_owned()),
        2 => " ?// ?[ -~é–]{0,8}\n",
        1 => prop::sample::select(vec!["", "\r", " ;; ", "\u{85}", "\u{2028}", " // \u{2029}", "\n\n"])
            .prop_map(str::to_owned),
    ]
}

fn entry() -> impl Strategy<Value = String> {
    prop_oneof![
        (blank(), value()).prop_map(|(blank, value)| format!("{blank}{value}")),
        (blank(), word(), value()).prop_map(|(blank, key, value)| format!("{blank}{key}={value}")),
        (blank(), value(), blank(), value())
            .prop_map(|(a, key, b, value)| format!("{a}{key}{b}={value}")),
    ]
}

fn node() -> impl Strategy<Value = String> {
    let name = prop_oneof![6 => word().boxed(), 1 => value().boxed()];
    let leaf = (name, prop::collection::vec(entry(), 0..4))
        .prop_map(|(name, entries)| name + &entries.concat());
    leaf.prop_recursive(3, 16, 4, |inner| {
        let block = prop::collection::vec((blank(), inner.clone(), end()), 0..4);
        (inner, blank(), block, blank()).prop_map(|(node, before, block, after)| {
            let block: String = block
                .into_iter()
                .map(|(blank, node, end)| blank + &node + &end)
                .collect();
            format!("{node}{before}{{{block}{after}}}")
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn they_agree_on_what_looks_like_kdl(nodes in prop::collection::vec((node(), end()), 1..5)) {
        let text: String = nodes.into_iter().map(|(node, end)| node + &end).collect();
        check(&text)?;
    }

    #[test]
    fn they_agree_on_damaged_examples(
        which in any::<prop::sample::Index>(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4, "[\"{}=;#/\\\\*() \n\r\ta-z0-9é\u{2028}-]{0,3}"), 1..5),
    ) {
        let documents = documents();
        let mut letters: Vec<char> = documents[which.index(documents.len())].chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(letters.len());
            let end = (at + length).min(letters.len());
            letters.splice(at..end, insert.chars());
        }
        check(&letters.into_iter().collect::<String>())?;
    }
}

#[test]
fn large_files_are_read_in_parts_and_in_order() {
    // Long enough for several threads, and with a line that the fast reader leaves to the parser here and there.
    let mut text = String::from("site \"hq\" mode=\"hot-standby\"\n");
    for number in 0..6_000 {
        let odd = if number % 97 == 0 { " /* odd */" } else { "" };
        text += &format!("device \"device-{number:05}\" model=\"WP480\" year=2017{odd}\n");
    }
    text += "devise \"last\"\n";
    assert!(text.len() > 256 * 1024);
    let loaded = read(&text);
    assert_eq!(codes(&loaded), ["SW002"]);
    assert_eq!(loaded.topology.devices.len(), 6_000);
    assert!(
        loaded
            .topology
            .devices
            .is_sorted_by_key(|device| device.name.value.clone())
    );
    assert!(
        loaded
            .topology
            .devices
            .is_sorted_by_key(|device| device.span)
    );
}

#[test]
fn what_has_no_end_is_not_parsed() {
    // A node of which nobody can say where it ends.
    let long = format!("n {{\n{}}}\nm", "a 1\n".repeat(300_000));
    let loaded = read(&long);
    assert_eq!(codes(&loaded), ["SW001", "SW002"]);
}
