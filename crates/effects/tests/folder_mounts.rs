use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use switchover_effects::Reporting;
use switchover_effects::folder::{Expected, Folder, FolderError, NewFile};

use crate::folder::tree;
use crate::namespace::{bound_by_permissions, in_mount_namespace, run};
use crate::on::{On, on_both};

async fn open(on: On, root: &std::path::Path) -> Folder {
    on.open(root, false, &Reporting::default()).await.unwrap()
}

async fn a_full_disk_fails_while_staging_and_leaves_nothing(on: On) {
    in_mount_namespace(async || {
        let root = tempfile::tempdir().unwrap();
        run(
            &["mount", "-t", "tmpfs", "-o", "size=64k", "none"],
            root.path(),
        );
        fs::write(root.path().join("old"), "before").unwrap();
        let folder = open(on, root.path()).await;
        let mut batch = folder.batch().await.unwrap();
        batch
            .stage_write("old", b"after", Expected::Anything, NewFile::PUBLIC)
            .await
            .unwrap();
        let error = batch
            .stage_write("large", &[0; 100_000], Expected::Absent, NewFile::PUBLIC)
            .await
            .unwrap_err();
        assert!(matches!(error, FolderError::Full { .. }), "{error:?}");
        // The failed attempt takes no space and stands in nobody's way.
        batch
            .stage_write("large", &[0; 30_000], Expected::Absent, NewFile::PUBLIC)
            .await
            .unwrap();
        batch.discard().await;
        assert_eq!(tree(root.path()).keys().collect::<Vec<_>>(), ["old"]);
        assert_eq!(fs::read(root.path().join("old")).unwrap(), b"before");

        // What is in place is taken back without any space left.
        let mut batch = folder.batch().await.unwrap();
        batch
            .stage_write("old", &[1; 9000], Expected::Anything, NewFile::PUBLIC)
            .await
            .unwrap();
        batch
            .stage_write("new", &[1; 9000], Expected::Absent, NewFile::PUBLIC)
            .await
            .unwrap();
        batch.commit_all().await.unwrap();
        assert!(fs::write(root.path().join("filler"), [0; 100_000]).is_err());
        batch.undo().await.unwrap();
        batch.discard().await;
        assert_eq!(fs::read(root.path().join("old")).unwrap(), b"before");
        assert!(!root.path().join("new").exists());
    })
    .await;
}

async fn a_read_only_file_system_fails_while_staging(on: On) {
    in_mount_namespace(async || {
        let root = tempfile::tempdir().unwrap();
        run(&["mount", "-t", "tmpfs", "none"], root.path());
        fs::write(root.path().join("old"), "before").unwrap();
        fs::create_dir(root.path().join("sub")).unwrap();
        run(&["mount", "-o", "remount,bind,ro"], root.path());
        let folder = open(on, root.path()).await;
        for path in ["old", "new", "sub/new", "none/new"] {
            let mut batch = folder.batch().await.unwrap();
            let error = batch
                .stage_write(path, b"x", Expected::Anything, NewFile::PUBLIC)
                .await
                .unwrap_err();
            assert!(
                matches!(error, FolderError::ReadOnly { .. }),
                "{path}: {error:?}"
            );
        }
        assert_eq!(folder.read("old").await.unwrap().unwrap().bytes, b"before");
    })
    .await;
}

async fn other_mounts_below_the_root_are_reached(on: On) {
    in_mount_namespace(async || {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        for name in ["tmpfs", "bind"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        run(
            &["mount", "-t", "tmpfs", "none"],
            &root.path().join("tmpfs"),
        );
        // The same file system, and yet a rename cannot cross over.
        run(
            &["mount", "--bind", elsewhere.path().to_str().unwrap()],
            &root.path().join("bind"),
        );
        let folder = open(on, root.path()).await;
        for name in ["a", "tmpfs/a", "bind/a"] {
            fs::write(root.path().join(name), "before").unwrap();
        }
        let before = tree(root.path());
        let mut batch = folder.batch().await.unwrap();
        for name in ["a", "tmpfs/a", "tmpfs/x/y", "bind/a", "bind/x/y"] {
            batch
                .stage_write(name, b"after", Expected::Anything, NewFile::PUBLIC)
                .await
                .unwrap();
        }
        batch.commit_all().await.unwrap();
        assert_eq!(fs::read(elsewhere.path().join("x/y")).unwrap(), b"after");
        assert_eq!(
            folder.read("tmpfs/a").await.unwrap().unwrap().bytes,
            b"after"
        );
        batch.undo().await.unwrap();
        batch.discard().await;
        assert_eq!(tree(root.path()), before);
    })
    .await;
}

async fn a_folder_that_may_not_be_written_fails_while_staging(on: On) {
    bound_by_permissions(async || {
        let root = tempfile::tempdir().unwrap();
        let closed = root.path().join("closed");
        fs::create_dir(&closed).unwrap();
        fs::write(closed.join("file"), "before").unwrap();
        fs::write(root.path().join("unreadable"), "").unwrap();
        fs::set_permissions(
            root.path().join("unreadable"),
            fs::Permissions::from_mode(0o000),
        )
        .unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        let folder = open(on, root.path()).await;
        let mut batch = folder.batch().await.unwrap();
        for path in ["closed/file", "closed/new", "unreadable"] {
            let error = batch
                .stage_write(path, b"x", Expected::Anything, NewFile::PUBLIC)
                .await
                .unwrap_err();
            assert!(
                matches!(error, FolderError::Denied { .. }),
                "{path}: {error:?}"
            );
        }
        assert!(matches!(
            folder.read("unreadable").await,
            Err(FolderError::Denied { .. })
        ));
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    })
    .await;
}

on_both!(
    a_full_disk_fails_while_staging_and_leaves_nothing,
    a_read_only_file_system_fails_while_staging,
    other_mounts_below_the_root_are_reached,
    a_folder_that_may_not_be_written_fails_while_staging,
);
