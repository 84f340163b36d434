//! `fmt`

use std::os::unix::fs::{PermissionsExt, symlink};

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

const MESSY: &str = "site   \"hq\" mode=\"hot-standby\" { description \"x\" } // here\n\n\n\ndevice \"d\"   model=\"WP480\"\n";
const NEAT: &str = "site \"hq\" mode=\"hot-standby\" {\n    description \"x\"\n} // here\n\ndevice \"d\" model=\"WP480\"\n";

#[test]
fn a_file_is_laid_out_in_place() {
    let test = TestEnvironment::new();
    let path = test.write("switchover.kdl", MESSY);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    symlink("switchover.kdl", test.work().join("link.kdl")).unwrap();
    assert_snapshot!(test.run(["fmt", "link.kdl"]));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), NEAT);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert!(test.work().join("link.kdl").is_symlink());
    let before = path.metadata().unwrap().modified().unwrap();
    let again = test.run(["fmt"]);
    assert_eq!((again.code, again.everything()), (Some(0), String::new()));
    assert_eq!(path.metadata().unwrap().modified().unwrap(), before);
}

#[test]
fn checking_writes_nothing() {
    let test = TestEnvironment::new();
    let messy = test.write("messy.kdl", MESSY);
    test.write("neat.kdl", NEAT);
    assert_snapshot!(test.run(["fmt", "--check", "messy.kdl", "neat.kdl"]));
    assert_eq!(std::fs::read_to_string(&messy).unwrap(), MESSY);
    assert_eq!(test.run(["fmt", "--check", "neat.kdl"]).code, Some(0));
}

#[test]
fn from_a_pipe_into_a_pipe() {
    let test = TestEnvironment::new();
    let output = test.run_with_input(["fmt", "-"], MESSY.as_bytes());
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), NEAT));
    let output = test.run_with_input(["fmt", "-", "--check"], MESSY.as_bytes());
    assert_eq!(output.code, Some(3));
    let output = test.run_with_input(["fmt", "-"], b"Z\xfcrich");
    assert_eq!(output.code, Some(1));
}

#[test]
fn a_file_that_is_not_kdl_is_left_alone_and_the_others_are_not() {
    let test = TestEnvironment::new();
    let bad = "site \"hq\n\nuser \"101\" sip-password=\"hunter2\nok   1\n";
    let path = test.write("bad.kdl", bad);
    let messy = test.write("messy.kdl", MESSY);
    let output = test.run(["fmt", "bad.kdl", "none.kdl", "messy.kdl"]);
    assert_snapshot!(output);
    assert!(!output.everything().contains("hunter2"));
    assert_eq!(std::fs::read_to_string(path).unwrap(), bad);
    assert_eq!(std::fs::read_to_string(messy).unwrap(), NEAT);
}

#[test]
fn what_is_no_regular_file_is_refused() {
    let test = TestEnvironment::new();
    make_pipe(&test.work().join("pipe"));
    let output = test.run(["fmt", "pipe", "."]);
    assert_eq!(output.code, Some(3), "{output}");
    assert!(
        output.stderr.contains("it is not a regular file"),
        "{output}"
    );
    assert!(output.stderr.contains("it is a folder"), "{output}");
    let output = test.run(["validate", "pipe"]);
    assert_eq!(output.code, Some(3), "{output}");
    assert!(
        output.stdout.contains("it is not a regular file"),
        "{output}"
    );
}

fn make_pipe(path: &std::path::Path) {
    let made = std::process::Command::new("mkfifo")
        .arg(path)
        .status()
        .unwrap();
    assert!(made.success());
}
