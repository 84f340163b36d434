//! What the engine does with the plugin, as far as these tests need it.

use switchover_plugin_isc_dhcpd::IscDhcpd;
use switchover_sdk::{Answer, Change, Plugin, Resource, View};
use switchover_testing::file_answer;
pub(crate) use switchover_testing::{by_address, written};

use crate::topology::plain_target;

/// The answers where the other file is absent; none for a file that is absent.
pub(crate) fn answers(file: Option<&str>) -> Vec<Answer> {
    with_main(file, None)
}

pub(crate) fn with_main(file: Option<&str>, main: Option<&str>) -> Vec<Answer> {
    [("file", file), ("main", main)]
        .map(|(query, text)| file_answer(query, text))
        .into()
}

pub(crate) fn desired(view: &View) -> Vec<Resource> {
    IscDhcpd::desired(view, &plain_target()).unwrap()
}

pub(crate) fn current(file: Option<&str>) -> Vec<Resource> {
    IscDhcpd::current(&plain_target(), &answers(file)).unwrap()
}

/// What a plan holds that goes from what the file says to `wanted`, when `owned` is what earlier plans made.
pub(crate) fn changes(file: Option<&str>, wanted: &[Resource], owned: &[Resource]) -> Vec<Change> {
    switchover_testing::changes(&current(file), wanted, owned)
}

/// The file after the changes.
pub(crate) fn after(file: Option<&str>, changes: &[Change]) -> String {
    let procedure = IscDhcpd::procedure(&plain_target(), &answers(file), changes).unwrap();
    written(&procedure).1
}
