use std::cell::Cell;
use std::fs;

use switchover_effects::store::Store;

use super::*;
use crate::state::tests::{block_on, linked, record, state};

const DAY: Duration = Duration::from_hours(24);

fn last(generations: usize) -> Retention {
    Retention {
        generations,
        younger_than: None,
    }
}

/// Generations 1 to 4, the two in the middle with the same contents.
async fn four(state: &State) {
    for (number, text) in [(1, "a"), (2, "b"), (3, "b"), (4, "c")] {
        record(state, number, text).await;
    }
}

async fn collect(state: &State, retention: Retention, now: Timestamp) -> Collected {
    let found = state.collectable(retention, now).await.unwrap();
    state.remove(&found, || true).await.unwrap();
    found
}

#[test]
fn the_last_stay_with_what_they_need_and_nothing_else_does() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        four(&state).await;
        let now = Timestamp::UNIX_EPOCH;
        let would = state.collectable(last(2), now).await.unwrap();
        assert_eq!((would.generations.as_slice(), would.kept), (&[1, 2][..], 2));
        assert_eq!(would.contents.len(), 1, "the contents of 2 are those of 3");
        assert_eq!(state.numbers().await.unwrap(), [1, 2, 3, 4]);
        assert_eq!(collect(&state, last(2), now).await, would);
        assert_eq!(state.numbers().await.unwrap(), [3, 4]);
        for number in [3, 4] {
            let kept = state.generation(number).await.unwrap();
            state.contents_of(&kept).await.unwrap();
            state.sources(kept.sources.as_ref().unwrap()).await.unwrap();
        }
        collect(&state, last(0), now).await;
        assert_eq!(state.numbers().await.unwrap(), [4]);
        assert!(collect(&state, last(1), now).await.is_empty());
    });
}

/// A generation stays that one of both keeps.
#[test]
fn what_is_young_stays_beyond_the_last() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let epoch = Timestamp::UNIX_EPOCH;
        for number in 1..=6_u32 {
            let generation = Generation {
                created: epoch + DAY * number,
                ..crate::state::tests::generation(number.into())
            };
            linked(&state, generation).await.unwrap();
        }
        let now = epoch + DAY * 7;
        let old = async |generations, days: u32| {
            let retention = Retention {
                generations,
                younger_than: Some(DAY * days),
            };
            state.collectable(retention, now).await.unwrap().generations
        };
        assert_eq!(old(2, 1).await, [1, 2, 3, 4]);
        assert_eq!(old(1, 4).await, [1, 2, 3], "four days old is not younger");
        assert_eq!(old(5, 1).await, [1]);
        assert_eq!(old(1, 1).await, [1, 2, 3, 4, 5]);
        assert_eq!(old(1, u32::MAX).await, [0_u64; 0]);
    });
}

#[test]
fn where_one_that_stays_cannot_be_read_nothing_goes() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        four(&state).await;
        let path = folder.path().join(".switchover/generations/000004.json");
        fs::write(path, "{").unwrap();
        let error = state.collectable(last(1), Timestamp::UNIX_EPOCH).await;
        assert!(matches!(
            error.unwrap_err(),
            StateError::Damaged { number: 4, .. }
        ));
    });
}

/// One that goes need not be read: that is the way out where it cannot be.
#[test]
fn a_damaged_one_that_is_old_goes() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        four(&state).await;
        let path = folder.path().join(".switchover/generations/000001.json");
        fs::write(path, "{").unwrap();
        let found = collect(&state, last(3), Timestamp::UNIX_EPOCH).await;
        assert_eq!(found.generations, [1]);
    });
}

/// Whoever loses the lease stops at once, and what is left can be used.
#[test]
fn nothing_is_removed_under_somebody_elses_lease() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        four(&state).await;
        let found = state
            .collectable(last(1), Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        let left = Cell::new(2);
        let alone = || {
            left.set(left.get() - 1);
            left.get() >= 0
        };
        let stopped = state.remove(&found, alone).await.unwrap_err();
        assert!(matches!(stopped, StateError::NotAlone), "{stopped}");
        assert_eq!(state.numbers().await.unwrap(), [3, 4]);
        for (_, kept) in state.generations().await.unwrap() {
            state.contents_of(&kept.unwrap()).await.unwrap();
        }
        let store: &Store = state.store();
        assert_eq!(store.list(blob::FOLDER).await.unwrap().len(), 4);
    });
}

#[test]
fn a_topology_says_what_stays() {
    let retention = |site: &str| {
        let text = format!("site \"a\" mode=\"hot-standby\" {{ {site}; }}\n");
        let root = std::path::Path::new("");
        let loaded = switchover_topology::load_text("switchover.kdl", text, root);
        assert!(loaded.topology.site.is_some(), "{:?}", loaded.diagnostics);
        Retention::of(&loaded.topology)
    };
    assert_eq!(retention("mode \"hot-standby\""), None);
    let young = Retention {
        generations: 50,
        younger_than: Some(DAY * 90),
    };
    assert_eq!(retention("retention younger-than=\"90d\""), Some(young));
    assert_eq!(retention("retention generations=7"), Some(last(7)));
}
