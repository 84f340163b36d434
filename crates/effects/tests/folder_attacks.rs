use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use proptest::prelude::*;
use rustix::fs::{CWD, Mode, mkfifoat};
use switchover_effects::Reporting;
use switchover_effects::folder::{Expected, Folder, FolderError, NewFile};
use tempfile::TempDir;

use crate::on::{On, on_both};

/// A folder with a root in it and a file beside the root.
async fn root(on: On) -> (TempDir, Folder) {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("root")).unwrap();
    fs::write(parent.path().join("outside"), "untouched").unwrap();
    let folder = on
        .open(&parent.path().join("root"), false, &Reporting::default())
        .await
        .unwrap();
    (parent, folder)
}

fn root_here() -> (TempDir, Folder) {
    let parent = tempfile::tempdir().unwrap();
    fs::create_dir(parent.path().join("root")).unwrap();
    let folder = Folder::open(&parent.path().join("root"), false, &Reporting::default()).unwrap();
    (parent, folder)
}

/// What reading and both changes of a path say; none of them may succeed.
async fn attempts(folder: &Folder, path: &str) -> [FolderError; 3] {
    let mut batch = folder.batch().await.unwrap();
    [
        folder.read(path).await.expect_err(path),
        batch
            .stage_write(path, b"evil", Expected::Anything, NewFile::PUBLIC)
            .await
            .expect_err(path),
        batch
            .stage_remove(path, Expected::Anything)
            .await
            .expect_err(path),
    ]
}

async fn a_name_outside_of_the_root_is_refused(on: On) {
    let (parent, folder) = root(on).await;
    let outside = parent.path().join("outside");
    let long = "a".repeat(256);
    let deep = "a/".repeat(3000);
    for path in [
        "",
        "/",
        "..",
        ".",
        "../outside",
        "a/../../outside",
        "a/..",
        "./a",
        "a//b",
        "a/",
        "/etc/passwd",
        outside.to_str().unwrap(),
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "\u{7f}",
        ".switchover-stage-1-0/0",
        &long,
        &deep,
    ] {
        for error in attempts(&folder, path).await {
            assert!(
                matches!(error, FolderError::Path { .. }),
                "{path:?}: {error}"
            );
        }
        assert!(
            folder.absolute(path).is_err()
                && folder.batch().await.unwrap().staged_path(path).is_err()
        );
        assert!(path.is_empty() || folder.list(path).await.is_err());
    }
}

async fn a_link_in_the_place_of_a_file_is_neither_followed_nor_replaced(on: On) {
    let (parent, folder) = root(on).await;
    let root = parent.path().join("root");
    fs::write(root.join("inside"), "inside").unwrap();
    for (name, target) in [
        ("out", "../outside"),
        ("absolute", "/etc/passwd"),
        ("in", "inside"),
        ("none", "nowhere"),
        ("loop", "loop"),
    ] {
        symlink(target, root.join(name)).unwrap();
        for error in attempts(&folder, name).await {
            assert!(
                matches!(error, FolderError::Symlink { .. }),
                "{name}: {error:?}"
            );
        }
        assert_eq!(
            fs::read_link(root.join(name)).unwrap().to_str().unwrap(),
            target
        );
    }
    assert_eq!(folder.list("").await.unwrap(), ["inside"]);
    assert_eq!(
        fs::read(parent.path().join("outside")).unwrap(),
        b"untouched"
    );
}

async fn a_link_on_the_way_cannot_lead_out(on: On) {
    let (parent, folder) = root(on).await;
    let root = parent.path().join("root");
    fs::create_dir(root.join("real")).unwrap();
    fs::write(root.join("real/file"), "real").unwrap();
    let absolute = parent.path().to_str().unwrap().to_owned();
    for (name, target) in [
        ("up", ".."),
        ("etc", "/etc"),
        ("absolute", absolute.as_str()),
        ("twice", "up/.."),
        ("sly", "real/../.."),
    ] {
        symlink(target, root.join(name)).unwrap();
        for error in attempts(&folder, &format!("{name}/outside")).await {
            assert!(
                matches!(error, FolderError::Outside { .. }),
                "{name}: {error:?}"
            );
        }
        assert!(folder.list(name).await.is_err());
    }
    // One that stays inside is the administrator's own arrangement.
    symlink("real", root.join("alias")).unwrap();
    assert_eq!(
        folder.read("alias/file").await.unwrap().unwrap().bytes,
        b"real"
    );
    assert_eq!(
        fs::read(parent.path().join("outside")).unwrap(),
        b"untouched"
    );
}

async fn a_folder_that_becomes_a_link_is_noticed(on: On) {
    let (parent, folder) = root(on).await;
    let root = parent.path().join("root");
    let mut batch = folder.batch().await.unwrap();
    batch
        .stage_write("made/outside", b"evil", Expected::Absent, NewFile::PUBLIC)
        .await
        .unwrap();
    symlink("..", root.join("made")).unwrap();
    assert!(matches!(
        batch.commit_all().await,
        Err(FolderError::Outside { .. })
    ));
    assert_eq!(
        fs::read(parent.path().join("outside")).unwrap(),
        b"untouched"
    );
}

async fn what_is_no_file_is_left_alone(on: On) {
    let (parent, folder) = root(on).await;
    let root = parent.path().join("root");
    mkfifoat(CWD, root.join("pipe"), Mode::RUSR | Mode::WUSR).unwrap();
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    fs::create_dir(root.join("folder")).unwrap();
    for name in ["pipe", "socket", "folder"] {
        for error in attempts(&folder, name).await {
            assert!(
                matches!(error, FolderError::NotAFile { .. }),
                "{name}: {error:?}"
            );
        }
    }
    assert_eq!(folder.list("").await.unwrap(), Vec::<String>::new());
}

async fn a_root_that_is_a_file_is_refused(on: On) {
    let (parent, _) = root(on).await;
    let error = on
        .open(&parent.path().join("outside"), true, &Reporting::default())
        .await
        .unwrap_err();
    assert!(matches!(error, FolderError::NotAFolder { .. }), "{error}");
}

async fn a_file_beyond_the_limit_is_not_read(on: On) {
    let (parent, folder) = root(on).await;
    let file = fs::File::create(parent.path().join("root/large")).unwrap();
    file.set_len(switchover_effects::folder::MAX_FILE_BYTES + 1)
        .unwrap();
    assert!(matches!(
        folder.read("large").await,
        Err(FolderError::TooLarge { .. })
    ));
}

on_both!(
    a_name_outside_of_the_root_is_refused,
    a_link_in_the_place_of_a_file_is_neither_followed_nor_replaced,
    a_link_on_the_way_cannot_lead_out,
    a_folder_that_becomes_a_link_is_noticed,
    what_is_no_file_is_left_alone,
    a_root_that_is_a_file_is_refused,
    a_file_beyond_the_limit_is_not_read,
);

proptest! {
    #[test]
    fn every_name_is_refused_or_stays_below(path in r"(/|\.|\.\.|a|\\|\PC|\x00){0,8}") {
        let (parent, folder) = root_here();
        if let Ok(absolute) = folder.absolute(&path) {
            let root = parent.path().join("root");
            prop_assert!(absolute.starts_with(&root));
            let mut parts = absolute.strip_prefix(&root).unwrap().components();
            prop_assert!(parts.all(|part| matches!(part, std::path::Component::Normal(_))));
        }
    }
}
