//! Inputs that a server or a check said no to. The same topology, plugins and servers would fail the same way: somebody
//! has to change one of them, or say that it is worth another try.

use std::error::Error;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use switchover_effects::command::CommandError;
use switchover_effects::dns::DnsError;
use switchover_effects::http::HttpError;
use switchover_effects::store::{Store, StoreError};

use crate::context::Context;
use crate::diff::hex;
use crate::error::{ApplyError, Cause, TargetError};
use crate::plan::{Plan, Rejection};

const FORMAT_VERSION: &str = "1.0";

/// What is kept of one, under the digest of the input.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    format_version: String,
    #[serde(flatten)]
    rejection: Rejection,
}

/// Names what a plan was made from: topology, plugins, and what was read of each target. It does not depend on when
/// the plan was made.
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
    }
    hex(&hasher.finalize())
}

fn key(plan: &Plan) -> String {
    format!("rejected/{}.json", input(plan))
}

/// That the input of a plan was rolled back before. What is kept in a way that this version does not know says nothing.
pub(crate) async fn find(store: &Store, plan: &Plan) -> Result<Option<Rejection>, StoreError> {
    let kept = store.get(&key(plan)).await?;
    Ok(kept
        .and_then(|(bytes, _)| serde_json::from_slice::<Record>(&bytes).ok())
        .map(|record| record.rejection))
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
            let error = TargetError::new(&plan.site, "look for rejected changes of", cause);
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
            match (store.delete(&key).await, serde_json::to_vec(&record)) {
                (Ok(()), Ok(bytes)) => store.create(&key, bytes).await.map(drop),
                _ => Ok(()),
            }
        }
        Some(_) => Ok(()),
        None => store.delete(&key).await,
    };
}

/// Whether it speaks of the input. A line that broke, a full disk, a server that is busy, somebody else's change at the
/// same time or a stop that was asked for are over another time.
const fn says_no(cause: &Cause) -> bool {
    match cause {
        Cause::Unexpected { .. }
        | Cause::Probe { .. }
        | Cause::ReadBack { .. }
        | Cause::Unconfirmed { .. }
        | Cause::Command(CommandError::Failed { .. })
        | Cause::Dns(
            DnsError::NotInZone { .. } | DnsError::NotImplemented { .. } | DnsError::Code { .. },
        ) => true,
        Cause::Http(HttpError::Status { status, .. }) => !matches!(status, 408 | 502..=504),
        _ => false,
    }
}

/// An error with everything that caused it, on one line.
fn chain(error: &TargetError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
