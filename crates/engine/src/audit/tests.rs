use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use switchover_lab::{Bucket, Fate};

use super::*;

fn happening(reason: &str) -> Happening {
    Happening::LockBroken {
        holder: "ada@ops1".to_owned(),
        reason: Some(reason.to_owned()),
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn written(records: usize) -> (tempfile::TempDir, Audit) {
    let folder = tempfile::tempdir().unwrap();
    let audit = Audit::at(folder.path(), Some("state")).unwrap();
    for number in 0..records {
        run(audit.write(happening(&format!("reason {number}")))).unwrap();
    }
    (folder, audit)
}

#[test]
fn records_follow_from_each_other() {
    let (folder, audit) = written(0);
    let nothing = run(audit.read()).unwrap();
    assert!(nothing.entries.is_empty() && nothing.broken.is_none() && nothing.head.is_none());
    assert!(
        !folder.path().join("state").exists(),
        "looking creates nothing"
    );

    let (_folder, audit) = written(3);
    let trail = run(audit.read()).unwrap();
    assert_eq!(trail.broken, None);
    let numbers: Vec<u64> = trail.entries.iter().map(|entry| entry.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(trail.entries[2].happening, happening("reason 2"));
    assert_ne!(trail.entries[1].previous, trail.entries[2].previous);
}

#[test]
fn two_who_write_at_once_both_stand_in_it() {
    let (_folder, audit) = written(1);
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let audit = audit.clone();
            std::thread::spawn(move || run(audit.write(happening(&format!("writer {writer}")))))
        })
        .collect();
    let mut numbers: Vec<u64> = writers
        .into_iter()
        .map(|writer| writer.join().unwrap().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=9).collect::<Vec<_>>());
    assert_eq!(run(audit.read()).unwrap().broken, None);
}

const ORIGINAL: usize = 6;

proptest! {
    /// A record changed, removed, doubled or moved breaks the chain wherever that is.
    #[test]
    fn whatever_is_done_to_a_record_is_noticed(at in 0..ORIGINAL, other in 0..ORIGINAL, how in 0..4) {
        let (_folder, audit) = written(ORIGINAL);
        let mut lines = run(audit.store.read_log(LOG)).unwrap();
        match how {
            0 => {
                let text = String::from_utf8(lines[at].clone()).unwrap();
                lines[at] = text.replace("reason ", "Reason ").into_bytes();
            }
            1 => drop(lines.remove(at)),
            2 => lines.insert(at, lines[other].clone()),
            _ => lines.swap(at, other),
        }
        let changed = how != 3 || at != other;
        run(audit.store.remove_log(LOG)).unwrap();
        for (at, line) in lines.iter().enumerate() {
            run(audit.store.append(LOG, at as u64, line)).unwrap();
        }
        prop_assert_eq!(run(audit.read()).unwrap().broken.is_some(), changed);
    }
}

#[test]
fn a_log_that_is_gone_is_noticed() {
    let (_folder, audit) = written(2);
    run(audit.store.remove_log(LOG)).unwrap();
    let broken = run(audit.read()).unwrap().broken;
    assert_eq!(
        broken,
        Some(Break::Shorter {
            found: 0,
            expected: 2
        })
    );
}

#[test]
fn a_mark_that_was_not_written_any_more_is_no_break() {
    let (folder, audit) = written(2);
    let mark = folder.path().join("state").join(MARK);
    let before = fs::read(&mark).unwrap();
    run(audit.write(happening("killed before the mark"))).unwrap();
    fs::write(&mark, before).unwrap();
    assert_eq!(run(audit.read()).unwrap().broken, None);
    // The next one catches up.
    run(audit.write(happening("after"))).unwrap();
    let mark: Mark = serde_json::from_slice(&fs::read(&mark).unwrap()).unwrap();
    assert_eq!(mark.records, 4);
}

/// A log that was cut short is written on where it ends, and what is missing stays noticed.
#[test]
fn a_log_that_is_shorter_than_its_mark_is_written_on() {
    let (_folder, audit) = written(5);
    let lines = run(audit.store.read_log(LOG)).unwrap();
    run(audit.store.remove_log(LOG)).unwrap();
    for (at, line) in lines.iter().take(2).enumerate() {
        run(audit.store.append(LOG, at as u64, line)).unwrap();
    }
    assert_eq!(run(audit.write(happening("after"))).unwrap(), 3);
    let broken = run(audit.read()).unwrap().broken;
    assert!(matches!(broken, Some(Break::Shorter { .. })), "{broken:?}");
}

/// However long a log in an object store is, to write one record more takes as many requests.
#[test]
fn a_record_takes_no_more_requests_in_a_long_log() {
    let bucket = Bucket::start().unwrap();
    let environment = bucket.environment();
    let environment = environment.map(|(name, value)| (name.to_owned(), value));
    let store = Store::open_in(Path::new("."), "s3://state/x", environment).unwrap();
    let audit = Audit::of(store);
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    bucket.judge(move |_, _| {
        counted.fetch_add(1, Ordering::Relaxed);
        Fate::Answered
    });
    let mut requests = Vec::new();
    for number in 0..12 {
        run(audit.write(happening(&number.to_string()))).unwrap();
        requests.push(asked.swap(0, Ordering::Relaxed));
    }
    assert_eq!(requests[2], requests[11], "{requests:?}");
    assert_eq!(run(audit.read()).unwrap().broken, None);
}
