//! What the engine does with the plugin, as far as these tests need it.

use std::collections::BTreeMap;

use serde_json::Value;
use switchover_plugin_kamailio::Kamailio;
use switchover_sdk::{
    Action, Answer, Change, Content, Effect, FileContent, Plugin, Procedure, Resource, Response,
    View, WriteFile,
};

use crate::topology::plain_target;

/// The answers where the other file is absent; none for a file that is absent.
pub(crate) fn answers(file: Option<&str>) -> Vec<Answer> {
    with_main(file, None)
}

pub(crate) fn with_main(file: Option<&str>, main: Option<&str>) -> Vec<Answer> {
    [("file", file), ("main", main)]
        .map(|(query, text)| Answer {
            query: query.into(),
            response: match text {
                Some(text) => Response::File(text.as_bytes().into()),
                None => Response::Absent,
            },
        })
        .into()
}

pub(crate) fn by_address(resources: &[Resource]) -> BTreeMap<String, Value> {
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

pub(crate) fn desired(view: &View) -> Vec<Resource> {
    Kamailio::desired(view, &plain_target()).unwrap()
}

pub(crate) fn current(file: Option<&str>) -> Vec<Resource> {
    Kamailio::current(&plain_target(), &answers(file)).unwrap()
}

/// What a plan holds that goes from what the file says to `wanted`, when `owned` is what earlier plans made.
pub(crate) fn changes(file: Option<&str>, wanted: &[Resource], owned: &[Resource]) -> Vec<Change> {
    let have = by_address(&current(file));
    let want = by_address(wanted);
    let change = |resource: &Resource, action| Change {
        address: resource.address.clone(),
        kind: resource.kind.clone(),
        action,
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

/// The file after the changes.
pub(crate) fn after(file: Option<&str>, changes: &[Change]) -> String {
    let procedure = Kamailio::procedure(&plain_target(), &answers(file), changes).unwrap();
    written(&procedure).1
}

/// Path and text of the one file that is written.
pub(crate) fn written(procedure: &Procedure) -> (String, String) {
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
