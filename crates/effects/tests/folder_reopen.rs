//! Batches whose process is gone: what was intended, and what waits, bring everything back.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use switchover_effects::Reporting;
use switchover_effects::folder::{
    Batch, Change, Expected, Folder, FolderError, Intent, NewFile, Standing,
};

use crate::folder::{root, tree, write};
use crate::on::{On, on_both};

const CHANGES: [Change<'static>; 5] = [
    Change::Write {
        path: "old",
        bytes: b"after",
        expected: Expected::Bytes(b"before"),
        new: NewFile::PUBLIC,
    },
    Change::Remove {
        path: "sub/gone",
        expected: Expected::Bytes(b"gone"),
    },
    Change::Write {
        path: "new/deep/file.cfg",
        bytes: b"new",
        expected: Expected::Absent,
        new: NewFile::SECRET,
    },
    Change::Remove {
        path: "never/was",
        expected: Expected::Absent,
    },
    Change::Write {
        path: "sub/second",
        bytes: b"2",
        expected: Expected::Anything,
        new: NewFile::PUBLIC,
    },
];

fn paths() -> Vec<&'static str> {
    CHANGES.iter().map(Change::path).collect()
}

async fn prepared(on: On) -> (tempfile::TempDir, Folder) {
    let (root, folder) = root(on).await;
    write(root.path(), "old", "before", 0o640);
    write(root.path(), "sub/gone", "gone", 0o604);
    write(root.path(), "sub/second", "1", 0o600);
    if is_root() {
        chown(root.path().join("old"), Some(33), Some(34)).unwrap();
    }
    (root, folder)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn owner(root: &Path, path: &str) -> (u32, u32, u32) {
    let found = fs::metadata(root.join(path)).unwrap();
    (found.uid(), found.gid(), found.mode())
}

/// The intent as another process gets it.
fn kept(intent: &Intent) -> Intent {
    serde_json::from_str(&serde_json::to_string(intent).unwrap()).unwrap()
}

async fn committed(folder: &Folder, intent: &Intent, count: usize) -> Batch {
    let mut batch = folder.begin(intent).await.unwrap();
    batch.stage(&CHANGES).await.unwrap();
    batch.sync().unwrap();
    batch.commit(&paths()[..count]).await.unwrap();
    batch
}

async fn however_far_it_came_it_is_undone(on: On) {
    for count in 0..=CHANGES.len() {
        for undone in 0..=count {
            let (root, folder) = prepared(on).await;
            let (before, owned) = (tree(root.path()), owner(root.path(), "old"));
            let intent = folder.intend("7-0", &CHANGES).await.unwrap();
            assert_eq!(tree(root.path()), before, "an intent changes nothing");
            let mut batch = committed(&folder, &intent, count).await;
            for path in paths()[..count].iter().rev().take(undone) {
                batch.undo_one(path).await.unwrap();
            }
            batch.leave().await;
            assert_ne!(tree(root.path()), before);

            let intent = kept(&intent);
            // Killed in the middle once more.
            let mut batch = folder.reopen(&intent).await.unwrap();
            let standings = batch.standings();
            for (at, (path, standing)) in standings.iter().enumerate() {
                assert_eq!(*path, paths()[at]);
                let nothing = *path == "never/was";
                let wanted = if at < count - undone && !nothing {
                    Standing::Done
                } else {
                    Standing::Before
                };
                assert_eq!(*standing, wanted, "{path} of {count}, {undone} undone");
            }
            if count > undone {
                batch.undo_one(paths()[0]).await.unwrap();
            }
            drop(batch);

            let mut batch = folder.reopen(&intent).await.unwrap();
            batch.undo().await.unwrap();
            batch.discard().await;
            assert_eq!(
                tree(root.path()),
                before,
                "{count} committed, {undone} undone"
            );
            assert_eq!(owner(root.path(), "old"), owned);

            // Once everything is undone and cleared away, doing it again does no harm.
            let mut batch = folder.reopen(&intent).await.unwrap();
            batch.undo().await.unwrap();
            batch.discard().await;
            assert_eq!(tree(root.path()), before);
        }
    }
}

async fn a_batch_that_never_began_is_undone(on: On) {
    let (root, folder) = prepared(on).await;
    let before = tree(root.path());
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    drop(folder.begin(&intent).await.unwrap());
    let mut batch = folder.reopen(&kept(&intent)).await.unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()), before);
}

async fn what_is_done_may_also_stay(on: On) {
    let (root, folder) = prepared(on).await;
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    committed(&folder, &intent, CHANGES.len())
        .await
        .leave()
        .await;
    folder.reopen(&intent).await.unwrap().discard().await;
    let names: Vec<String> = tree(root.path()).into_keys().collect();
    assert_eq!(
        names,
        [
            "new",
            "new/deep",
            "new/deep/file.cfg",
            "old",
            "sub",
            "sub/second"
        ]
    );
    assert_eq!(fs::read(root.path().join("old")).unwrap(), b"after");
}

async fn a_root_that_did_not_exist_goes_away_again(on: On) {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("a/b");
    let folder = on.open(&path, true, &Reporting::default()).await.unwrap();
    let changes = &CHANGES[2..3];
    let intent = folder.intend("7-0", changes).await.unwrap();
    let mut batch = folder.begin(&intent).await.unwrap();
    batch.stage(changes).await.unwrap();
    batch.commit_all().await.unwrap();
    batch.leave().await;
    assert!(path.join("new/deep/file.cfg").exists());

    let folder = on.open(&path, true, &Reporting::default()).await.unwrap();
    let mut batch = folder.reopen(&kept(&intent)).await.unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
    assert!(tree(parent.path()).is_empty());
}

async fn what_others_changed_is_left_and_named(on: On) {
    let (root, folder) = prepared(on).await;
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    committed(&folder, &intent, CHANGES.len())
        .await
        .leave()
        .await;
    write(root.path(), "old", "by hand", 0o640);
    let mut batch = folder.reopen(&intent).await.unwrap();
    assert!(batch.standings().contains(&("old", Standing::Changed)));
    let Err(FolderError::UndoIncomplete {
        failures, total, ..
    }) = batch.undo().await
    else {
        panic!("it cannot be undone");
    };
    assert_eq!((failures.len(), total), (1, CHANGES.len() - 1));
    assert!(matches!(failures[0], FolderError::Stuck { .. }));
    batch.leave().await;
    assert_eq!(fs::read(root.path().join("old")).unwrap(), b"by hand");
    assert_eq!(fs::read(root.path().join("sub/gone")).unwrap(), b"gone");
    assert!(!root.path().join("new").exists());

    // Whoever puts in place what was there before has solved it.
    write(root.path(), "old", "before", 0o640);
    let mut batch = folder.reopen(&intent).await.unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
}

async fn what_no_longer_waits_is_named(on: On) {
    let (root, folder) = prepared(on).await;
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    committed(&folder, &intent, CHANGES.len())
        .await
        .leave()
        .await;
    for place in ["", "sub"] {
        let _ = fs::remove_dir_all(root.path().join(place).join(".switchover-stage-run-7-0"));
    }
    let mut batch = folder.reopen(&intent).await.unwrap();
    let lost: Vec<&str> = batch
        .standings()
        .into_iter()
        .filter(|(_, standing)| *standing == Standing::Lost)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(lost, ["old", "sub/gone", "sub/second"]);
    assert!(matches!(
        batch.undo().await,
        Err(FolderError::UndoIncomplete { failures, .. }) if failures.len() == 3
    ));
    assert!(!root.path().join("new").exists());
    batch.discard().await;
}

async fn other_batches_leave_it_alone(on: On) {
    let (root, folder) = prepared(on).await;
    let before = tree(root.path());
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    committed(&folder, &intent, 2).await.leave().await;
    for other in [On::Here, On::There] {
        let folder = other
            .open(root.path(), false, &Reporting::default())
            .await
            .unwrap();
        for name in ["other", "sub/other"] {
            let mut batch = folder.batch().await.unwrap();
            batch
                .stage_write(name, b"", Expected::Absent, NewFile::PUBLIC)
                .await
                .unwrap();
            batch.commit_all().await.unwrap();
            batch.undo().await.unwrap();
            batch.discard().await;
        }
    }
    let mut batch = folder.reopen(&intent).await.unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()), before);
}

async fn a_name_that_leads_elsewhere_is_refused(on: On) {
    let (_root, folder) = prepared(on).await;
    for name in ["", "..", "a/b", "ä"] {
        let refused = folder.intend(name, &CHANGES).await;
        assert!(matches!(refused, Err(FolderError::Path { .. })));
    }
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    let text = serde_json::to_string(&intent).unwrap();
    let led = text.replace("\"old\"", "\"../old\"");
    let led: Intent = serde_json::from_str(&led).unwrap();
    assert!(matches!(
        folder.reopen(&led).await,
        Err(FolderError::Path { .. })
    ));
}

on_both!(
    however_far_it_came_it_is_undone,
    a_batch_that_never_began_is_undone,
    what_is_done_may_also_stay,
    a_root_that_did_not_exist_goes_away_again,
    what_others_changed_is_left_and_named,
    what_no_longer_waits_is_named,
    other_batches_leave_it_alone,
    a_name_that_leads_elsewhere_is_refused,
);

#[tokio::test]
async fn a_batch_that_is_in_use_is_not_taken_over() {
    let (_root, folder) = prepared(On::Here).await;
    let intent = folder.intend("7-0", &CHANGES).await.unwrap();
    let batch = committed(&folder, &intent, 1).await;
    assert!(matches!(
        folder.reopen(&intent).await,
        Err(FolderError::InUse { .. })
    ));
    drop(batch);
    let mut batch = folder.reopen(&intent).await.unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
}
