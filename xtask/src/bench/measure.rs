//! What one process cost.

use std::fs::File;
use std::io::{Read, Seek};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::Wait4;

use crate::run::Failure;

/// Time and memory of one process from its start to its end.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub(super) wall: Duration,
    /// CPU time of the process itself, without the kernel's.
    pub(super) user: Duration,
    /// The most memory it had at once, in bytes.
    pub(super) memory: u64,
}

/// Runs a command to its end. Its output goes to a file, so that nobody has to keep up with it; a failure shows it.
pub(super) fn once(mut command: Command) -> Result<Cost, Failure> {
    let shown = format!("{command:?}");
    let failed = |problem: std::io::Error| Failure::of(format!("run {shown}"), problem);
    let mut told: File = tempfile::tempfile().map_err(failed)?;
    let (output, errors) = (
        told.try_clone().map_err(failed)?,
        told.try_clone().map_err(failed)?,
    );
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let started = Instant::now();
    let ended = command.spawn().map_err(failed)?.wait4().map_err(failed)?;
    let wall = started.elapsed();
    if !ended.status.success() {
        let mut text = String::new();
        // What was printed only helps to understand the failure; without it the failure is told all the same.
        let _ = told.rewind().and_then(|()| told.read_to_string(&mut text));
        return Err(Failure(format!(
            "{shown} ended with {}\n{text}",
            ended.status
        )));
    }
    Ok(Cost {
        wall,
        user: ended.rusage.utime,
        memory: ended.rusage.maxrss,
    })
}

/// The run of the middle wall time, out of an odd number of them.
pub(super) fn median(
    runs: usize,
    mut measure: impl FnMut() -> Result<Cost, Failure>,
) -> Result<Cost, Failure> {
    let mut costs = (0..runs)
        .map(|_| measure())
        .collect::<Result<Vec<_>, _>>()?;
    costs.sort_by_key(|cost| cost.wall);
    costs
        .get(runs / 2)
        .copied()
        .ok_or_else(|| Failure("nothing was measured".to_owned()))
}
