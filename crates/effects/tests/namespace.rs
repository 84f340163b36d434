//! Tests that mount file systems run in a mount namespace of their own: the test starts itself again through
//! `unshare`, so that nothing it mounts is seen outside or outlives it. Root needs nothing more; others get root's
//! rights in a user namespace, and stay who they are there. Nothing is skipped: where neither is allowed, the test fails.

use std::path::Path;
use std::process::Command;

/// Says to the test that it runs inside.
const INSIDE: &str = "SWITCHOVER_TEST_INSIDE";

/// Runs `body` in a new mount namespace. It is the whole of the test that calls this.
pub(crate) async fn in_mount_namespace(body: impl AsyncFnOnce()) {
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--map-current-user", "--keep-caps"]);
    }
    command.args(["--mount", "--propagation", "private"]);
    again(command, body).await;
}

/// Runs `body` as a user whom permissions bind: root without its right to ignore them.
pub(crate) async fn bound_by_permissions(body: impl AsyncFnOnce()) {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args([
            "--bounding-set",
            "-dac_override,-dac_read_search",
            "--inh-caps",
            "-all",
        ]);
        again(command, body).await;
    } else {
        body().await;
    }
}

async fn again(mut command: Command, body: impl AsyncFnOnce()) {
    // The harness names a test's thread after it.
    let thread = std::thread::current();
    let test = thread.name().unwrap();
    if std::env::var_os(INSIDE).is_some_and(|inside| inside == test) {
        return body().await;
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
