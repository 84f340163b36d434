use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Everything of a lab as a user without rights: what contributors run. As root, `nobody` is that user.
#[test]
fn a_lab_needs_no_root() {
    let program = env!("CARGO_BIN_EXE_lab-shell");
    let shared = tempfile::tempdir().unwrap();
    let mut command = if rustix::process::geteuid().is_root() {
        // The build folder may be closed to others, so they get a copy. `cp` makes it, since the kernel refuses to run what
        // a child forked by another test may just have inherited open for writing.
        fs::set_permissions(shared.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let copy = shared.path().join("lab-shell");
        assert!(
            Command::new("cp")
                .arg("-p")
                .arg(program)
                .arg(&copy)
                .status()
                .unwrap()
                .success()
        );
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
            .arg(copy);
        command
    } else {
        Command::new(program)
    };
    let output = command
        .args(["sh", "-c", "echo inside"])
        .current_dir("/")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("told http://10.20.30.1/") && text.ends_with("inside\n"),
        "{text}"
    );
}
