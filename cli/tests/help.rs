use insta::assert_snapshot;

use crate::environment::TestEnvironment;

#[test]
fn overview() {
    assert_snapshot!(TestEnvironment::new().run(["--help"]));
}

#[test]
fn exit_codes() {
    assert_snapshot!(TestEnvironment::new().run(["help", "exit-codes"]));
}

#[test]
fn help_is_the_same_by_both_ways() {
    let test = TestEnvironment::new();
    for command in [
        "validate",
        "explain",
        "show",
        "plan",
        "apply",
        "completions",
    ] {
        let by_flag = test.run([command, "--help"]);
        assert_eq!(by_flag.code, Some(0));
        assert_eq!(
            test.run(["help", command]).stdout,
            by_flag.stdout,
            "{command}"
        );
    }
}

#[test]
fn commands() {
    let test = TestEnvironment::new();
    for command in [
        "validate",
        "explain",
        "show",
        "plan",
        "apply",
        "plugin",
        "completions",
    ] {
        assert_snapshot!(format!("help-{command}"), test.run([command, "--help"]));
    }
}

#[test]
fn an_unknown_topic() {
    assert_snapshot!(TestEnvironment::new().run(["help", "me"]));
}

#[test]
fn completions_know_the_commands() {
    let test = TestEnvironment::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = test.run(["completions", shell]);
        assert_eq!(output.code, Some(0));
        assert!(output.stdout.contains("validate"), "{shell}");
    }
}
