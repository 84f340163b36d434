//! Commands of targets: their programs are looked up before anything is changed anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;

use crate::environment::{TestEnvironment, files_below};
use crate::plan_and_apply::{GOOD, site};

const ROOT: &str = "root \"dnsmasq.d\"";

/// The topology with commands of the DHCP server.
pub(crate) fn with(commands: &str) -> String {
    let text = GOOD.replace(ROOT, &format!("{ROOT}\n    {commands}"));
    assert_ne!(text, GOOD);
    text
}

fn configured(test: &TestEnvironment) -> usize {
    let folders = ["dnsmasq.d", "provisioning"].map(|name| test.work().join(name));
    let files = folders.iter().flat_map(|folder| files_below(folder));
    files.filter(|path| !path.ends_with("plain")).count()
}

#[test]
fn a_command_in_one_word_is_told_with_what_to_write() {
    let test = site();
    test.write(
        "switchover.kdl",
        &with("command \"reload\" \"systemctl restart dnsmasq\""),
    );
    assert_eq!(test.run(["plan"]).code, Some(0));
    let applied = test.run(["apply", "--yes", "--quiet"]);
    assert_snapshot!(applied);
    assert_eq!(configured(&test), 0);
    // The run was never begun: there is nothing to recover.
    let recovered = test.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.stdout, "nothing to recover\n", "{recovered}");
}

#[test]
fn whatever_cannot_be_run_is_told_before_anything_is_changed() {
    let test = site();
    test.write("dnsmasq.d/plain", "#!/bin/sh\n");
    let plain = test.work().join("dnsmasq.d/plain");
    for (program, why) in [
        ("no-such-program-here", "there is no program"),
        ("/no/such/program", "or correct the path"),
        (
            "bin/reload.sh",
            "a relative path begins at the target's `root`",
        ),
        ("~/bin/reload.sh", "`~` stands for nothing"),
        ("/etc", "is a folder"),
        ("/dev/null", "is not a regular file"),
        (plain.to_str().unwrap(), "is not executable for this user"),
        ("./plain", "is not executable for this user"),
        ("plain", "there is no program"),
    ] {
        for name in ["reload", "test"] {
            test.write(
                "switchover.kdl",
                &with(&format!("command {name:?} {program:?} \"x\"")),
            );
            let applied = test.run(["apply", "--yes", "--format", "json"]);
            assert_eq!(applied.code, Some(1), "{applied}");
            for part in [why, &format!("`{name}`"), "switchover.kdl:66"] {
                assert!(applied.stdout.contains(part), "{part}: {applied}");
            }
            assert!(applied.stderr.contains("nothing was changed"), "{applied}");
            assert_eq!(configured(&test), 0, "{program}");
        }
    }
    // All of them at once.
    let both = "command \"test\" \"no-such-1\"\n    command \"reload\" \"no-such-2\"";
    test.write("switchover.kdl", &with(both));
    let applied = test.run(["apply", "--yes"]);
    for part in ["no-such-1", "no-such-2"] {
        assert!(applied.stderr.contains(part), "{applied}");
    }

    fs::set_permissions(&plain, fs::Permissions::from_mode(0o755)).unwrap();
    test.write("switchover.kdl", &with("command \"reload\" \"./plain\""));
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
}

/// A command of a target that is as wanted is nobody's business.
#[test]
fn only_what_will_be_run_is_looked_up() {
    let test = site();
    test.write("switchover.kdl", &with("command \"reload\" \"true\""));
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    let other = with("command \"reload\" \"no-such-program\"");
    test.write(
        "switchover.kdl",
        &other.replace("name=\"Sales\"", "name=\"Buying\""),
    );
    let applied = test.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
}
