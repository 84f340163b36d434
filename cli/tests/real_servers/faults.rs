use std::fs;

use switchover_lab::Fault;

use super::Site;
use crate::environment::Output;

/// One clear error: the target's name, what is wrong, and only one diagnostic.
#[track_caller]
fn assert_one_error(output: &Output, code: i32, parts: &[&str]) {
    assert_eq!(output.code, Some(code), "{output}");
    let flat = output.stderr.replace(['│', '\n'], " ");
    let flat = flat.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts.iter().chain(&["`kea`"]) {
        assert!(flat.contains(part), "`{part}` is not told:\n{output}");
    }
    assert!(!output.stderr.contains("panicked"), "{output}");
}

#[test]
fn a_server_that_misbehaves_while_it_is_read_changes_nothing() {
    let site = Site::new();
    let cases: [(Fault, &[&str]); 6] = [
        (Fault::Status(500), &["500"]),
        (Fault::Body("<html>it works</html>".to_owned()), &["not"]),
        (Fault::Body("[{\"result\":0}]".to_owned()), &["kea"]),
        (Fault::NotHttp, &["POST http://10.20.30.5:8000/"]),
        (Fault::Close, &["POST http://10.20.30.5:8000/"]),
        (
            Fault::Redirect("http://192.0.2.99/".to_owned()),
            &["192.0.2.99"],
        ),
    ];
    for (fault, parts) in cases {
        site.proxy.heal();
        site.proxy.fail(fault.clone());
        for command in [&["plan"][..], &["apply", "--yes"]] {
            let output = site.run(command);
            assert_one_error(&output, 1, parts);
        }
        site.assert_untouched();
    }
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let site = Site::new();
    site.proxy.fail(Fault::Hang);
    let output = site.run(&["plan"]);
    assert_one_error(&output, 1, &["no answer within"]);
    site.assert_untouched();
}

#[test]
fn a_server_that_is_down_is_named() {
    let mut site = Site::new();
    site.edit("http://10.20.30.5:8000/", "http://10.20.30.5:8002/");
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(
        &output,
        1,
        &["connection refused", "http://10.20.30.5:8002/"],
    );
    site.kea.restart().unwrap();
    site.before = site.kea.config_get().unwrap();
    site.assert_untouched();
}

#[test]
fn wrong_credentials_are_named_and_not_shown() {
    let mut site = Site::new();
    site.environment.set("KEA_PASSWORD", "not-the-password");
    let output = site.run(&["plan"]);
    assert_one_error(&output, 1, &["401"]);
    assert!(
        !output.everything().contains("not-the-password"),
        "{output}"
    );
    site.assert_untouched();
}

#[test]
fn a_configuration_that_the_server_tests_and_refuses_is_not_applied() {
    let site = Site::new();
    site.proxy.fail_command(
        "config-test",
        Fault::Reject("subnets do not please me".to_owned()),
    );
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(
        &output,
        1,
        &["subnets do not please me", "nothing was changed"],
    );
    site.assert_untouched();
    assert!(
        !site
            .proxy
            .commands()
            .iter()
            .any(|command| command == "config-set")
    );
}

#[test]
fn a_configuration_that_the_server_accepts_and_then_refuses_is_rolled_back_everywhere() {
    let site = Site::new();
    site.proxy
        .fail_command("config-write", Fault::Reject("no room for it".to_owned()));
    let output = site.run(&["apply", "--yes"]);
    // The plugin's own undo asks for the same write, so that the disk is as before, too; it is refused as well.
    assert_one_error(&output, 7, &["no room for it", "could not be rolled back"]);
    site.recover();

    site.proxy
        .fail_command("config-set", Fault::Reject("not today".to_owned()));
    let output = site.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(7), "{output}");
    site.recover();
}

#[test]
fn an_answer_that_is_lost_after_the_commit_is_undone() {
    let site = Site::new();
    // The first `config-set` is carried out and its answer lost; what comes after it is answered again.
    site.proxy
        .fail_command_once("config-set", Fault::LoseAnswer);
    let output = site.run(&["apply", "--yes"]);
    assert_one_error(&output, 6, &["rolled back"]);
    site.assert_untouched();
    assert!(
        !site
            .environment
            .work()
            .join(".switchover/generations/000001.json")
            .exists()
    );

    let output = site.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(0), "{output}");
}

/// A file system of this size over the folder of files, for this one run.
fn with_mount(site: &Site, mount: &str) -> Output {
    let command = site.environment.command(["apply", "--yes"]);
    let mut shell = std::process::Command::new("unshare");
    let script = format!("{mount} && exec \"$@\"");
    shell
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell.current_dir(site.environment.work());
    site.environment
        .shown(&site.environment.moved(&site.lab, &shell).output().unwrap())
}

#[test]
fn a_folder_that_cannot_be_written_fails_before_anything_is_changed() {
    let site = Site::new();
    for (mount, part) in [
        (
            "mount --bind files files && mount -o remount,ro,bind files",
            "read-only",
        ),
        (
            "mount -t tmpfs -o size=4k none files && head -c 4096 /dev/zero > files/full",
            "space",
        ),
    ] {
        let output = with_mount(&site, mount);
        assert_eq!(output.code, Some(1), "{output}");
        assert!(
            output.stderr.contains(part) && output.stderr.contains("`files`"),
            "{output}"
        );
        site.assert_untouched();
        assert!(
            !site
                .proxy
                .commands()
                .iter()
                .any(|command| command == "config-set"),
            "Kea was changed"
        );
    }
}

#[test]
fn files_are_put_back_when_a_later_target_fails() {
    let site = Site::new();
    let file = site
        .environment
        .write("files/9c7514000101.cfg", "as the last admin left it\n");
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o640);
    fs::set_permissions(&file, permissions).unwrap();
    site.proxy
        .fail_command_once("config-set", Fault::Reject("not today".to_owned()));

    let output = site.run(&["apply", "--yes"]);
    assert_one_error(&output, 6, &["not today", "rolled back"]);
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        "as the last admin left it\n"
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(site.files(), [file]);
}
