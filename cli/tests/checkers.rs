//! Programs of others that read what we write, as `cargo xtask setup` installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of the virtual environment.
pub(crate) fn program(name: &str) -> Command {
    let path = folder().join(name);
    assert!(
        path.is_file(),
        "{} is not installed: run `cargo xtask setup`",
        path.display()
    );
    Command::new(path)
}

/// The environment's Python with this script, which gets the arguments.
pub(crate) fn python(script: &str, arguments: &[&Path]) -> String {
    let mut python = program("python");
    python.arg("-c").arg(script).args(arguments);
    succeeded(&mut python)
}

/// What a program printed that must end well.
pub(crate) fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{stdout}\n{stderr}",
        output.status
    );
    stdout.into_owned()
}

fn folder() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("tools/python/bin")
}
