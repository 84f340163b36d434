//! Colour, width, pipes.

use std::process::Stdio;

use crate::environment::TestEnvironment;

const TEN_MISTAKES: &str = include_str!("topologies/ten-mistakes.kdl");

#[test]
fn a_reader_that_leaves_is_no_error() {
    let test = TestEnvironment::new();
    // Far more findings than a pipe holds.
    let many: String = (0..5_000)
        .map(|number| format!("nonsense{number}\n"))
        .collect();
    test.write("switchover.kdl", &many);
    let mut command = test.command(["validate"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_full_disk_is_an_error() {
    let test = TestEnvironment::new();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = test
        .command(["help", "exit-codes"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("switchover::stdout"));
}

#[test]
fn colour_where_asked_for_and_nowhere_else() {
    let mut test = TestEnvironment::new();
    test.write("switchover.kdl", TEN_MISTAKES);
    assert!(!test.run(["validate"]).stdout.contains('\u{1b}'));
    assert!(
        test.run(["validate", "--color", "always"])
            .stdout
            .contains('\u{1b}')
    );
    assert!(
        !test
            .run(["validate", "--color", "never"])
            .stdout
            .contains('\u{1b}')
    );
    test.set("CLICOLOR_FORCE", "1");
    assert!(test.run(["validate"]).stdout.contains('\u{1b}'));
    test.set("NO_COLOR", "1");
    assert!(!test.run(["validate"]).stdout.contains('\u{1b}'));
}

#[test]
fn lines_keep_within_the_fixed_width() {
    let test = TestEnvironment::new();
    let output = test.run(["explain", "SW104"]);
    let widest = output
        .stdout
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap();
    assert!(widest <= 80, "{widest} columns:\n{output}");
}
