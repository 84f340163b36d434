//! Tests that mount file systems run in a mount namespace of their own: the test starts itself again through
//! `unshare`, so that nothing it mounts is seen outside or outlives it. Root needs nothing more; others become root in
//! a user namespace. Nothing is skipped: where neither is allowed, the test fails.

use std::path::Path;
use std::process::Command;

/// Says to the test that it runs inside.
const INSIDE: &str = "SWITCHOVER_TEST_INSIDE";

/// Runs `body` in a new mount namespace. `test` is the whole name of the test that calls this.
pub(crate) fn in_mount_namespace(test: &str, body: impl FnOnce()) {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["--mount", "--propagation", "private"]);
    again(command, test, body);
}

/// Runs `body` as a user whom permissions bind: root without its right to ignore them.
pub(crate) fn bound_by_permissions(test: &str, body: impl FnOnce()) {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--bounding-set",
            "-dac_override,-dac_read_search",
            "--inh-caps",
            "-all",
        ]);
        again(command, test, body);
    } else {
        body();
    }
}

fn again(mut command: Command, test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        return body();
    }
    command
        .arg(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(INSIDE, test);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{command:?}\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Runs a program that must succeed.
pub(crate) fn run(argv: &[&str], path: &Path) {
    let status = Command::new(argv[0])
        .args(&argv[1..])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success(), "{argv:?} {}", path.display());
}
