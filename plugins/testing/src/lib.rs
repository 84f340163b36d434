//! What the tests of plugins share: parts of a small topology, and what the engine does between two calls.
//!
//! A plugin must never depend on it, only its tests. It panics where a test would fail.
//!
//! Read [`changes`] first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod adoption;
mod declared;
mod parts;

use std::collections::BTreeMap;

use serde_json::Value;
use switchover_sdk::{
    Action, Answer, Change, Content, Effect, FileContent, Procedure, Resource, Response, WriteFile,
};

pub use adoption::{adoption, handed_over, view_of};
pub use declared::every_finding_is_declared;
pub use parts::{addresses, device, network, option, server, serves, text};

/// The answer to the query of one file; none for a file that is absent.
#[must_use]
pub fn file_answer(query: &str, file: Option<&str>) -> Answer {
    Answer {
        query: query.into(),
        response: match file {
            Some(text) => Response::File(text.as_bytes().into()),
            None => Response::Absent,
        },
    }
}

/// Objects by their addresses.
///
/// # Panics
/// Where one is no object, or two have the same address.
pub fn by_address(resources: &[Resource]) -> BTreeMap<String, Value> {
    let map: BTreeMap<_, _> = resources
        .iter()
        .map(|resource| {
            let Content::Object(json) = &resource.content else {
                panic!("`{}` is no object", resource.address);
            };
            (
                resource.address.clone(),
                serde_json::from_str(json).unwrap(),
            )
        })
        .collect();
    assert_eq!(map.len(), resources.len(), "addresses are unique");
    map
}

/// What a plan holds that goes from what there is to `wanted`, when `owned` is what earlier plans made.
#[must_use]
pub fn changes(current: &[Resource], wanted: &[Resource], owned: &[Resource]) -> Vec<Change> {
    let have = by_address(current);
    let want = by_address(wanted);
    let change = |resource: &Resource, action| Change {
        address: resource.address.clone(),
        kind: resource.kind.clone(),
        action,
        hint: resource.hint.clone(),
        before: have.get(&resource.address).map(ToString::to_string),
        after: want.get(&resource.address).map(ToString::to_string),
    };
    let upserts = wanted
        .iter()
        .filter_map(|resource| match have.get(&resource.address) {
            None => Some(change(resource, Action::Create)),
            Some(before) if *before != want[&resource.address] => {
                Some(change(resource, Action::Update))
            }
            Some(_) => None,
        });
    let deletes = owned
        .iter()
        .filter(|resource| {
            have.contains_key(&resource.address) && !want.contains_key(&resource.address)
        })
        .map(|resource| change(resource, Action::Delete));
    upserts.chain(deletes).collect()
}

/// Path and text of the one file that is written.
///
/// # Panics
/// Where it is not one.
#[must_use]
pub fn written(procedure: &Procedure) -> (String, String) {
    let files: Vec<_> = procedure
        .commit
        .iter()
        .filter_map(|step| match &step.effect {
            Effect::WriteFile(WriteFile {
                path,
                content: FileContent::Text(text),
            }) => Some((path.clone(), text.clone())),
            _ => None,
        })
        .collect();
    let [file] = files.as_slice() else {
        panic!("{files:?}")
    };
    file.clone()
}
