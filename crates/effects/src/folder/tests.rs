//! On file systems that cannot exchange two names, which no test can count on to be mounted.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::{Expected, Folder, NewFile};
use crate::Reporting;

#[test]
fn without_exchange_a_copy_is_kept_and_restored() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("old");
    fs::write(&file, "before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let folder = Folder::open(root.path(), false, &Reporting::default()).unwrap();
    for undo in [true, false] {
        let mut batch = folder.batch().unwrap();
        batch
            .stage_write("new", b"new", Expected::Anything, NewFile::Public)
            .unwrap();
        batch.forbid_exchange();
        batch
            .stage_write("old", b"after", Expected::Bytes(b"before"), NewFile::Public)
            .unwrap();
        batch.commit_all().unwrap();
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
    assert_eq!(folder.list("").unwrap(), ["new", "old"]);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}
