//! What WMS answered, in types.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::{Map, Value};
use switchover_sdk::{Answer, Answers, Failure};

use crate::evidence::Spelling;
use crate::manifest::path;
use crate::shape::{self, kind};

/// A list that comes in pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Users,
    Devices,
    Trunks,
    CallGroups,
    Members,
}

impl List {
    pub(crate) const ALL: [Self; 5] = [
        Self::Users,
        Self::Devices,
        Self::Trunks,
        Self::CallGroups,
        Self::Members,
    ];

    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Users => path::USERS,
            Self::Devices => path::DEVICES,
            Self::Trunks => path::TRUNKS,
            Self::CallGroups => path::CALL_GROUPS,
            Self::Members => path::MEMBERS,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Devices => "devices",
            Self::Trunks => "trunks",
            Self::CallGroups => "call-groups",
            Self::Members => "members",
        }
    }
}

/// The id of the query for every registration, whoever's it is.
pub(crate) const REGISTERED: &str = "registered";

/// The id of the query for the page that begins at `start`.
pub(crate) fn page_id(list: List, start: usize) -> String {
    format!("{}-from/{start}", list.word())
}

#[derive(Deserialize)]
struct Envelope<T> {
    result: T,
}

#[derive(Deserialize)]
struct Page {
    records: Vec<Map<String, Value>>,
    total: usize,
}

/// The pages of a list that were read so far, by where they begin.
pub(crate) struct Pages {
    list: List,
    pages: BTreeMap<usize, Page>,
}

/// None where the list was not begun.
///
/// # Errors
/// An answer is not a page.
pub(crate) fn pages(list: List, answers: &[Answer]) -> Result<Option<Pages>, Failure> {
    let prefix = format!("{}-from/", list.word());
    let all = Answers::new(answers);
    let mut pages = BTreeMap::new();
    for (start, _) in all.with_prefix(&prefix) {
        let Ok(at) = start.parse() else { continue };
        if let Some(envelope) = all.json::<Envelope<Page>>(&format!("{prefix}{start}"))? {
            pages.insert(at, envelope.result);
        }
    }
    Ok((!pages.is_empty()).then_some(Pages { list, pages }))
}

impl Pages {
    fn total(&self) -> usize {
        self.pages.values().next_back().map_or(0, |page| page.total)
    }

    /// How many records there are without a gap, from the first.
    fn covered(&self) -> usize {
        self.pages.iter().fold(0, |covered, (start, page)| {
            if *start <= covered {
                covered.max(start + page.records.len())
            } else {
                covered
            }
        })
    }

    /// Where the missing pages begin.
    ///
    /// # Errors
    /// The server gives no more records, though its total says that there are.
    pub(crate) fn missing(&self) -> Result<Vec<usize>, Failure> {
        let (total, covered) = (self.total(), self.covered());
        if covered >= total {
            return Ok(Vec::new());
        }
        // What a server gives at once may be less than what was asked for.
        let step = self.pages.get(&0).map_or(0, |page| page.records.len());
        if step == 0 || self.pages.contains_key(&covered) {
            return Err(self.incomplete());
        }
        let starts = (covered..total).step_by(step);
        Ok(starts
            .filter(|start| !self.pages.contains_key(start))
            .collect())
    }

    fn incomplete(&self) -> Failure {
        let path = self.list.path();
        let (total, covered) = (self.total(), self.covered());
        Failure::new(
            "incomplete-list",
            format!("`{path}` gives {covered} records and says that there are {total}"),
        )
        .with_help("somebody may have changed the list while it was read: try again")
    }

    /// Every record, once, with the query and index at which it stands.
    fn records(self) -> Result<Vec<Placed>, Failure> {
        if self.covered() < self.total() {
            return Err(self.incomplete());
        }
        let mut records = Vec::new();
        for (start, page) in self.pages {
            let skipped = records.len().saturating_sub(start);
            for (index, record) in page.records.into_iter().enumerate().skip(skipped) {
                let query = page_id(self.list, start);
                records.push((record, Place { query, index }));
            }
        }
        Ok(records)
    }
}

/// A record and where it stands.
type Placed = (Map<String, Value>, Place);

/// Where a record stands among the answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    query: String,
    index: usize,
}

impl Place {
    /// A reference to a value of the record that a plugin does not see.
    pub(crate) fn reference(&self, field: &str) -> String {
        let Self { query, index } = self;
        format!("${{observed:{query}#/result/records/{index}/{field}}}")
    }
}

/// A user as WMS has it.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) id: String,
    pub(crate) fields: Map<String, Value>,
    pub(crate) place: Place,
}

impl User {
    pub(crate) fn text(&self, field: &str) -> &str {
        text(&self.fields, field).unwrap_or_default()
    }
}

/// A device as WMS has it.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub(crate) description: String,
    /// Extension of the user to whom it is connected.
    pub(crate) user: Option<String>,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// What was asked as `part/…`: the PBX's part in the synchronisation.
    pub(crate) part: Option<String>,
    pub(crate) version: String,
    pub(crate) settings: Map<String, Value>,
    pub(crate) ntp: Option<String>,
    /// By extension.
    pub(crate) users: BTreeMap<String, User>,
    /// By hardware address.
    pub(crate) devices: BTreeMap<String, Device>,
    pub(crate) devices_total: usize,
    /// Titles of SIP trunks; none where they were not read.
    pub(crate) trunks: Option<BTreeSet<String>>,
    /// Strategies by title; none where they were not read.
    pub(crate) call_groups: Option<BTreeMap<String, String>>,
    /// Texts in the records of members that could be host names, in lower case; none where they were not read.
    pub(crate) members: Option<BTreeSet<String>>,
    /// Extensions that were asked for, and whether they are registered.
    pub(crate) registrations: BTreeMap<String, bool>,
    /// Every extension that is registered; none where nobody asked.
    pub(crate) registered: Option<BTreeSet<String>>,
    pub(crate) spelling: Spelling,
}

impl Records {
    /// # Errors
    /// An answer is not WMS's, or a list is not whole.
    pub(crate) fn from_answers(answers: &[Answer]) -> Result<Self, Failure> {
        let all = Answers::new(answers);
        let (part, version) = version(all)?.unzip();
        let mut records = Self {
            part,
            version: version.unwrap_or_default(),
            settings: result(all, kind::LOCALE)?.unwrap_or_default(),
            ..Self::default()
        };
        let ntp: Option<Map<String, Value>> = result(all, kind::NTP)?;
        records.ntp = ntp.and_then(|ntp| Some(text(&ntp, "ntpServer")?.to_owned()));
        let list = |list| pages(list, answers)?.map_or(Ok(Vec::new()), Pages::records);
        let users = list(List::Users)?;
        for (fields, place) in users {
            let (Some(extension), Some(id)) = (scalar(&fields, "extension"), id(&fields)?) else {
                continue;
            };
            records.spelling.numeric_extensions |=
                fields.get("extension").is_some_and(Value::is_number);
            let user = User { id, fields, place };
            records.users.entry(extension).or_insert(user);
        }
        let devices = list(List::Devices)?;
        records.devices_total = devices.len();
        for (fields, _) in devices {
            records.spelling.numeric_connections |=
                fields.get("user").is_some_and(Value::is_number);
            if let Some(mac) = text(&fields, "mac") {
                let sample = &mut records.spelling.mac;
                sample.get_or_insert_with(|| mac.to_owned());
                let device = Device {
                    description: text(&fields, "description").unwrap_or_default().into(),
                    user: scalar(&fields, "user").filter(|user| !user.is_empty()),
                };
                records.devices.entry(shape::mac(mac)).or_insert(device);
            }
        }
        if let Some(pages) = pages(List::Trunks, answers)? {
            let trunks = pages.records()?.into_iter();
            records.trunks = Some(
                trunks
                    .filter_map(|(fields, _)| Some(text(&fields, "title")?.to_owned()))
                    .collect(),
            );
        }
        if let Some(pages) = pages(List::CallGroups, answers)? {
            let groups = pages.records()?.into_iter();
            records.call_groups = Some(
                groups
                    .filter_map(|(fields, _)| call_group(&fields))
                    .collect(),
            );
        }
        if let Some(pages) = pages(List::Members, answers)? {
            let members = pages.records()?;
            let texts = members
                .iter()
                .flat_map(|(fields, _)| fields.values().filter_map(Value::as_str));
            let names = texts.filter(|text| is_host_name(text));
            records.members = Some(names.map(str::to_lowercase).collect());
        }
        records.registrations = registrations(all)?;
        records.registered = registered(all, REGISTERED)?;
        Ok(records)
    }
}

fn result(answers: Answers<'_>, query: &str) -> Result<Option<Map<String, Value>>, Failure> {
    let envelope = answers.json::<Envelope<Map<String, Value>>>(query)?;
    Ok(envelope.map(|envelope| envelope.result))
}

/// Title and strategy.
fn call_group(fields: &Map<String, Value>) -> Option<(String, String)> {
    let settings = fields.get("settings").and_then(Value::as_object);
    let strategy = settings.and_then(|settings| scalar(settings, "strategy"));
    Some((
        text(fields, "title")?.to_owned(),
        strategy.unwrap_or_default(),
    ))
}

/// `{"version": "5.01"}` or the text alone.
fn version(answers: Answers<'_>) -> Result<Option<(String, String)>, Failure> {
    let prefix = format!("{}/", kind::PART);
    let Some((asked, _)) = answers.with_prefix(&prefix).next() else {
        return Ok(None);
    };
    let envelope = answers.json::<Envelope<Value>>(&format!("{prefix}{asked}"))?;
    let told = envelope
        .as_ref()
        .and_then(|envelope| match &envelope.result {
            Value::String(version) => Some(version.as_str()),
            Value::Object(fields) => text(fields, "version"),
            _ => None,
        });
    let told = told.ok_or_else(|| {
        Failure::new(
            "no-version",
            format!("`{}` tells no version", path::VERSION),
        )
        .with_help("does the target's endpoint lead to a WMS?")
    })?;
    Ok(Some((asked.to_owned(), told.to_owned())))
}

fn registrations(answers: Answers<'_>) -> Result<BTreeMap<String, bool>, Failure> {
    let prefix = format!("{}/", kind::REGISTRATION);
    let mut found = BTreeMap::new();
    for (asked, _) in answers.with_prefix(&prefix) {
        let online = registered(answers, &format!("{prefix}{asked}"))?.unwrap_or_default();
        let extensions = asked
            .split(',')
            .map(|extension| extension.replace('^', "#"));
        found.extend(extensions.map(|extension| {
            let is_online = online.contains(&extension);
            (extension, is_online)
        }));
    }
    Ok(found)
}

/// The extensions with a registration that is online; none where it was not asked.
fn registered(answers: Answers<'_>, query: &str) -> Result<Option<BTreeSet<String>>, Failure> {
    #[derive(Deserialize)]
    struct Registered {
        #[serde(default)]
        registrations: Vec<Registration>,
    }
    #[derive(Deserialize)]
    struct Registration {
        #[serde(default)]
        online: bool,
    }
    let Some(Envelope { result }) = answers.json::<Envelope<Value>>(query)? else {
        return Ok(None);
    };
    // A PBX where nobody is registered may give an empty list in the place of an object.
    if !result.is_object() {
        return Ok(Some(BTreeSet::new()));
    }
    let told: HashMap<String, Registered> = serde_json::from_value(result).map_err(|error| {
        let path = path::REGISTRATIONS;
        let message = format!("the answer of `{path}` is not what was expected: {error}");
        Failure::new("answer-not-understood", message)
    })?;
    let online = told
        .into_iter()
        .filter(|(_, one)| one.registrations.iter().any(|one| one.online));
    Ok(Some(online.map(|(extension, _)| extension).collect()))
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    fields.get(name)?.as_str()
}

/// A text or a number as a text.
fn scalar(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The id of a record, which becomes part of a path.
fn id(fields: &Map<String, Value>) -> Result<Option<String>, Failure> {
    let id = scalar(fields, "id");
    let plain = |id: &String| {
        !id.is_empty()
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match id {
        Some(id) if !plain(&id) => Err(Failure::new(
            "odd-id",
            format!("a record has the id `{id}`, which cannot stand in a path"),
        )),
        id => Ok(id),
    }
}

fn is_host_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    text.contains('.')
        && text.bytes().all(plain)
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
