use insta::assert_snapshot;

use crate::environment::TestEnvironment;

#[test]
fn a_rule_in_the_terminal() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW104"]));
}

#[test]
fn letter_case_does_not_matter() {
    let test = TestEnvironment::new();
    assert_eq!(
        test.run(["explain", "sw104"]).stdout,
        test.run(["explain", "SW104"]).stdout
    );
}

#[test]
fn a_rule_as_json() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW101", "--format", "json"]));
}

#[test]
fn a_rule_as_markdown() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW101", "--format", "markdown"]));
}

#[test]
fn an_unknown_code_names_the_nearest() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "SW140"]));
}

#[test]
fn a_name_for_a_code_is_understood_as_such() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "failover-vm-to-small"]));
}

#[test]
fn nothing_near() {
    assert_snapshot!(TestEnvironment::new().run(["explain", "everything"]));
}
