//! `init`

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

#[test]
fn what_is_written_has_no_findings_and_is_laid_out() {
    let test = TestEnvironment::new();
    assert_snapshot!(test.run(["init"]));
    let output = test.run(["validate", "--deny-warnings"]);
    assert_eq!(output.code, Some(0), "{output}");
    assert!(output.stdout.ends_with("\n5 accepted\n"), "{output}");
    let output = test.run(["fmt", "--check"]);
    assert_eq!((output.code, output.everything()), (Some(0), String::new()));
    let output = test.run(["plan"]);
    assert_eq!(output.code, Some(0), "{output}");
}

#[test]
fn nothing_is_written_over_unless_asked_for() {
    let test = TestEnvironment::new();
    let path = test.write("mine.kdl", "mine");
    assert_snapshot!(test.run(["init", "mine.kdl"]));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert_eq!(
        test.run(["init", "mine.kdl", "--force", "--quiet"])
            .everything(),
        ""
    );
    assert!(
        std::fs::read_to_string(&path)
            .unwrap()
            .contains("pbx \"pbx1\"")
    );
    assert_eq!(test.run(["init", "none/mine.kdl"]).code, Some(1));
}
