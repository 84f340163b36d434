//! Inputs that a server or a check said no to. The same topology, plugins and servers would fail the same way: somebody
//! has to change one of them, or say that it is worth another try.
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use switchover_effects::command::CommandError;
use switchover_effects::dns::DnsError;
use switchover_effects::http::HttpError;
use switchover_effects::store::{Store, StoreError};

use crate::context::Context;
use crate::diff::hex;
use crate::error::{ApplyError, Cause, TargetError, chain};
use crate::plan::{Action, Change, Plan, Rejection};

const FORMAT_VERSION: &str = "1.0";

/// What is kept of one, under the digest of the input.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format_version: String,
    #[serde(flatten)]
    rejection: Rejection,
}

/// Names what a plan was made from and what it wants: topology, plugins, what was read of each target, and what would be
/// there and what would go. It does not depend on when the plan was made.
fn input(plan: &Plan) -> String {
    let mut hasher = Sha256::new();
    let mut put = |text: &str| {
        hasher.update(text);
        hasher.update([0]);
    };
    put(&plan.topology.sha256);
    for part in &plan.targets {
        put(&part.name);
        put(&part.plugin.sha256);
        put(&part.observed);
        for (address, wanted) in &part.resources {
            put(address);
            put(&wanted.sha256);
        }
        // What else is done follows from these and from what was read.
        put("deletes");
        let deletes = |change: &&Change| change.action == Action::Delete;
        for change in part.changes.iter().filter(deletes) {
            put(&change.address);
        }
        put("end");
    }
    hex(&hasher.finalize())
}

fn key(plan: &Plan) -> String {
    format!("rejected/{}.json", input(plan))
}

/// That the input of a plan was rolled back before. What is kept of that and cannot be read, for it is damaged or of a
/// later version, is a rejection of which no more is known.
pub(crate) async fn find(store: &Store, plan: &Plan) -> Result<Option<Rejection>, StoreError> {
    let key = key(plan);
    let Some((bytes, _)) = store.get(&key).await? else {
        return Ok(None);
    };
    Ok(Some(match serde_json::from_slice::<Record>(&bytes) {
        Ok(record) if record.format_version == FORMAT_VERSION => record.rejection,
        _ => Rejection {
            when: jiff::Timestamp::UNIX_EPOCH,
            who: "somebody".to_owned(),
            why: format!(
                "`{}` cannot be read: it is damaged, or of a later version",
                store.place(&key)
            ),
        },
    }))
}

/// Refuses a plan whose input was rolled back, unless another try was asked for.
pub(crate) async fn refuse(
    context: &Context<'_>,
    store: &Store,
    plan: &Plan,
) -> Result<(), ApplyError> {
    if context.permits.rejected {
        return Ok(());
    }
    match find(store, plan).await {
        Ok(None) => Ok(()),
        Ok(Some(rejection)) => Err(ApplyError::Rejected { rejection }),
        Err(error) => {
            let cause = Cause::Store(error);
            let error = TargetError::of_site(&plan.site, "look for rejected changes of", cause);
            Err(ApplyError::NothingChanged(error))
        }
    }
}

/// Remembers how an apply ended: what was said no to is rejected, what was done is not any more.
pub(crate) async fn remember(store: &Store, plan: &Plan, who: String, ended: Option<&ApplyError>) {
    let key = key(plan);
    // That it cannot be remembered changes nothing about how the apply ended, which is what has to be told.
    let _ = match ended {
        Some(ApplyError::RolledBack(error)) if says_no(error.cause()) => {
            let record = Record {
                format_version: FORMAT_VERSION.to_owned(),
                rejection: Rejection {
                    when: jiff::Timestamp::now(),
                    who,
                    why: chain(error),
                },
            };
            match (store.get(&key).await, serde_json::to_vec(&record)) {
                (Ok(Some((_, tag))), Ok(bytes)) => store.replace(&key, bytes, &tag).await.map(drop),
                (Ok(None), Ok(bytes)) => store.create(&key, bytes).await.map(drop),
                _ => Ok(()),
            }
        }
        Some(_) => Ok(()),
        None => store.delete(&key).await,
    };
}

/// Whether it speaks of the input. A line that broke, a full disk, a server that is busy, somebody else's change at the
/// same time, a stop that was asked for or a confirmation that did not come are over another time.
const fn says_no(cause: &Cause) -> bool {
    match cause {
        Cause::Unexpected { .. }
        | Cause::Probe { .. }
        | Cause::ReadBack { .. }
        | Cause::Command(CommandError::Failed { .. })
        | Cause::Dns(
            DnsError::NotInZone { .. } | DnsError::NotImplemented { .. } | DnsError::Code { .. },
        ) => true,
        Cause::Http(HttpError::Status { status, .. }) => !matches!(status, 408 | 502..=504),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan(resources: &Value, changes: &Value) -> Plan {
        serde_json::from_value(json!({
            "format_version": crate::plan::FORMAT_VERSION,
            "site": "acme",
            "created": "2026-01-01T00:00:00Z",
            "expires": "2026-01-02T00:00:00Z",
            "topology": { "path": "switchover.kdl", "sha256": "00" },
            "generation": null,
            "targets": [{
                "name": "kea1",
                "plugin": { "name": "kea", "version": "0.1.0", "sha256": "11" },
                "wave": "dhcp",
                "observed": "22",
                "changes": changes,
                "unchanged": 0,
                "foreign": [],
                "resources": resources,
                "undo": "native",
                "procedure": { "stage": [], "commit": [], "verify": [] },
            }],
        }))
        .unwrap()
    }

    fn wanted(sha256: &str) -> Value {
        json!({ "host/1": { "sha256": sha256, "adopted": false, "secret": false } })
    }

    fn change(action: &str) -> Value {
        json!([{ "address": "host/2", "kind": "host", "action": action }])
    }

    /// What two generations want of the same servers differs, though the topology of today and the servers are the same.
    #[test]
    fn what_is_wanted_is_of_the_input() {
        let all = [
            plan(&wanted("aa"), &json!([])),
            plan(&wanted("bb"), &json!([])),
            plan(&wanted("aa"), &change("delete")),
            plan(&json!({}), &json!([])),
        ];
        let digests: std::collections::BTreeSet<String> = all.iter().map(input).collect();
        assert_eq!(digests.len(), all.len());
        assert_eq!(input(&all[0]), input(&plan(&wanted("aa"), &json!([]))));
        // Telephones that have registered since make some changes needless, and the input no other.
        let more = plan(&wanted("aa"), &change("create"));
        assert_eq!(input(&all[0]), input(&more));
    }

    /// A rejection does not go away by a byte that is cut off, or by a version that says it otherwise.
    #[test]
    fn what_cannot_be_read_is_still_a_rejection() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        runtime.enable_all().build().unwrap().block_on(async {
            let plan = plan(&wanted("aa"), &json!([]));
            for text in [
                "",
                "{\"format_version\":\"1.0\"",
                r#"{"format_version":"2.0","when":"2026-01-01T00:00:00Z","who":"jo","why":"x"}"#,
            ] {
                let folder = tempfile::tempdir().unwrap();
                let store = Store::local(folder.path().to_owned());
                assert_eq!(find(&store, &plan).await.unwrap(), None);
                store.create(&key(&plan), text.to_owned()).await.unwrap();
                let found = find(&store, &plan).await.unwrap().unwrap();
                assert!(found.why.contains("cannot be read"), "{found}");
                let cause = Cause::ReadBack {
                    count: 1,
                    wanted: 1,
                    list: String::new(),
                };
                let error = TargetError::new("kea1", "commit", cause);
                let ended = ApplyError::RolledBack(error);
                remember(&store, &plan, "mo".to_owned(), Some(&ended)).await;
                let found = find(&store, &plan).await.unwrap().unwrap();
                assert_eq!(found.who, "mo", "it is written anew");
                remember(&store, &plan, "mo".to_owned(), None).await;
                assert_eq!(find(&store, &plan).await.unwrap(), None);
            }
        });
    }
}
