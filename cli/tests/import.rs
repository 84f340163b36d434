//! `import` without a server: spreadsheets, and what is refused before anything is read.

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

const PHONES: &str = "\
Name;MAC Address;Model;Ext.;IP;Room;Password
reception;9C-75-14-00-01-01;WP480;101;10.20.30.11;Hall;hunter2
sales;9c7514000102;;102;;\"Room 2; left\";hunter3
";

#[test]
fn a_spreadsheet_is_written_as_nodes_that_a_topology_includes() {
    let test = TestEnvironment::new();
    test.write("phones.csv", PHONES);
    let output = test.run(["import", "csv", "phones.csv"]);
    assert_snapshot!(output);
    assert!(!output.everything().contains("hunter"), "{output}");
    let written = test.run(["import", "csv", "phones.csv", "-o", "devices.kdl"]);
    assert_eq!(written.code, Some(0), "{written}");
    let text = std::fs::read_to_string(test.work().join("devices.kdl")).unwrap();
    assert_eq!(text, output.stdout);
    assert_eq!(test.run(["fmt", "--check", "devices.kdl"]).code, Some(0));

    // It belongs to a topology like any other part.
    test.write(
        "switchover.kdl",
        "site \"a\" mode=\"hot-standby\" {\n    acknowledge \"SW107\" reason=\"a test\"\n}\ninclude \"devices.kdl\"\n",
    );
    let shown = test.run(["show"]);
    assert!(
        shown.everything().contains("no user is called `101`"),
        "the user is not there yet: {shown}"
    );

    test.write("users.csv", "Extension,Full Name,PBX\n101,Reception,pbx1\n");
    let users = test.run(["import", "csv", "users.csv"]);
    assert_eq!(users.code, Some(0), "{users}");
    assert!(
        users
            .stdout
            .ends_with("user \"101\" name=\"Reception\" pbx=\"pbx1\"\n"),
        "{users}"
    );
}

#[test]
fn a_spreadsheet_that_is_wrong_is_pointed_at() {
    let test = TestEnvironment::new();
    test.write(
        "phones.csv",
        "name,mac,model\na,9c:75:14,WP480\nb,\"9c:75\n",
    );
    assert_snapshot!(test.run(["import", "csv", "phones.csv", "-o", "devices.kdl"]));
    assert!(!test.work().join("devices.kdl").exists());
    test.write("empty.csv", "");
    test.write("header.csv", "name,mac\n");
    test.write("there.kdl", "mine");
    for (arguments, code, told) in [
        (vec!["empty.csv"], 3, "no header line"),
        (vec!["header.csv"], 1, "nothing to import"),
        (vec!["none.csv"], 1, "there is no file `none.csv`"),
        (vec!["phones.csv", "-o", "there.kdl"], 1, "is there already"),
        (vec!["phones.csv", "--root", "x"], 2, "does not go with"),
        (vec![], 2, "needs `FILE`"),
    ] {
        let output = test.run([&["import", "csv"], arguments.as_slice()].concat());
        assert_eq!(output.code, Some(code), "{arguments:?} {output}");
        assert!(output.stderr.contains(told), "{arguments:?} {output}");
    }
    assert_eq!(
        std::fs::read_to_string(test.work().join("there.kdl")).unwrap(),
        "mine"
    );
}

#[test]
fn what_cannot_be_imported_from_is_told() {
    let test = TestEnvironment::new();
    for (arguments, code, told) in [
        (vec!["kea"], 2, "needs `--endpoint`"),
        (vec!["dnsmasq"], 2, "needs `--root`"),
        (
            vec!["dnsmasq", "--root", "x", "--endpoint", "http://a/"],
            2,
            "`--endpoint` does not go with",
        ),
        (vec!["kea", "--endpoint", "nonsense"], 3, "SW003"),
        (
            vec!["kea", "--endpoint", "http://a/", "--set", "nothing=1"],
            3,
            "nothing",
        ),
        (
            vec!["kea", "--endpoint", "http://a/", "--set", "x"],
            2,
            "NAME=VALUE",
        ),
        (
            vec!["wildix", "--endpoint", "http://a/"],
            1,
            "these can: dnsmasq, isc-dhcpd, kea",
        ),
        (vec!["nonsense"], 1, "there is no plugin `nonsense`"),
        (
            vec!["kea", "x.csv", "--endpoint", "http://a/"],
            2,
            "only `import csv` reads a file",
        ),
    ] {
        let output = test.run([&["import"], arguments.as_slice()].concat());
        assert_eq!(output.code, Some(code), "{arguments:?} {output}");
        let words: Vec<&str> = output.stderr.split_whitespace().collect();
        assert!(words.join(" ").contains(told), "{arguments:?} {output}");
    }
    // What is no source may be the secret.
    let output = test.run([
        "import",
        "kea",
        "--endpoint",
        "http://a/",
        "--auth",
        "basic",
        "--user",
        "kea",
        "--password",
        "hunter2",
    ]);
    assert_eq!(output.code, Some(2), "{output}");
    assert!(!output.everything().contains("hunter2"), "{output}");
}

/// The help names those that can.
#[test]
fn the_help_lists_every_plugin_that_can_be_imported_from() {
    let test = TestEnvironment::new();
    let help = test.run(["import", "--help"]);
    let listed = test.run(["plugin", "list", "--format", "json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    for plugin in listed["plugins"].as_array().unwrap() {
        let name = plugin["name"].as_str().unwrap();
        let inspected = test.run(["plugin", "inspect", name, "--format", "json"]);
        let inspected: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
        let adopts = inspected["adopts"].as_bool().unwrap();
        assert_eq!(help.stdout.contains(&format!("`{name}`")), adopts, "{name}");
    }
}
