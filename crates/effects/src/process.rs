//! Processes of this machine: whether one of them still lives, where only its number and its beginning are known.

use std::{fs, io};

use rustix::io::Errno;
use rustix::process::{Pid, getuid, test_kill_process};

/// Of this machine, since it was started, and the space that its numbers of processes are from: containers number theirs
/// on their own. Empty where the system does not tell.
#[must_use]
pub fn machine() -> (String, String) {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    (
        boot.trim().to_owned(),
        namespace.to_string_lossy().into_owned(),
    )
}

/// Who runs this process: the name of its real user, or the user's number where no name is known on this machine. What the
/// environment says is not asked: anybody can set it.
#[must_use]
pub fn user() -> String {
    let number = getuid().as_raw();
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    name_of(number, &users).unwrap_or_else(|| format!("uid-{number}"))
}

/// The first name of this number in a file of users.
fn name_of(number: u32, users: &str) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, found) = (fields.next()?, fields.next()?, fields.next()?);
        let is_name = !name.is_empty() && !name.starts_with(['#', '+', '-']);
        (is_name && found.parse() == Ok(number)).then(|| name.to_owned())
    })
}

/// What the system tells of a process.
#[derive(Debug, PartialEq, Eq)]
pub enum Life {
    /// It lives, and began then, in ticks since the boot: numbers of processes are used again.
    Since(String),
    /// It ended, even where nobody has taken notice of that yet.
    Ended,
    /// It may live.
    Unknown,
}

/// What is known of the process of this number.
#[must_use]
pub fn life(pid: u32) -> Life {
    life_by(pid, fs::read_to_string(format!("/proc/{pid}/stat")))
}

/// By what could be read of a process. Its file may be hidden from other users, or not be opened for want of
/// descriptors: then the process itself is asked for.
fn life_by(pid: u32, stat: io::Result<String>) -> Life {
    let Ok(stat) = stat else {
        let number = i32::try_from(pid).ok().and_then(Pid::from_raw);
        return match number.map(test_kill_process) {
            Some(Err(Errno::SRCH)) => Life::Ended,
            _ => Life::Unknown,
        };
    };
    // The name, in parentheses, may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let mut fields = fields.split_whitespace();
    match (fields.next(), fields.nth(18)) {
        (Some("Z" | "X"), _) => Life::Ended,
        (Some(_), Some(started)) => Life::Since(started.to_owned()),
        _ => Life::Unknown,
    }
}

#[cfg(test)]
mod tests;
