//! How files are laid out.

use proptest::prelude::*;
use switchover_topology::{format, format_text, to_json};

use crate::support::{fixture, folder, read};

fn formatted(text: &str) -> String {
    format_text("test.kdl", text.to_owned())
        .unwrap_or_else(|refused| panic!("{:?}\n{text}", refused.diagnostics))
        .after
}

/// Comments of a text, without the blanks around them, sorted. Good enough where no string holds `//`.
fn comments(text: &str) -> Vec<String> {
    let mut found: Vec<String> = text
        .lines()
        .filter_map(|line| Some(line.split_once("// ")?.1.trim().to_owned()))
        .collect();
    found.sort();
    found
}

#[test]
fn a_file_in_disorder() {
    let text = "\u{feff}\n\n\n// first\n   // second\n\n\n\nsite \"hq\"   mode = \"hot-standby\"{ uses \"blf\"  \"kite\" ; description  \"x\" } // behind\n\
        pbx \"p\" role=\"main\" hostname=\"p.example\" address=\"10.0.0.1\" wms=\"3.86\" platform=\"vm\" // the only one\n\
        device \"d\" model=\"WP480\" mac=\"9c:75:14:00:01:01\" firmware=\"2.8.22\" year=2017 address=\"10.0.0.2\"\n\
        device \"wide\" model=\"WP480\" mac=\"9c:75:14:00:01:01\" firmware=\"2.8.22\" year=2017 address=\"10.0.0.2\" transport=\"udp\" port=5060\n\
        /- device \"off\" {\n  model    \"W\"\n}\n\n\n\
        /* one */ trunk \"t\" /* odd */ direction=\"incoming\"   provider=\"h\"\n\
        target \"t\"    plugin=\"kea\" { endpoint   \"http://h/\"   // where\n\n\n\n      // its own line\n  auth \"bearer\" \\\n     token=(secret)\"env:A\"\n\n // last\n\n}\n\
        network \"n\" subnet=\"10.0.0.0/24\" /-vlan=5 {\n}\n\
        dns \"z\" {\n    // only a comment\n}\n\
        dhcp \"e\" {}\n\
        call-group \"g\" { member \"1\";member \"2\" /* two */ ; } /-{ on \"p\" }\n\
        trunk \"s\" { description \"\"\"\n   more\n     lines\n   \"\"\" ; provider #\"raw\"# }\n\n// end\n\n\n";
    let once = formatted(text);
    insta::assert_snapshot!("disorder", once);
    assert_eq!(formatted(&once), once);
}

#[test]
fn the_examples_keep_their_look() {
    for name in ["whole.kdl", "SW003-good.kdl", "SW009-good.kdl"] {
        let text = std::fs::read_to_string(fixture(name)).unwrap();
        let once = formatted(&text);
        assert_eq!(formatted(&once), once, "{name}");
        assert_eq!(comments(&once), comments(&text), "{name}");
        assert_eq!(
            to_json(&read(&once).topology),
            to_json(&read(&text).topology),
            "{name}"
        );
    }
    let whole = std::fs::read_to_string(fixture("whole.kdl")).unwrap();
    insta::assert_snapshot!("whole-formatted", formatted(&whole));
}

#[test]
fn ends_of_lines_stay_what_they_are() {
    let unix = "site \"hq\" {\n  mode \"hot-standby\" // x\n}\n";
    let windows = unix.replace('\n', "\r\n");
    assert_eq!(formatted(&windows), formatted(unix).replace('\n', "\r\n"));
    let once = formatted(&windows);
    assert_eq!(formatted(&once), once);
}

#[test]
fn what_a_continued_line_comments_out_stays_behind_its_node() {
    for text in [
        "x \\ // c\n/-{ a };\n",
        "x \\ // c\n/- 1\ny\n",
        "x \\ /* c */\n/-{ a }\n",
    ] {
        let once = formatted(text);
        assert_eq!(formatted(&once), once);
        assert!(once.contains("\n/-"), "{once}");
    }
}

#[test]
fn a_file_with_errors_is_refused_with_all_of_them() {
    let refused = format_text(
        "test.kdl",
        "site \"hq\nok\npbx \"p\" {\nsecret \"hunter2\n".to_owned(),
    )
    .unwrap_err();
    assert!(refused.diagnostics.len() > 1, "{:?}", refused.diagnostics);
    assert!(
        refused
            .diagnostics
            .iter()
            .all(|found| found.code == "SW001")
    );
    let folder = folder(&[("a.kdl", "a   1")]);
    assert_eq!(format(&folder.path().join("a.kdl")).unwrap().after, "a 1\n");
    for path in [folder.path().join("none.kdl"), folder.path().to_owned()] {
        let refused = format(&path).unwrap_err();
        assert_eq!(refused.diagnostics[0].code, "SW006");
    }
}

/// Parts of files that say something, or nearly.
fn piece() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "site \"hq\" mode=\"hot-standby\"",
        "device \"d\" model=\"W\" year=2017 port=1 transport=\"udp\" address=\"10.0.0.1\"",
        "pbx \"p\" role=\"main\" wms=\"3.86\" hostname=\"h\" address=\"10.0.0.1\" platform=\"vm\"",
        "pbx \"p\" role=\"main\" role=\"main\" wms=\"3.86\" hostname=\"h\"",
        "defaults \"device\" model=\"W\" year=2017 port=1 transport=\"udp\"",
        "dhcp \"d\" {",
        "target \"t\" plugin=\"p\" a=1 b=(secret)\"env:X\" c=#true {",
        "server \"s\" address=\"10.0.0.1\"",
        "uses \"blf\" \"kite\"",
        "x \"a\" {} ",
        "}",
        "{",
        ";",
        "\n",
        "\n\n\n",
        "\r\n",
        "\u{85}",
        " ",
        "    ",
        "\t",
        "\\\n",
        "\\ // c\n",
        "// comment\n",
        " // comment {\n",
        "/* comment */",
        "/* a\n b */",
        "/* /* nested */ } */",
        "/-",
        "/- x",
        "/-{ a }",
        "\"\"\"\n  many\n    lines\n  \"\"\"",
        "#\"raw // \"#",
        "k = 1",
        "(t)x",
        "\"quoted\" \"na me\"=1",
    ])
    .prop_map(str::to_owned)
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let Ok(once) = format_text("test.kdl", text.to_owned()) else {
        return Ok(());
    };
    let again = format_text("test.kdl", once.after.clone());
    let again = again.map_err(|refused| {
        TestCaseError::fail(format!(
            "{text:?}\n{:?}\n{:?}",
            once.after, refused.diagnostics
        ))
    })?;
    prop_assert_eq!(&again.after, &once.after, "{:?}", text);
    let (before, after) = (read(text), read(&once.after));
    prop_assert_eq!(to_json(&before.topology), to_json(&after.topology));
    let messages = |loaded: &switchover_topology::Loaded| {
        let mut messages: Vec<_> = loaded
            .diagnostics
            .iter()
            // A finding says `property` of a property, `property or child` of a child.
            .map(|found| (found.code.clone(), found.message.replace(" or child", "")))
            .collect();
        messages.sort();
        messages
    };
    prop_assert_eq!(
        messages(&before),
        messages(&after),
        "{:?}\n{:?}",
        text,
        once.after
    );
    prop_assert_eq!(
        text.matches("comment").count(),
        once.after.matches("comment").count(),
        "{:?}\n{:?}",
        text,
        once.after
    );
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2048) })]

    #[test]
    fn laying_out_twice_is_laying_out_once_and_means_the_same(pieces in prop::collection::vec(piece(), 0..16)) {
        check(&pieces.concat())?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_damaged_example_too(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..3, "(//|/\\*|\\*/|/-|[{};\n #\"]){0,2}"), 1..4),
    ) {
        let whole = std::fs::read_to_string(fixture("whole.kdl")).unwrap();
        let mut letters: Vec<char> = whole.chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(letters.len());
            let end = (at + length).min(letters.len());
            letters.splice(at..end, insert.chars());
        }
        let text: String = letters.into_iter().collect();
        // What is said about includes and parts of comments may differ; layout and meaning may not.
        check(&text)?;
    }
}
