//! What to read: single answers, and lists page by page.
//!
//! What is wanted reaches `current` only through the ids of queries: the part in the synchronisation and the extensions
//! whose registrations are asked for stand in them.

use switchover_sdk::{Answer, Failure, HttpRequest, Query, json};

use crate::manifest::{Settings, path};
use crate::place::Part;
use crate::records::{List, REGISTERED, page_id, pages};
use crate::shape::{kind, name};
use crate::users::{RESTORED, WRITTEN};

/// Where WMS explains an error.
pub(crate) const REASON: &str = "/reason";

/// Bytes of extensions in one id; ids may have 512.
const EXTENSIONS_IN_ID: usize = 400;

pub(crate) fn get(path: impl Into<String>) -> HttpRequest {
    HttpRequest::get(path).reason(REASON)
}

/// One page of a list.
pub(crate) fn page(list: List, count: usize, start: usize) -> HttpRequest {
    get(format!("{}?count={count}&start={start}", list.path()))
}

/// The first round: what is read whole, and the first page of each list that matters.
pub(crate) fn first(settings: &Settings, wanted: &[String]) -> Vec<Query> {
    let mut queries = Vec::new();
    let names = |kind: &'static str| wanted.iter().filter_map(move |one| name(one, kind));
    let mut is_overwritten = false;
    for part in names(kind::PART) {
        is_overwritten = part == Part::Destination.word();
        let id = format!("{}/{part}", kind::PART);
        queries.push(Query::http(id, get(path::VERSION)));
    }
    let locale = [&settings.language_field, &settings.region_field];
    queries.push(
        Query::http(kind::LOCALE, get(path::SETTINGS))
            .rests_on(locale.map(|field| json::pointer(["result", field]))),
    );
    queries.push(Query::http(kind::NTP, get(path::NTP)).rests_on(["/result/ntpServer"]));
    for list in List::ALL {
        // Where a synchronisation overwrites everything, users are read only to see whether it does.
        let matters = match list {
            List::Users => true,
            List::Members => settings.members.is_on(),
            List::Devices => !is_overwritten,
            List::Trunks => !is_overwritten && settings.trunks.is_on(),
            List::CallGroups => !is_overwritten && settings.call_groups.is_on(),
        };
        if matters {
            queries.push(page_query(settings, list, 0));
        }
    }
    if is_overwritten {
        // Whether telephones use this PBX as their second one shows in who is registered.
        queries.push(registrations(REGISTERED));
    }
    let mut ids: Vec<String> = Vec::new();
    for extension in names(kind::REGISTRATION) {
        let extension = extension.replace('#', "^");
        match ids.last_mut() {
            Some(id) if id.len() + extension.len() < EXTENSIONS_IN_ID => {
                id.push(',');
                id.push_str(&extension);
            }
            _ => ids.push(format!("{}/{extension}", kind::REGISTRATION)),
        }
    }
    let ids = ids.into_iter();
    queries.extend(ids.map(registrations));
    queries
}

/// Telephones come and go: no step rests on who is registered.
fn registrations(id: impl Into<String>) -> Query {
    Query::http(id, get(path::REGISTRATIONS)).rests_on([""; 0])
}

/// A page with what steps are made of. What changes by itself, such as a device's state, makes no plan stale.
fn page_query(settings: &Settings, list: List, start: usize) -> Query {
    let request = page(list, settings.page_size, start);
    let fields = match list {
        List::Users => [&WRITTEN[..], &RESTORED[..]].concat(),
        List::Devices => vec!["mac", "description", "user"],
        // Told and shown, but no step is made of them.
        List::Trunks | List::CallGroups | List::Members => Vec::new(),
    };
    let total = (!fields.is_empty()).then(|| "/result/total".to_owned());
    let fields = fields
        .into_iter()
        .map(|field| format!("/result/records/*/{field}"));
    Query::http(page_id(list, start), request).rests_on(fields.chain(total))
}

/// The pages that are missing of the lists that were begun.
///
/// # Errors
/// A list ends before its total.
pub(crate) fn missing_pages(
    settings: &Settings,
    answers: &[Answer],
) -> Result<Vec<Query>, Failure> {
    let mut queries = Vec::new();
    for list in List::ALL {
        let Some(pages) = pages(list, answers)? else {
            continue;
        };
        for start in pages.missing()? {
            queries.push(page_query(settings, list, start));
        }
    }
    Ok(queries)
}
