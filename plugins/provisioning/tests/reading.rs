//! `queries` and `current`: what is read, and what is left alone.

use switchover_sdk::{Answer, Content, Plugin, Query, Response, Target};

use crate::topology::target;
use switchover_plugin_provisioning::Provisioning;

const WANTED: [&str; 2] = ["file/9c7514000101.cfg", "file/9c7514000102.cfg"];

fn queries(target: &Target, round: u32, answers: &[Answer]) -> Vec<Query> {
    Provisioning::queries(target, &WANTED.map(Into::into), round, answers).unwrap()
}

fn listing(names: &[&str]) -> Answer {
    Answer {
        query: "listing".into(),
        response: Response::Folder(names.iter().map(|&name| name.into()).collect()),
    }
}

#[test]
fn the_folder_is_listed_first() {
    assert_eq!(queries(&target(), 0, &[]), [Query::folder("listing", "")]);
}

#[test]
fn only_wanted_and_owned_files_that_are_there_are_read() {
    let target = Target {
        owned: vec!["file/9c7514000999.cfg".into(), "file/gone.cfg".into()],
        ..target()
    };
    let folder = listing(&[
        "9c7514000101.cfg",
        "9c7514000999.cfg",
        "foreign.cfg",
        "index.html",
    ]);
    assert_eq!(
        queries(&target, 1, std::slice::from_ref(&folder)),
        [
            Query::file("file/9c7514000101.cfg", "9c7514000101.cfg"),
            Query::file("file/9c7514000999.cfg", "9c7514000999.cfg"),
        ],
    );
    assert_eq!(queries(&target, 2, &[folder]), []);
}

#[test]
fn an_empty_or_missing_folder_needs_no_second_round() {
    assert_eq!(queries(&target(), 1, &[listing(&[])]), []);
    assert_eq!(
        queries(
            &target(),
            1,
            &[Answer {
                query: "listing".into(),
                response: Response::Absent
            }]
        ),
        []
    );
}

#[test]
fn a_file_exists_as_its_answer_holds_it() {
    let answers = [
        listing(&["9c7514000101.cfg", "9c7514000102.cfg"]),
        Answer {
            query: WANTED[0].into(),
            response: Response::File(b"anything, \xff even this".to_vec()),
        },
        Answer {
            query: WANTED[1].into(),
            response: Response::Absent,
        },
    ];
    let current = Provisioning::current(&target(), &answers).unwrap();
    assert_eq!(
        current.len(),
        1,
        "a file that vanished after the listing is not there"
    );
    assert_eq!(current[0].address, WANTED[0]);
    assert_eq!(current[0].kind, "file");
    assert_eq!(current[0].content, Content::Answer(WANTED[0].into()));
}
