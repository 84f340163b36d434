use insta::assert_snapshot;

use crate::environment::TestEnvironment;

#[test]
fn an_unknown_file() {
    assert_snapshot!(TestEnvironment::new().run(["validate", "nowhere.kdl"]));
}

#[test]
fn no_file_named_and_none_there() {
    assert_snapshot!(TestEnvironment::new().run(["validate"]));
}

#[test]
fn a_folder_for_a_file() {
    assert_snapshot!(TestEnvironment::new().run(["validate", "."]));
}

#[test]
fn an_unknown_command() {
    assert_snapshot!(TestEnvironment::new().run(["aply"]));
}

#[test]
fn an_unknown_option() {
    assert_snapshot!(TestEnvironment::new().run(["validate", "--fromat", "json"]));
}

#[test]
fn quiet_and_verbose_exclude_each_other() {
    assert_snapshot!(TestEnvironment::new().run(["validate", "-q", "-v"]));
}

#[test]
fn text_that_is_not_utf_8() {
    let test = TestEnvironment::new();
    assert_snapshot!(test.run_with_input(["validate", "-"], b"site \"\xff\"\n"));
}
