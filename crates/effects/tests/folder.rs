use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use switchover_effects::Reporting;
use switchover_effects::folder::{Change, Expected, Folder, FolderError, NewFile};
use tempfile::TempDir;

use crate::on::{On, SSHD, on_both};
use crate::recorder::recording;

pub(crate) async fn root(on: On) -> (TempDir, Folder) {
    let root = tempfile::tempdir().unwrap();
    let folder = on
        .open(root.path(), false, &Reporting::default())
        .await
        .unwrap();
    (root, folder)
}

/// Everything below a folder: mode and content of files, mode of folders.
pub(crate) fn tree(root: &Path) -> BTreeMap<String, (u32, Option<Vec<u8>>)> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, (u32, Option<Vec<u8>>)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let name = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if metadata.is_dir() {
                found.insert(name, (metadata.mode(), None));
                walk(root, &path, found);
            } else {
                found.insert(name, (metadata.mode(), Some(fs::read(&path).unwrap())));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

pub(crate) fn write(root: &Path, path: &str, text: &str, mode: u32) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

async fn files_are_read_and_listed(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "b.cfg", "b", 0o640);
    write(root.path(), "a.cfg", "", 0o644);
    write(root.path(), "sub/c", "c", 0o600);
    let read = folder.read("b.cfg").await.unwrap().unwrap();
    assert_eq!((read.bytes.as_slice(), read.mode), (&b"b"[..], 0o640));
    assert_eq!(folder.read("sub/c").await.unwrap().unwrap().bytes, b"c");
    assert_eq!(folder.read("none").await.unwrap(), None);
    assert_eq!(folder.read("none/none").await.unwrap(), None);
    assert_eq!(folder.list("").await.unwrap(), ["a.cfg", "b.cfg"]);
    assert_eq!(folder.list("sub").await.unwrap(), ["c"]);
    assert_eq!(folder.list("none").await.unwrap(), Vec::<String>::new());
    assert!(matches!(
        folder.read("b.cfg/x").await,
        Err(FolderError::NotAFolder { .. })
    ));
    assert!(matches!(
        folder.list("b.cfg").await,
        Err(FolderError::NotAFolder { .. })
    ));
    assert!(matches!(
        folder.read("sub").await,
        Err(FolderError::NotAFile { .. })
    ));
    assert_eq!(folder.absolute("sub/x").unwrap(), root.path().join("sub/x"));
}

async fn a_batch_is_seen_only_when_committed(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "old", "before", 0o640);
    write(root.path(), "gone", "gone", 0o644);
    let before = tree(root.path());
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("old", b"after", Expected::Bytes(b"before"), NewFile::PUBLIC)
        .await
        .unwrap();
    batch
        .stage_write(
            "new/deep/file.cfg",
            b"new",
            Expected::Absent,
            NewFile::PUBLIC,
        )
        .await
        .unwrap();
    batch
        .stage_write("secret", b"s", Expected::Absent, NewFile::with_mode(0o600))
        .await
        .unwrap();
    batch
        .stage_remove("gone", Expected::Anything)
        .await
        .unwrap();
    batch
        .stage_remove("never/was", Expected::Absent)
        .await
        .unwrap();

    let mut seen = tree(root.path());
    seen.retain(|path, _| !path.starts_with(".switchover-stage-"));
    assert_eq!(seen, before);
    assert_eq!(folder.list("").await.unwrap(), ["gone", "old"]);
    let staged = batch.staged_path("new/deep/file.cfg").unwrap();
    assert_eq!(fs::read(&staged).unwrap(), b"new");
    assert!(staged.is_absolute() && staged.extension().is_some_and(|ending| ending == "cfg"));
    assert_eq!(
        fs::metadata(staged.parent().unwrap()).unwrap().mode() & 0o777,
        0o700
    );

    batch.commit_all().await.unwrap();
    assert_eq!(batch.staged_path("old").unwrap(), root.path().join("old"));
    batch.discard().await;
    let file = |mode: u32, text: &str| (0o100_000 | mode, Some(text.as_bytes().to_vec()));
    assert_eq!(
        tree(root.path()),
        BTreeMap::from([
            ("new".to_owned(), (0o040_755, None)),
            ("new/deep".to_owned(), (0o040_755, None)),
            ("new/deep/file.cfg".to_owned(), file(0o644, "new")),
            ("old".to_owned(), file(0o640, "after")),
            ("secret".to_owned(), file(0o600, "s")),
        ])
    );
}

async fn undo_brings_back_the_very_files(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "old", "before", 0o4750);
    write(root.path(), "gone", "gone", 0o604);
    let before = tree(root.path());
    let inode = fs::metadata(root.path().join("old")).unwrap().ino();
    let modified = fs::metadata(root.path().join("old"))
        .unwrap()
        .modified()
        .unwrap();
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("old", b"after", Expected::Anything, NewFile::PUBLIC)
        .await
        .unwrap();
    batch
        .stage_write("new/a/b", b"new", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch
        .stage_remove("gone", Expected::Anything)
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    assert_ne!(tree(root.path()), before);
    assert_eq!(
        fs::metadata(root.path().join("old")).unwrap().mode() & 0o7777,
        0o4750
    );
    batch.undo().await.unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()), before);
    let after = fs::metadata(root.path().join("old")).unwrap();
    assert_eq!((after.ino(), after.modified().unwrap()), (inode, modified));
}

async fn one_change_after_another_is_committed_and_undone(on: On) {
    let (root, folder) = root(on).await;
    let mut batch = folder.batch().await.unwrap();
    for name in ["a", "b"] {
        batch
            .stage_write(name, name.as_bytes(), Expected::Absent, NewFile::PUBLIC)
            .await
            .unwrap();
    }
    batch.sync().unwrap();
    batch.commit_one("a").await.unwrap();
    assert_eq!(folder.list("").await.unwrap(), ["a"]);
    assert!(matches!(
        batch.commit_one("a").await,
        Err(FolderError::NotStaged { .. })
    ));
    assert!(matches!(
        batch.commit_one("x").await,
        Err(FolderError::NotStaged { .. })
    ));
    assert!(matches!(
        batch.undo_one("b").await,
        Err(FolderError::NotStaged { .. })
    ));
    batch.commit_one("b").await.unwrap();
    batch.undo_one("a").await.unwrap();
    batch.sync_folders().await.unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()).keys().collect::<Vec<_>>(), ["b"]);
}

async fn the_owner_is_kept_where_that_is_allowed(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "theirs", "before", 0o640);
    let path = root.path().join("theirs");
    let allowed = std::os::unix::fs::chown(&path, Some(1234), Some(4321)).is_ok();
    assert_eq!(allowed, rustix::process::geteuid().is_root());
    let before = fs::metadata(&path).unwrap();
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("theirs", b"after", Expected::Anything, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    let after = fs::metadata(&path).unwrap();
    assert_eq!(
        (after.uid(), after.gid(), after.mode()),
        (before.uid(), before.gid(), before.mode())
    );
    assert_eq!(fs::read(&path).unwrap(), b"after");
}

async fn what_was_not_expected_is_left_alone(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "there", "text", 0o644);
    let digest = folder.read("there").await.unwrap().unwrap().digest();
    let mut batch = folder.batch().await.unwrap();
    for (path, expected) in [
        ("there", Expected::Absent),
        ("there", Expected::Bytes(b"other")),
        ("there", Expected::Digest([0; 32])),
        ("none", Expected::Bytes(b"")),
        ("none/none", Expected::Digest(digest)),
    ] {
        let error = batch
            .stage_write(path, b"x", expected, NewFile::PUBLIC)
            .await
            .unwrap_err();
        assert!(
            matches!(error, FolderError::Changed { .. }),
            "{path} {expected:?}: {error}"
        );
        assert!(matches!(
            batch.stage_remove(path, expected).await,
            Err(FolderError::Changed { .. })
        ));
    }
    batch
        .stage_write("there", b"x", Expected::Digest(digest), NewFile::PUBLIC)
        .await
        .unwrap();
    let error = batch
        .stage_remove("there", Expected::Anything)
        .await
        .unwrap_err();
    assert!(matches!(error, FolderError::Twice { .. }));
}

/// What somebody else does to a file.
type Deed = fn(&Path);

async fn a_change_by_others_is_noticed_before_it_is_overwritten(on: On) {
    let others: [(&str, Deed); 5] = [
        ("rewritten", |path| fs::write(path, "theirs").unwrap()),
        ("another file", |path| {
            fs::write(path.with_extension("x"), "theirs").unwrap();
            fs::rename(path.with_extension("x"), path).unwrap();
        }),
        ("removed", |path| fs::remove_file(path).unwrap()),
        ("mode", |path| {
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("link", |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("/etc/passwd", path).unwrap();
        }),
    ];
    for (what, change) in others {
        for remove in [false, true] {
            let (root, folder) = root(on).await;
            write(root.path(), "file", "before", 0o644);
            let mut batch = folder.batch().await.unwrap();
            if remove {
                batch
                    .stage_remove("file", Expected::Bytes(b"before"))
                    .await
                    .unwrap();
            } else {
                batch
                    .stage_write(
                        "file",
                        b"after!",
                        Expected::Bytes(b"before"),
                        NewFile::PUBLIC,
                    )
                    .await
                    .unwrap();
            }
            change(&root.path().join("file"));
            let theirs = fs::symlink_metadata(root.path().join("file"))
                .ok()
                .map(|file| (file.ino(), file.mode()));
            let error = batch.commit_all().await.unwrap_err();
            assert!(
                matches!(
                    error,
                    FolderError::Changed { .. } | FolderError::Symlink { .. }
                ),
                "{what}: {error}"
            );
            batch.discard().await;
            let left = fs::symlink_metadata(root.path().join("file"))
                .ok()
                .map(|file| (file.ino(), file.mode()));
            assert_eq!(left, theirs, "{what}");
        }
    }
    // Somebody creates what the batch wants to create.
    let (root, folder) = root(on).await;
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("new", b"ours", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    write(root.path(), "new", "theirs", 0o644);
    assert!(matches!(
        batch.commit_all().await,
        Err(FolderError::Changed { .. })
    ));
    assert_eq!(fs::read(root.path().join("new")).unwrap(), b"theirs");
}

async fn the_same_bytes_written_again_are_no_change(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "file", "before", 0o644);
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("file", b"after", Expected::Anything, NewFile::PUBLIC)
        .await
        .unwrap();
    fs::remove_file(root.path().join("file")).unwrap();
    write(root.path(), "file", "before", 0o644);
    batch.commit_all().await.unwrap();
    assert_eq!(fs::read(root.path().join("file")).unwrap(), b"after");
}

async fn undo_leaves_alone_what_others_changed_after_it(on: On) {
    let (root, folder) = root(on).await;
    write(root.path(), "a", "before", 0o644);
    write(root.path(), "b", "before", 0o644);
    let mut batch = folder.batch().await.unwrap();
    for name in ["a", "b", "new"] {
        batch
            .stage_write(name, b"after", Expected::Anything, NewFile::PUBLIC)
            .await
            .unwrap();
    }
    batch.commit_all().await.unwrap();
    write(root.path(), "a", "theirs", 0o644);
    fs::remove_file(root.path().join("b")).unwrap();
    let error = batch.undo().await.unwrap_err();
    let FolderError::UndoIncomplete {
        total: 3, failures, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    assert!(
        matches!(&failures[..], [FolderError::Changed { path, .. }] if path.ends_with("a")),
        "{failures:?}"
    );
    batch.discard().await;
    assert_eq!(fs::read(root.path().join("a")).unwrap(), b"theirs");
    assert_eq!(fs::read(root.path().join("b")).unwrap(), b"before");
    assert!(!root.path().join("new").exists());
}

async fn a_folder_that_others_use_by_now_stays(on: On) {
    let (root, folder) = root(on).await;
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("made/ours", b"", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    write(root.path(), "made/theirs", "x", 0o644);
    batch.undo().await.unwrap();
    assert_eq!(folder.list("made").await.unwrap(), ["theirs"]);
}

async fn a_batch_that_is_dropped_leaves_nothing(on: On) {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("a/b");
    assert!(matches!(
        on.open(&root, false, &Reporting::default()).await,
        Err(FolderError::RootMissing { .. })
    ));
    let folder = on.open(&root, true, &Reporting::default()).await.unwrap();
    assert_eq!(folder.read("x").await.unwrap(), None);
    assert_eq!(folder.list("").await.unwrap(), Vec::<String>::new());
    assert!(!root.exists(), "reading makes nothing");
    // Twice: the second finds that the root is gone again.
    for _ in 0..2 {
        let mut batch = folder.batch().await.unwrap();
        batch
            .stage_write("x/y", b"1", Expected::Absent, NewFile::PUBLIC)
            .await
            .unwrap();
        assert!(root.exists() && folder.list("").await.unwrap().is_empty());
        batch.discard().await;
        assert!(tree(parent.path()).is_empty());
    }
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("x/y", b"1", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    batch.undo().await.unwrap();
    batch.discard().await;
    assert!(tree(parent.path()).is_empty());
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("x/y", b"1", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    batch.discard().await;
    assert_eq!(folder.read("x/y").await.unwrap().unwrap().bytes, b"1");
}

async fn what_a_killed_process_left_is_cleared_and_what_another_uses_is_not(on: On) {
    let (root, folder) = root(on).await;
    let abandoned = root.path().join(".switchover-stage-1-0");
    fs::create_dir(&abandoned).unwrap();
    fs::write(abandoned.join("0-secret"), "s").unwrap();
    let mut first = folder.batch().await.unwrap();
    first
        .stage_write("a", b"a", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    assert!(!abandoned.exists());
    let mut second = folder.batch().await.unwrap();
    second
        .stage_write("b", b"b", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    first.commit_all().await.unwrap();
    second.commit_all().await.unwrap();
    first.discard().await;
    second.discard().await;
    assert_eq!(tree(root.path()).keys().collect::<Vec<_>>(), ["a", "b"]);
}

async fn thousands_of_files_are_one_batch(on: On) {
    let (root, folder) = root(on).await;
    let text = vec![b'x'; 1024];
    let mut figures = Vec::new();
    for (round, expected) in [
        ("new", Expected::Absent),
        ("over existing", Expected::Bytes(&text)),
    ] {
        let started = std::time::Instant::now();
        let mut batch = folder.batch().await.unwrap();
        let bytes = vec![if round == "new" { b'x' } else { b'y' }; 1024];
        let names: Vec<String> = (0..2_000).map(|number| format!("{number}.cfg")).collect();
        let changes: Vec<Change<'_>> = names
            .iter()
            .map(|path| Change::Write {
                path,
                bytes: &bytes,
                expected,
                new: NewFile::PUBLIC,
            })
            .collect();
        batch.stage(&changes).await.unwrap();
        let staged = started.elapsed();
        batch.commit_all().await.unwrap();
        let committed = started.elapsed();
        batch.discard().await;
        figures.push(format!(
            "{round}: staged {staged:?}, durable in place {committed:?}, done {:?}",
            started.elapsed()
        ));
    }
    // Shown with --nocapture.
    println!("{}", figures.join("\n"));
    assert_eq!(folder.list("").await.unwrap().len(), 2_000);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2_000);
    assert_eq!(
        folder.read("1999.cfg").await.unwrap().unwrap().bytes,
        vec![b'y'; 1024]
    );
}

async fn everything_is_told(on: On) {
    let (recorder, reporting) = recording(&[("s", "correct-horse-battery")]);
    let root = tempfile::tempdir().unwrap();
    let folder = on.open(root.path(), false, &reporting).await.unwrap();
    let mut batch = folder.batch().await.unwrap();
    folder.read("a").await.unwrap();
    batch
        .stage_write(
            "a",
            b"correct-horse-battery",
            Expected::Absent,
            NewFile::with_mode(0o600),
        )
        .await
        .unwrap();
    batch.commit_all().await.unwrap();
    folder.read("a").await.unwrap();
    folder.list("").await.unwrap();
    batch.undo().await.unwrap();
    let lines = recorder
        .lines()
        .join("\n")
        .replace(&SSHD.url(root.path()), "/root")
        .replace(root.path().to_str().unwrap(), "/root");
    let told: Vec<&str> = lines
        .lines()
        .filter(|line| !line.starts_with("connected to ssh://"))
        .filter_map(|line| line.split(" File").next()?.split(" Folder").next())
        .collect();
    assert_eq!(
        told,
        [
            "read /root/a, absent",
            "staged /root/a, 21 bytes",
            "wrote /root/a",
            "read /root/a, 21 bytes",
            "listed /root, 1 files",
            "restored /root/a",
        ]
    );
    assert!(!lines.contains("horse"));
}

on_both!(
    files_are_read_and_listed,
    a_batch_is_seen_only_when_committed,
    undo_brings_back_the_very_files,
    one_change_after_another_is_committed_and_undone,
    the_owner_is_kept_where_that_is_allowed,
    what_was_not_expected_is_left_alone,
    a_change_by_others_is_noticed_before_it_is_overwritten,
    the_same_bytes_written_again_are_no_change,
    undo_leaves_alone_what_others_changed_after_it,
    a_folder_that_others_use_by_now_stays,
    a_batch_that_is_dropped_leaves_nothing,
    thousands_of_files_are_one_batch,
    everything_is_told,
);

#[tokio::test]
async fn what_a_killed_process_left_is_cleared() {
    what_a_killed_process_left_is_cleared_and_what_another_uses_is_not(On::Here).await;
}
