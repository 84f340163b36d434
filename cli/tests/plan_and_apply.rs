//! The whole way, into folders: no server is needed.

use insta::assert_snapshot;
use serde_json::Value;

use crate::environment::{TestEnvironment, assert_no_secret};

pub(crate) const GOOD: &str = include_str!("topologies/good.kdl");
pub(crate) const SECRET: &str = "s3cr3t-of-reception";

pub(crate) fn site() -> TestEnvironment {
    let mut test = TestEnvironment::new();
    test.set("RECEPTION_SIP", SECRET);
    test.write("switchover.kdl", GOOD);
    for folder in ["dnsmasq.d", "provisioning"] {
        std::fs::create_dir(test.work().join(folder)).unwrap();
    }
    test
}

fn summary(output: &str) -> Value {
    serde_json::from_str::<Value>(output).unwrap()["summary"].clone()
}

#[test]
fn plan_apply_plan() {
    let test = site();
    let planned = test.run(["plan", "--detailed-exitcode"]);
    assert_eq!(planned.code, Some(4), "{planned}");
    assert!(
        planned
            .stdout
            .ends_with(" to add, 0 to change, 0 to remove\n"),
        "{planned}"
    );
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(
        applied.stdout.starts_with("applied as generation 1: "),
        "{applied}"
    );
    let again = test.run(["plan", "--detailed-exitcode"]);
    assert_eq!(
        (again.code, again.stdout.as_str()),
        (Some(0), "no changes\n"),
        "{again}"
    );
    assert_eq!(test.run(["apply", "--yes"]).stdout, "no changes\n");
}

#[test]
fn one_change_is_one_change() {
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    test.write(
        "switchover.kdl",
        &GOOD.replace("9c:75:14:00:01:02", "9c:75:14:00:01:09"),
    );
    let counts = summary(&test.run(["plan", "--format", "json"]).stdout);
    assert_eq!([&counts["create"], &counts["delete"]], [1, 1], "{counts}");
}

#[test]
fn a_kept_plan_is_applied_and_then_stale() {
    let test = site();
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    let applied = test.run(["apply", "plan.json", "--yes", "--format", "json"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(
        serde_json::from_str::<Value>(&applied.stdout).unwrap()["generation"],
        1
    );
    let stale = test.run(["apply", "plan.json", "--yes"]);
    assert_eq!(stale.code, Some(9), "{stale}");
}

#[test]
fn a_plan_of_another_topology_is_stale() {
    let test = site();
    assert_eq!(test.run(["plan", "--out", "plan.json"]).code, Some(0));
    test.write("switchover.kdl", &format!("{GOOD}\n"));
    assert_eq!(test.run(["apply", "plan.json", "--yes"]).code, Some(9));
}

#[test]
fn a_damaged_plan_is_refused() {
    let test = site();
    test.write("plan.json", "{\"format_version\": \"2.0\"");
    let damaged = test.run(["apply", "plan.json", "--yes"]);
    assert_eq!(damaged.code, Some(1), "{damaged}");
    assert!(
        damaged.stderr.contains("switchover::plan::damaged"),
        "{damaged}"
    );
}

#[test]
fn nobody_to_ask() {
    assert_snapshot!(site().run(["apply"]));
}

/// Nobody runs into missing secrets one by one.
#[test]
fn all_missing_secrets_are_told_at_once() {
    let test = TestEnvironment::new();
    let text = GOOD
        .replace(
            "user \"102\" name=\"Sales\" pbx=\"pbx1\"",
            "user \"102\" name=\"Sales\" pbx=\"pbx1\" {\n    sip-password (secret)\"file:nowhere/sales\"\n}\n\
             user \"103\" name=\"Lab\" pbx=\"pbx1\" {\n    sip-password (secret)\"cmd:vault\"\n}",
        )
        .replace(
            "target \"services\"",
            "device \"lab\" model=\"WP600A\" mac=\"9c:75:14:00:01:03\" user=\"103\" firmware=\"2.8.30\"\n\ntarget \"services\"",
        );
    test.write("switchover.kdl", &text);
    for folder in ["dnsmasq.d", "provisioning"] {
        std::fs::create_dir(test.work().join(folder)).unwrap();
    }
    let line = |part: &str| {
        let before = text.split(part).next().unwrap();
        format!("switchover.kdl:{}", before.lines().count())
    };
    let secrets = ["env:RECEPTION_SIP", "file:nowhere/sales", "cmd:vault"];
    let places = secrets.map(line);
    let told = ["`RECEPTION_SIP`", "nowhere/sales`", "`vault`"];

    let planned = test.run(["plan"]);
    assert_eq!(planned.code, Some(1), "{planned}");
    assert!(
        planned.stderr.contains("3 secrets cannot be read"),
        "{planned}"
    );
    let applied = test.run(["apply", "--yes", "--log-format", "json"]);
    assert_eq!(applied.code, Some(1), "{applied}");
    for part in told
        .iter()
        .copied()
        .chain(places.iter().map(String::as_str))
    {
        assert!(planned.stderr.contains(part), "{part}: {planned}");
        assert!(applied.stderr.contains(part), "{part}: {applied}");
    }
    // One alone is told as it always was, with its place.
    let one = site();
    one.write(
        "switchover.kdl",
        &GOOD.replace("env:RECEPTION_SIP", "env:NO_SUCH_VARIABLE"),
    );
    let planned = one.run(["plan"]);
    assert!(planned.stderr.contains("NO_SUCH_VARIABLE"), "{planned}");
    assert!(planned.stderr.contains("(switchover.kdl:"), "{planned}");
}

/// What is missing first is told first.
#[test]
fn where_no_topology_is_nobody_is_missed() {
    let test = TestEnvironment::new();
    for arguments in [&["apply"][..], &["rollback"], &["recover"]] {
        let output = test.run(arguments);
        assert_ne!(output.code, Some(0), "{output}");
        assert!(output.stderr.contains("switchover.kdl"), "{output}");
        assert!(!output.stderr.contains("nobody is there"), "{output}");
    }
}

#[test]
fn a_topology_with_errors_is_not_planned() {
    let test = site();
    test.write("switchover.kdl", &GOOD.replace("vlan 130", "vlan 5000"));
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let output = test.run(arguments);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(3), ""),
            "{output}"
        );
        assert!(output.stderr.contains("SW003"), "{output}");
    }
}

#[test]
fn planning_writes_nothing_beside_the_topology() {
    let test = site();
    for format in ["human", "json", "markdown"] {
        assert_eq!(
            test.run(["plan", "--format", format, "--full"]).code,
            Some(0)
        );
    }
    let mut names: Vec<String> = std::fs::read_dir(test.work())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["dnsmasq.d", "provisioning", "switchover.kdl"]);
    assert_eq!(
        std::fs::read_dir(test.work().join("provisioning"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn no_secret_is_told_or_kept_beside_the_servers() {
    let test = site();
    let mut told = Vec::new();
    for arguments in [
        &["plan", "-vv", "--full"][..],
        &["plan", "-vv", "--format", "json", "--out", "plan.json"],
        &["plan", "-vv", "--format", "markdown", "--full"],
        &["apply", "plan.json", "-vv", "--yes"],
        &["plan", "-vv", "--full"],
    ] {
        let output = test.run(arguments);
        assert_eq!(output.code, Some(0), "{output}");
        told.push(output.everything());
    }
    let written = test.work().join("provisioning");
    let phone = std::fs::read_dir(&written).unwrap().any(|file| {
        std::fs::read_to_string(file.unwrap().path()).is_ok_and(|text| text.contains(SECRET))
    });
    assert!(
        phone,
        "the telephone's file must hold its password, or this test proves nothing"
    );
    // Somebody changes the file: the difference that is shown holds the secret on both sides.
    for file in std::fs::read_dir(&written).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("# edited\n{text}")).unwrap();
    }
    let drifted = test.run(["plan", "-vv", "--full"]);
    assert!(drifted.stdout.contains("drifted"), "{drifted}");
    told.push(drifted.everything());
    // A folder where a file should be written makes the apply fail.
    for file in std::fs::read_dir(&written).unwrap() {
        let path = file.unwrap().path();
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
    }
    let failed = test.run(["apply", "-vv", "--yes"]);
    assert_ne!(failed.code, Some(0), "{failed}");
    told.push(failed.everything());
    std::fs::remove_dir_all(&written).unwrap();
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    assert_no_secret(&[SECRET], &told, &test.work());
}

#[test]
fn a_lock_is_written_and_held() {
    let test = site();
    assert!(!test.run(["plan"]).stderr.contains("switchover.lock"));
    let unpinned = test.run(["plan", "-v"]);
    assert!(unpinned.stderr.contains("no switchover.lock"), "{unpinned}");
    let locked = test.run(["plugin", "lock"]);
    assert_eq!(locked.code, Some(0), "{locked}");
    let path = test.work().join("switchover.lock");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("plugin \"provisioning\"") && !text.contains("plugin \"kea\""),
        "{text}"
    );
    let pinned = test.run(["plan"]);
    assert_eq!(pinned.code, Some(0), "{pinned}");
    assert!(!pinned.stderr.contains("switchover.lock"), "{pinned}");
    let other = text
        .lines()
        .map(|line| match line.trim().strip_prefix("sha256 ") {
            Some(_) => format!("    sha256 \"{}\"", "0".repeat(64)),
            None => line.to_owned(),
        });
    std::fs::write(&path, other.collect::<Vec<_>>().join("\n")).unwrap();
    let refused = test.run(["plan"]);
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (Some(1), ""),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("plugin::lock_mismatch"),
        "{refused}"
    );
}

#[test]
fn quiet_tells_nothing_but_data() {
    let output = site().run(["plan", "-q"]);
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (Some(0), ""),
        "{output}"
    );
}

#[test]
fn plugins_are_listed() {
    let listed = TestEnvironment::new().run(["plugin", "list"]);
    assert_eq!(listed.code, Some(0), "{listed}");
    for name in ["dnsmasq", "kea", "provisioning"] {
        assert!(
            listed.stdout.lines().any(|line| line.starts_with(name)),
            "{listed}"
        );
        let inspected = TestEnvironment::new().run(["plugin", "inspect", name]);
        assert_eq!(inspected.code, Some(0), "{inspected}");
        for section in ["May read", "## Findings"] {
            assert!(inspected.stdout.contains(section), "{inspected}");
        }
    }
}

#[test]
fn settings_of_a_plugin_are_told_in_words_and_as_a_schema() {
    let test = TestEnvironment::new();
    let told = test.run(["plugin", "inspect", "rfc2136"]).stdout;
    let settings = told.split_once("## Settings").unwrap().1;
    assert_snapshot!(settings);
    let schema = test
        .run(["plugin", "inspect", "rfc2136", "--schema"])
        .stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    assert!(
        schema["properties"]["await-secondaries"].is_object(),
        "{schema}"
    );
    let all = test
        .run(["plugin", "inspect", "kea", "--format", "json"])
        .stdout;
    let all: Value = serde_json::from_str(&all).unwrap();
    let names: Vec<&str> = all["settings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    assert!(
        ["endpoint", "auth", "control"]
            .iter()
            .all(|name| names.contains(name)),
        "{names:?}"
    );
}

#[test]
fn an_unknown_plugin() {
    assert_snapshot!(TestEnvironment::new().run(["plugin", "inspect", "keaa"]));
}

#[test]
fn a_secret_command_comes_from_the_users_own_configuration() {
    let test = site();
    test.write(
        "switchover.kdl",
        &GOOD.replace("env:RECEPTION_SIP", "cmd:vault"),
    );
    let unknown = test.run(["plan"]);
    assert_eq!(unknown.code, Some(1), "{unknown}");
    let vault = test.write("../home/vault", "s3cr3t-of-vault\n");
    let command = format!("secret-command \"vault\" \"cat\" \"{}\"\n", vault.display());
    test.write("../home/.config/switchover/config.kdl", &command);
    let planned = test.run(["plan", "-vv", "--full"]);
    assert_eq!(planned.code, Some(0), "{planned}");
    assert_no_secret(&["s3cr3t-of-vault"], &[&planned.everything()], &test.work());
    test.write(
        "../home/.config/switchover/config.kdl",
        "secret-comand \"vault\" \"true\"\n",
    );
    assert_snapshot!(test.run(["plan"]));
}

#[test]
fn the_reference_is_complete() {
    let test = TestEnvironment::new();
    let written = test.run(["generate-reference", "."]);
    assert_eq!(written.code, Some(0), "{written}");
    let read = |name: &str| std::fs::read_to_string(test.work().join(name)).unwrap();
    assert!(read("docs/rules.md").contains("SW104"));
    assert!(read("docs/cli.md").contains("## `switchover plugin lock`"));
    assert!(read("docs/plugins.md").contains("## kea"));
    assert!(read("schemas/topology.schema.json").contains("\"$schema\""));
}

#[test]
fn a_setting_is_no_place_for_a_secret() {
    let test = site();
    test.write(
        "switchover.kdl",
        &GOOD.replace(
            "plugin=\"dnsmasq\" {",
            "plugin=\"dnsmasq\" {\n    local-ttl (secret)\"env:RECEPTION_SIP\"",
        ),
    );
    let refused = test.run(["plan"]);
    assert_eq!(refused.code, Some(3), "{refused}");
    assert!(
        refused.stderr.contains("`local-ttl` cannot be a secret"),
        "{refused}"
    );
}

#[test]
fn a_password_that_would_end_a_line_is_refused() {
    for password in ["two\nlines", "tab\tbed", "bell\u{7}"] {
        let mut test = site();
        test.set("RECEPTION_SIP", password);
        for arguments in [&["plan"][..], &["apply", "--yes"]] {
            let refused = test.run(arguments);
            assert_eq!(refused.code, Some(1), "{refused}");
            assert!(
                refused
                    .stderr
                    .contains("effects::secret::control-character"),
                "{refused}"
            );
            assert!(!refused.everything().contains(password), "{refused}");
        }
        let written = std::fs::read_dir(test.work().join("provisioning")).unwrap();
        assert_eq!(written.count(), 0);
    }
}

/// Permissions of the two telephones' files: one holds a password, the other none.
fn modes(test: &TestEnvironment) -> [u32; 2] {
    use std::os::unix::fs::PermissionsExt as _;
    ["9c7514000101.cfg", "9c7514000102.cfg"].map(|name| {
        let path = test.work().join("provisioning").join(name);
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    })
}

#[test]
fn who_may_read_a_file_with_a_secret_is_the_targets_choice() {
    use std::os::unix::fs::PermissionsExt as _;
    let test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    assert_eq!(modes(&test), [0o640, 0o644]);

    // A file that is there keeps what it has.
    let path = test.work().join("provisioning/9c7514000101.cfg");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o604)).unwrap();
    std::fs::write(&path, "edited\n").unwrap();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    assert_eq!(modes(&test), [0o604, 0o644]);

    let test = site();
    let chosen = |mode: &str| {
        let setting = format!("plugin=\"provisioning\" {{\n    secret-mode {mode}");
        test.write(
            "switchover.kdl",
            &GOOD.replace("plugin=\"provisioning\" {", &setting),
        );
    };
    for wrong in [
        "\"0900\"",
        "\"rw-r-----\"",
        "\"1777\"",
        "640",
        "\"\"",
        "\"+640\"",
    ] {
        chosen(wrong);
        let refused = test.run(["plan"]);
        assert_eq!(refused.code, Some(3), "{wrong}: {refused}");
        assert!(
            refused.stderr.contains("`secret-mode` must be permissions"),
            "{refused}"
        );
    }
    chosen("\"0600\"");
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(modes(&test), [0o600, 0o644]);
}

#[test]
fn a_password_that_changes_is_shown_neither_before_nor_after() {
    let mut test = site();
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    let (old, new) = (SECRET, "n3w-s3cr3t-of-reception");
    test.set("RECEPTION_SIP", new);
    // Also where the site's own template calls the line something else from now on, which names no password.
    let whole = test.run(["plan", "--full"]).stdout;
    assert!(
        whole.contains("-Config.Account1.GENERAL.Pwd = (sensitive)"),
        "{whole}"
    );
    let template = "#!version:1.0.0.1\nConfig.Account1.GENERAL.Word = {{ user.sip_password }}\nConfig.Account1.GENERAL.Other = 1\n";
    for own_template in [false, true] {
        if own_template {
            test.write("templates/akuvox.cfg.j2", template);
            test.write(
                "switchover.kdl",
                &GOOD.replace(
                    "plugin=\"provisioning\" {",
                    "plugin=\"provisioning\" {\n    templates \"templates\"",
                ),
            );
        }
        for format in ["human", "json", "markdown"] {
            let planned = test.run(["plan", "-vv", "--full", "--format", format]);
            assert_eq!(planned.code, Some(0), "{planned}");
            assert!(planned.stdout.contains("9c7514000101"), "{planned}");
            for secret in [old, new] {
                assert!(!planned.everything().contains(secret), "{planned}");
            }
        }
        let kept = test.run(["plan", "--out", "plan.json"]);
        assert_eq!(kept.code, Some(0), "{kept}");
        let kept = std::fs::read_to_string(test.work().join("plan.json")).unwrap();
        assert!(!kept.contains(old) && !kept.contains(new));
        let applied = test.run(["apply", "plan.json", "--yes", "-vv"]);
        assert_eq!(applied.code, Some(0), "{applied}");
        for secret in [old, new] {
            assert!(!applied.everything().contains(secret), "{applied}");
        }
        // Back to the old one, by the built-in template or the site's own.
        test.set("RECEPTION_SIP", old);
        assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
        test.set("RECEPTION_SIP", new);
    }
}
