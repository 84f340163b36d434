//! The steps: check the new file, put it in place, and bring it into the running server: row by row where only rows
//! changed, else by a restart.

use std::collections::BTreeSet;

use serde_json::json;
use switchover_sdk::{
    Action, Change, Effect, Failure, HttpRequest, Probe, Procedure, SipOptions, Step, Target,
    Transport, UndoStep, text,
};

use crate::document::Document;
use crate::entry::Entry;
use crate::manifest::{RESTART, RPC_PATH, Settings, TEST};
use crate::rows::Row;

/// Sets a row of a table in the running server, whether it is there or not.
pub(crate) const SET: &str = "htable.sets";
/// Takes one out. An error where it is not there.
pub(crate) const DELETE: &str = "htable.delete";
/// Changes nothing.
pub(crate) const VERSION: &str = "core.version";

/// By which an answer of JSON-RPC is known. An error has a status of its own.
const ANSWER: (&str, &str) = ("/jsonrpc", "2.0");

/// How long a restarted Kamailio may take to answer.
const PATIENCE_MS: u32 = 30_000;
const ASK_EVERY_MS: u32 = 200;

/// Writes the document. `main` says whether there is a file that includes it.
///
/// # Errors
/// A change is not one of this plugin's.
pub(crate) fn procedure(
    target: &Target,
    settings: &Settings,
    document: &Document,
    main: bool,
    changes: &[Change],
) -> Result<Procedure, Failure> {
    let file = settings.file.as_str();
    let mut procedure = Procedure::default();
    if target.has_command(TEST) {
        procedure.stage.push(Step::new(
            "test",
            format!("check the new {file}"),
            Effect::run(TEST, Some(file)),
        ));
    }
    procedure.commit.push(Step::new(
        "write",
        format!("write {file}"),
        Effect::write_text(file, document.text()),
    ));
    if target.has_command(TEST) && main {
        let main = &settings.main;
        procedure.commit.push(Step::new(
            "test-all",
            format!("check {main} with the new {file}"),
            Effect::run(TEST, Some(main)),
        ));
    }
    let rows = changes
        .iter()
        .map(Live::of)
        .collect::<Result<Option<Vec<_>>, _>>()?;
    let (steps, undo) = match rows {
        Some(rows) => (
            rows.iter().flat_map(Live::steps).collect(),
            undo_rows(target, file, &rows),
        ),
        None if target.has_command(RESTART) => (restart(file), vec![undo_restart(file)]),
        None => (Vec::new(), Vec::new()),
    };
    // Undo goes backwards through the steps that were done, and a step that failed is none, though it may have had its
    // effect. So all of it belongs to the last step before them: a check that failed touches no running server.
    if let Some(before) = procedure.commit.last_mut() {
        before.undo = undo;
    }
    procedure.commit.extend(steps);
    procedure.verify.extend(questions(settings, document));
    Ok(procedure)
}

/// OPTIONS at each port, as far as the target's `probe` goes.
fn questions(settings: &Settings, document: &Document) -> impl Iterator<Item = Step> {
    let mut ports: BTreeSet<(&str, u16)> = BTreeSet::new();
    for entry in document.entries() {
        if let Entry::Listener(listener) = entry {
            let (word, transport) = match listener.transport.as_str() {
                "tls" => ("sips", "tls"),
                "tcp" => ("sip", "tcp"),
                _ => ("sip", "udp"),
            };
            if settings.probe.has(word) {
                ports.insert((transport, listener.socket.port()));
            }
        }
    }
    ports.into_iter().map(|(name, port)| {
        Step::new(
            format!("options-{name}-{port}"),
            format!(
                "wait until Kamailio answers OPTIONS at port {port} over {}",
                name.to_uppercase()
            ),
            Effect::SipOptions(SipOptions {
                transport: match name {
                    "tls" => Transport::Tls,
                    "tcp" => Transport::Tcp,
                    _ => Transport::Udp,
                },
                port,
                deadline_ms: PATIENCE_MS,
                every_ms: ASK_EVERY_MS,
            }),
        )
    })
}

fn restart(file: &str) -> Vec<Step> {
    let probe = Effect::Probe(Probe {
        request: request(VERSION, &[]),
        deadline_ms: PATIENCE_MS,
        every_ms: ASK_EVERY_MS,
    });
    vec![
        Step::new(
            "restart",
            format!("restart Kamailio with the new {file}"),
            Effect::run(RESTART, None),
        ),
        Step::new("wait", "wait until Kamailio answers", probe).expect(ANSWER.0, &json!(ANSWER.1)),
    ]
}

fn undo_restart(file: &str) -> UndoStep {
    UndoStep::new(
        format!("restart Kamailio with the previous {file}"),
        Effect::run(RESTART, None),
    )
}

/// A row that changes while Kamailio runs.
struct Live {
    address: String,
    before: Option<Row>,
    after: Option<Row>,
}

impl Live {
    /// None where the change wants a restart.
    fn of(change: &Change) -> Result<Option<Self>, Failure> {
        let entry = |json: &String| match Entry::from_value(&change.kind, json) {
            Some(Ok(entry)) => Ok(entry),
            _ => Err(Failure::new(
                "change",
                format!("the change of `{}` is not understood", change.address),
            )),
        };
        let before = change.before.as_ref().map(entry).transpose()?;
        let after = change
            .after
            .as_ref()
            .filter(|_| change.action != Action::Delete);
        let after = after.map(entry).transpose()?;
        let row = |entry: Option<Entry>| match entry {
            None => Some(None),
            Some(Entry::Row(row)) => Some(Some(row)),
            Some(_) => None,
        };
        Ok(row(before).zip(row(after)).map(|(before, after)| Self {
            address: change.address.clone(),
            before,
            after,
        }))
    }

    fn steps(&self) -> Vec<Step> {
        let address = &self.address;
        let to_step = |(verb, request)| {
            let id = format!("{verb} {address}");
            let title = format!("{id} in the running Kamailio");
            Step::new(id, title, Effect::Http(request)).expect(ANSWER.0, &json!(ANSWER.1))
        };
        turn(self.before.as_ref(), self.after.as_ref())
            .map(to_step)
            .collect()
    }

    fn undo(&self) -> impl Iterator<Item = UndoStep> {
        let address = &self.address;
        turn(self.after.as_ref(), self.before.as_ref()).map(move |(verb, request)| {
            UndoStep::new(
                format!("{verb} {address} in the running Kamailio again"),
                Effect::Http(request),
            )
            .expect(ANSWER.0, &json!(ANSWER.1))
        })
    }

    /// Whether the row from before can be told without a secret that is none of the topology's.
    fn can_be_told(&self) -> bool {
        match &self.before {
            Some(Row::User(user)) => text::has_reference(&user.password),
            _ => true,
        }
    }
}

/// What makes one row of the other, each with a verb. It does so whatever is there, so it may be done twice.
fn turn(from: Option<&Row>, to: Option<&Row>) -> impl Iterator<Item = (&'static str, HttpRequest)> {
    let put = to.map(|row| ("set", set(row, &row.value())));
    let stays = |old: &&Row| to.is_some_and(|new| new.key() == old.key());
    // The routing takes an empty row for none. It is there when it is taken out, so that this cannot fail for that.
    let take = from.filter(|old| !stays(old)).map(|row| {
        let delete = request(DELETE, &[row.table(), row.key()]);
        [("empty", set(row, "")), ("remove", delete)]
    });
    take.into_iter().flatten().chain(put)
}

fn set(row: &Row, value: &str) -> HttpRequest {
    request(SET, &[row.table(), row.key(), value])
}

fn request(method: &str, params: &[&str]) -> HttpRequest {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    HttpRequest::post_json(RPC_PATH, &body).reason("/error/message")
}

/// Puts the rows back, or where that would tell a password, restarts Kamailio, which then reads them.
fn undo_rows(target: &Target, file: &str, rows: &[Live]) -> Vec<UndoStep> {
    if rows.iter().all(Live::can_be_told) {
        rows.iter().flat_map(Live::undo).collect()
    } else if target.has_command(RESTART) {
        vec![undo_restart(file)]
    } else {
        Vec::new()
    }
}
