//! Who has a folder locked, as far as the system tells.

use std::fs;
use std::os::fd::AsFd;

use rustix::fs::{fstat, major, minor};

use crate::folder::Holder;

/// The process that has locked this folder; none where the system does not tell, or the process is not one that can be
/// seen from here.
pub(super) fn of(folder: impl AsFd) -> Option<Holder> {
    let stat = fstat(folder).ok()?;
    let place = format!(
        "{:02x}:{:02x}:{}",
        major(stat.st_dev),
        minor(stat.st_dev),
        stat.st_ino
    );
    let id = locker(&fs::read_to_string("/proc/locks").ok()?, &place)?;
    let found = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(Holder {
        id,
        stopped: is_stopped(&found),
    })
}

/// The process that holds a lock of a place, such as `12: FLOCK  ADVISORY  WRITE 4711 08:01:1234 0 EOF`. One that waits
/// has an arrow before the kind.
fn locker(locks: &str, place: &str) -> Option<u32> {
    let mut holders = locks.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [_, "FLOCK", _, _, id, at, ..] if at == place => id.parse().ok(),
            _ => None,
        }
    });
    // The system writes 0 or -1 for a process that this one cannot see.
    holders.find(|id| *id > 0)
}

/// The state of a process is the letter behind its name in parentheses, which may hold anything.
fn is_stopped(stat: &str) -> bool {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    matches!(fields.trim_start().as_bytes().first(), Some(b'T' | b't'))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use rustix::fs::{FlockOperation, flock};

    use super::*;

    #[test]
    fn the_process_that_has_a_folder_locked_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let locked = File::open(folder.path()).unwrap();
        flock(&locked, FlockOperation::NonBlockingLockExclusive).unwrap();
        let other = File::open(folder.path()).unwrap();
        if let Some(holder) = of(&other) {
            assert_eq!(holder.id, std::process::id());
            assert!(!holder.stopped);
        }
        drop(locked);
        assert!(of(&other).is_none());
    }

    #[test]
    fn only_who_holds_a_lock_of_the_place_is_meant() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 08:01:77 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 0 08:01:77 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 12 08:01:78 0 EOF\n\
                     4: FLOCK  ADVISORY  WRITE 13 08:01:77 0 EOF\n\
                     4: -> FLOCK  ADVISORY  WRITE 14 08:01:77 0 EOF\n";
        assert_eq!(locker(locks, "08:01:77"), Some(13));
        assert_eq!(locker(locks, "08:02:77"), None);
        assert_eq!(locker("what is this", "08:01:77"), None);
    }

    #[test]
    fn a_name_that_looks_like_a_state_is_none() {
        assert!(is_stopped("7 (a) T) T 1 7 7"));
        assert!(!is_stopped("7 (a) T) S 1 7 7"));
        assert!(!is_stopped(""));
    }
}
