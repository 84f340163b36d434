//! On file systems that cannot exchange two names, which no test can count on to be mounted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::LocalFolder;
use crate::Reporting;
use crate::folder::{Expected, NewFile};

#[test]
fn without_exchange_a_copy_is_kept_and_restored() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("old");
    fs::write(&file, "before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let folder = LocalFolder::open(root.path(), false, &Reporting::default()).unwrap();
    for undo in [true, false] {
        let mut batch = folder.batch().unwrap();
        batch
            .stage_write("new", b"new", Expected::Anything, NewFile::PUBLIC)
            .unwrap();
        batch.forbid_exchange();
        batch
            .stage_write("old", b"after", Expected::Bytes(b"before"), NewFile::PUBLIC)
            .unwrap();
        batch.sync().unwrap();
        for path in batch.staged() {
            batch.commit_one(&path).unwrap();
        }
        assert_eq!(fs::read(&file).unwrap(), b"after");
        if undo {
            batch.undo().unwrap();
            assert_eq!(fs::read(&file).unwrap(), b"before");
            assert!(!root.path().join("new").exists());
        }
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
            0o640
        );
        drop(batch);
    }
    let mut names = folder.list("").unwrap();
    names.sort_unstable();
    assert_eq!(names, ["new", "old"]);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}
