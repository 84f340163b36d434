//! What people write that is not KDL, and what they are told.

use std::fmt::Write;

use crate::support::{codes, plain, read};

/// What is wrong, and how it looks in a file. `site` stands above it.
const MISTAKES: &[(&str, &str)] = &[
    // Values without quotes.
    (
        "an address",
        "network \"voice\" {\n    subnet \"10.20.30.0/24\"\n    gateway 10.20.30.1\n}",
    ),
    (
        "two addresses",
        "network \"voice\" {\n    pool 10.20.30.100 10.20.30.220\n}",
    ),
    ("a subnet", "network \"voice\" subnet=10.20.30.0/24"),
    ("an IPv6 address", "network \"voice\" gateway=2001:db8::1"),
    (
        "a hardware address",
        "device \"d\" model=\"WP480\" mac=9c:75:14:00:01:01",
    ),
    (
        "a hardware address with hyphens",
        "device \"d\" model=\"WP480\" mac=9c-75-14-00-01-01",
    ),
    ("a duration", "dns \"acme.example\" {\n    ttl 60s\n}"),
    ("a version", "pbx \"pbx1\" wms=3.86.30011"),
    ("a date", "site2 until=2027-03-31"),
    ("a URL", "provisioning \"p\" url=https://prov.acme.example/"),
    (
        "a URL as a child",
        "provisioning \"p\" {\n    url http://prov.acme.example/\n}",
    ),
    (
        "a path",
        "target \"t\" plugin=\"provisioning\" root=/srv/provisioning",
    ),
    (
        "a Windows path",
        "target \"t\" plugin=\"provisioning\" root=C:\\srv\\phones",
    ),
    (
        "a percentage",
        "target \"t\" plugin=\"kea\" {\n    large-change percent=80%\n}",
    ),
    ("a parameter", "network \"voice\" gateway=10.${octet}.30.1"),
    ("a pattern of files", "include devices/*.kdl"),
    (
        "addresses with commas",
        "network \"voice\" {\n    dns 10.20.0.53,10.20.0.54\n}",
    ),
    ("an unfinished number", "network \"voice\" vlan=130."),
    // Punctuation of other languages.
    (
        "a comma",
        "network \"voice\" {\n    dns \"10.20.0.53\", \"10.20.0.54\"\n}",
    ),
    (
        "commas between properties",
        "user \"101\" name=\"Reception\", pbx=\"pbx1\",",
    ),
    (
        "a comma behind a word",
        "user \"101\" name=Reception, pbx=pbx1",
    ),
    (
        "a comma behind a block",
        "network \"voice\" {\n    pool \"10.20.30.100\" \"10.20.30.220\"\n},\n",
    ),
    (
        "an assignment",
        "network \"voice\" {\n    gateway = \"10.20.30.1\"\n    vlan= 130\n}",
    ),
    (
        "an assignment without quotes",
        "network \"voice\" {\n    gateway = 10.20.30.1\n}",
    ),
    (
        "a block behind `=`",
        "pbx \"pbx1\" {\n    platform = {\n    }\n}",
    ),
    (
        "an arrow",
        "network \"voice\" {\n    gateway => \"10.20.30.1\"\n}",
    ),
    ("an arrow in a property", "user \"101\" name=>\"Reception\""),
    ("two equals signs", "user \"101\" name==\"Reception\""),
    ("a property without a value", "network \"voice\" vlan="),
    (
        "a child without a value",
        "network \"voice\" {\n    vlan =\n    gateway \"10.20.30.1\"\n}",
    ),
    (
        "YAML",
        "network \"voice\":\n    gateway: \"10.20.30.1\"\n    vlan: 130\n",
    ),
    (
        "a colon without a blank",
        "network \"voice\" {\n    gateway:10.20.30.1\n    vlan:130\n}",
    ),
    (
        "a colon in a line of properties",
        "user \"101\" name: \"Reception\" pbx: \"pbx1\"",
    ),
    (
        "a list of YAML",
        "network \"voice\" {\n    dns:\n      - \"10.20.0.53\"\n}",
    ),
    (
        "JSON in a block",
        "network \"voice\" {\n    \"gateway\": \"10.20.30.1\",\n    \"vlan\": 130\n}",
    ),
    (
        "a list in brackets",
        "network \"voice\" {\n    dns [\"10.20.0.53\", \"10.20.0.54\"]\n}",
    ),
    (
        "a list of HCL",
        "network \"voice\" {\n    dns = [\n        \"10.20.0.53\",\n        \"10.20.0.54\",\n    ]\n}",
    ),
    (
        "a list in parentheses",
        "network \"voice\" {\n    dns (\"10.20.0.53\" \"10.20.0.54\")\n}",
    ),
    (
        "HCL",
        "pbx \"pbx1\" {\n    role = \"main\"\n    hostname = \"pbx1.acme.example\"\n}",
    ),
    ("INI", "[network]\ngateway = 10.20.30.1\n"),
    ("TOML", "[[network]]\nname = \"voice\"\n"),
    (
        "a merge conflict",
        "<<<<<<< HEAD\nuser \"101\" name=\"Reception\" pbx=\"pbx1\"\n=======\nuser \"101\" name=\"Front desk\" pbx=\"pbx1\"\n>>>>>>> origin/main\n",
    ),
    (
        "a fence of Markdown",
        "```kdl\nuser \"101\" name=\"Reception\" pbx=\"pbx1\"\n```",
    ),
    (
        "HTML",
        "<p>Our phones:</p>\nuser \"101\" name=\"Reception\" pbx=\"pbx1\"\n<br>",
    ),
    // Comments.
    (
        "a comment with a hash",
        "# the voice network\nnetwork \"voice\" vlan=130 # by the door",
    ),
    ("a comment with a hash and no blank", "#network \"voice\""),
    (
        "a comment with a semicolon",
        "; the phones in the hall\ndevice \"d\" model=\"WP480\"\n",
    ),
    (
        "a comment with a semicolon in a block",
        "network \"voice\" {\n    ; by the door\n    vlan 130 ; as the switch has it\n}",
    ),
    (
        "a comment with two hyphens",
        "-- the phones in the hall\nnetwork \"voice\" {\n    vlan 130 -- as the switch has it\n}",
    ),
    (
        "an unclosed comment",
        "/* the phones\nuser \"101\" name=\"Reception\" pbx=\"pbx1\"\n",
    ),
    (
        "the end of a comment",
        "user \"101\" name=\"Reception\" pbx=\"pbx1\" */",
    ),
    // Quotes.
    ("curly quotes", "user \"101\" name=“Front desk” pbx=“pbx1”"),
    ("German quotes", "user \"101\" name=„Empfang“ pbx=\"pbx1\""),
    ("angle quotes", "user \"101\" name=«Accueil» pbx=\"pbx1\""),
    ("mixed quotes", "user \"101\" name=\"Front desk”"),
    ("single quotes", "user '101' name='Front desk' pbx='pbx1'"),
    ("backticks", "user `101` name=`Reception`"),
    (
        "an unclosed quote before a property",
        "pbx \"pbx1 role=\"main\" {\n    hostname \"pbx1.acme.example\"\n}",
    ),
    (
        "an unclosed quote at the end",
        "network \"voice\" {\n    gateway \"10.20.30.1\n    vlan 130\n}",
    ),
    (
        "an unclosed quote before a block",
        "network \"voice {\n    vlan 130\n}",
    ),
    (
        "an unopened quote",
        "user \"101\" name=Front desk\" pbx=\"pbx1\"",
    ),
    (
        "an unopened quote in a child",
        "network \"voice\" {\n    gateway 10.20.30.1\"\n}",
    ),
    ("doubled quotes", "user \"101\" name=\"\"Reception\"\""),
    (
        "no blank between strings",
        "network \"voice\" {\n    dns \"10.20.0.53\"\"10.20.0.54\"\n}",
    ),
    ("no blank before a string", "user\"101\" name\"Reception\""),
    (
        "no blank before a property",
        "user \"101\"name=\"Reception\"",
    ),
    (
        "a string of two lines",
        "site2 {\n    description \"Acme,\n    Udine\"\n}",
    ),
    (
        "three quotes in one line",
        "site2 {\n    description \"\"\"Acme, Udine\"\"\"\n}",
    ),
    (
        "three quotes that never end",
        "site2 {\n    description \"\"\"\n    Acme\n}",
    ),
    (
        "a raw string that never ends",
        "target \"t\" root=#\"C:\\srv\"",
    ),
    (
        "a backslash in a string",
        "target \"t\" root=\"C:\\provisioning\\phones\"",
    ),
    (
        "a backslash in the middle of a line",
        "network \"voice\" \\ vlan=130",
    ),
    // KDL 1.
    ("KDL 1 words", "site2 require-tls=true {\n    state null\n}"),
    (
        "KDL 1 raw strings",
        "target \"t\" root=r\"C:\\srv\" ca=r#\"a\"b\"#",
    ),
    ("a word in capitals", "site2 require-tls=#True"),
    // Braces.
    (
        "an unclosed brace",
        "network \"voice\" {\n    pool \"10.20.30.100\" \"10.20.30.220\"\n\ndhcp \"d\" {\n    lease \"8h\"\n}\n",
    ),
    (
        "an unclosed brace inside",
        "pbx \"pbx1\" {\n    platform \"vm\" {\n        cores 2\n    role \"main\"\n}\npbx \"pbx2\" {\n    role \"failover\"\n}\n",
    ),
    (
        "an unclosed brace at the end",
        "network \"voice\" {\n    vlan 130\n",
    ),
    (
        "a brace too many",
        "network \"voice\" {\n    vlan 130\n}\n}\n",
    ),
    (
        "a brace too many inside",
        "network \"voice\" {\n    vlan 130\n    }\n    gateway \"10.20.30.1\"\n}\n",
    ),
    (
        "a brace in a line of its own",
        "network \"voice\" vlan=130\n{\n    gateway \"10.20.30.1\"\n}",
    ),
    (
        "a brace in a line of its own, inside",
        "pbx \"pbx1\" {\n    platform \"vm\"\n    {\n        cores 2\n    }\n}",
    ),
    (
        "a node behind a block",
        "network \"voice\" { vlan 130; } device \"d\" model=\"WP480\"",
    ),
    ("two semicolons", "network \"voice\" { vlan 130;; }"),
    // What cannot be seen.
    (
        "a blank of no width",
        "network \"voice\" {\n    gateway\u{200b} \"10.20.30.1\"\n}",
    ),
    (
        "a byte order mark in the middle",
        "\u{feff}user \"101\" name=\"Reception\" pbx=\"pbx1\"",
    ),
    (
        "a mark of direction in a string",
        "user \"101\" name=\"\u{200e}Reception\"",
    ),
    ("full-width punctuation", "user \"101\" name＝\"Reception\""),
    // Several at once, each said once.
    (
        "several",
        "network \"voice\" {\n    gateway 10.20.30.1 # the router\n    dns \"10.20.0.53\", 10.20.0.54\n    role = “main”\n}\nuser \"102\" name=\"Sales pbx=\"pbx1\"\nuser \"103\" nmae=\"Stock\" pbx=\"pbx1\"",
    ),
    ("a number for a name", "101 name=\"Reception\""),
    (
        "a secret in what is wrong",
        "target \"t\" plugin=\"kea\" {\n    auth \"basic\", user=\"kea\" password=\"hunter2\"\n    token: hunter2\n    sip-password = 'hunter2'\n}",
    ),
];

#[test]
fn each_mistake_is_named_once() {
    let mut shown = String::new();
    for (what, text) in MISTAKES {
        let loaded = read(&format!("site \"hq\" mode=\"hot-standby\"\n{text}"));
        writeln!(shown, "== {what}").unwrap();
        for line in text.lines() {
            writeln!(shown, "    {line}").unwrap();
        }
        let told = plain(&loaded);
        assert!(!told.is_empty(), "{what}: {text}");
        shown += &told.replace("test.kdl:", "");
        shown += "\n";
        let sources: String = loaded
            .sources
            .files()
            .map(|file| file.text.as_str())
            .collect();
        assert!(
            !sources.contains("hunter2") && !told.contains("hunter2"),
            "{what}: {told}"
        );
    }
    insta::assert_snapshot!("mistakes", shown);
}

#[test]
fn a_file_of_another_language_is_one_mistake() {
    for text in [
        "{\n  \"site\": { \"name\": \"hq\" },\n  \"pbx\": []\n}\n",
        "[\n  { \"name\": \"hq\" }\n]",
        "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n",
        "<?xml version=\"1.0\"?>\n<site name=\"hq\"/>\n",
    ] {
        let loaded = read(text);
        assert_eq!(codes(&loaded), ["SW001"], "{}", plain(&loaded));
    }
}

#[test]
fn no_more_mistakes_are_shown_than_anybody_reads() {
    let loaded = read(&"gateway 10.20.30.1\n".repeat(52));
    assert_eq!(loaded.diagnostics.len(), 51);
    let told = plain(&loaded);
    assert!(
        told.contains("2 more mistakes are not shown; this is the first of them"),
        "{told}"
    );
    assert_eq!(
        plain(&read(&"gateway 10.20.30.1\n".repeat(51)))
            .matches("1 more mistake is not shown")
            .count(),
        1
    );
}

/// What would take for ever if looking for one mistake meant looking through all of the text.
#[test]
fn a_long_text_of_mistakes_is_read() {
    const LONG: usize = 48 * 1024;
    for (before, pattern) in [
        ("", "gateway 10.20.30.1\n"),
        ("site \"hq\" {\n", "gateway 10.20.30.1\n"),
        ("a ", "\"b\", "),
        ("a ", "“b "),
        ("a ", "'b' "),
        ("", "a \"b\n"),
        ("", "/*\n"),
        ("", "/* /* */\n"),
        ("", "{"),
        ("", "}\n"),
        ("", "  }\n"),
        ("", "=======\n"),
        ("", "<<<<<<<\n=======\n"),
        ("", "[a\n"),
        ("a ", "["),
        ("a ", "("),
        ("a ", "\"\"b"),
        ("a ", "\\"),
        ("a ", "password=x "),
        ("", "; a b\n"),
        ("a b ", "-- c "),
        ("", "`\n"),
        ("", "<a>\n"),
        ("a ", "#"),
        ("", "a \"\"\"\n"),
    ] {
        let text = before.to_owned() + &pattern.repeat(LONG / pattern.len());
        let loaded = read(&text);
        assert!(!loaded.diagnostics.is_empty(), "{pattern}");
    }
}
