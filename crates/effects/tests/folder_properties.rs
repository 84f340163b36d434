//! Whatever is there and whatever is changed: undoing brings it back.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use switchover_effects::folder::{Change, Expected, NewFile};

use crate::folder::{root, tree, write};
use crate::on::{On, on_both};

/// Names that meet: files, folders, and files in folders.
fn name() -> impl Strategy<Value = String> {
    "(a|b|c/a|c/b|c/d/a|e/a)"
}

fn mode() -> impl Strategy<Value = u32> {
    prop::sample::select(vec![0o644, 0o600, 0o755])
}

/// Files by name: text and mode; and by name what is to become of them.
type Case = (
    BTreeMap<String, (String, u32)>,
    BTreeMap<String, Option<String>>,
);

async fn undo_after_commit_changes_nothing(on: On) {
    let strategy = (
        prop::collection::btree_map(name(), ("[xy]{0,3}", mode()), 0..5),
        prop::collection::btree_map(name(), prop::option::of("[xy]{0,3}"), 0..6),
    );
    let mut runner = TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    // Each case over a connection of its own takes its time.
    let cases = if on == On::Here { 64 } else { 16 };
    for _ in 0..cases {
        let case = strategy.new_tree(&mut runner).unwrap().current();
        commit_and_undo(on, &case).await;
    }
}

async fn commit_and_undo(on: On, (existing, changes): &Case) {
    let (root, folder) = root(on).await;
    for (path, (text, mode)) in existing {
        write(root.path(), path, text, *mode);
    }
    let before = tree(root.path());
    let mut batch = folder.batch().await.unwrap();
    let changes: Vec<Change<'_>> = changes
        .iter()
        .map(|(path, text)| match text {
            Some(text) => Change::Write {
                path,
                bytes: text.as_bytes(),
                expected: Expected::Anything,
                new: NewFile::PUBLIC,
            },
            None => Change::Remove {
                path,
                expected: Expected::Anything,
            },
        })
        .collect();
    batch.stage(&changes).await.unwrap();
    batch.commit_all().await.unwrap();
    let paths: Vec<&str> = changes.iter().map(Change::path).collect();
    let found = folder.read_all(&paths).await.unwrap();
    for (change, found) in changes.iter().zip(found) {
        let wanted = match change {
            Change::Write { bytes, .. } => Some(bytes.to_vec()),
            Change::Remove { .. } => None,
        };
        assert_eq!(found.map(|content| content.bytes), wanted, "{change:?}");
    }
    batch.undo().await.unwrap();
    batch.discard().await;
    assert_eq!(tree(root.path()), before, "{existing:?} {changes:?}");
}

on_both!(undo_after_commit_changes_nothing);
