//! What to read: single answers, and lists page by page.
//!
//! What is wanted reaches `current` only through the ids of queries: the part in the synchronisation and the extensions
//! whose registrations are asked for stand in them.

use switchover_sdk::{Answer, Failure, HttpRequest, Query};

use crate::manifest::{Settings, path};
use crate::place::Part;
use crate::records::{List, page_id, pages};
use crate::shape::{kind, name};

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
    queries.push(Query::http(kind::LOCALE, get(path::SETTINGS)));
    queries.push(Query::http(kind::NTP, get(path::NTP)));
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
            let request = page(list, settings.page_size, 0);
            queries.push(Query::http(page_id(list, 0), request));
        }
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
    queries.extend(ids.map(|id| Query::http(id, get(path::REGISTRATIONS))));
    queries
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
            let request = page(list, settings.page_size, start);
            queries.push(Query::http(page_id(list, start), request));
        }
    }
    Ok(queries)
}
