//! Runs of a site, as whoever is not at work on them sees them.

use switchover_effects::store::{Store, StoreError};

use super::history::Unfinished;
use super::record::{self, Record};
use super::{JournalError, RUNS, who};
use crate::apply::Kept;
use crate::state::{self, BlobRef, Holder, LeaseError};

/// The runs of a site whose journals are there: the one that is not at its end, if there is one, and those that are over
/// and have left something behind.
pub(crate) async fn runs(store: &Store) -> Result<Vec<Unfinished>, JournalError> {
    let mut runs = read(store).await?;
    if runs.is_empty() {
        return Ok(runs);
    }
    let held = state::held(store).await?;
    for run in &mut runs {
        let holder = held.as_ref().filter(|(token, _)| run.token == Some(*token));
        let holder = holder.filter(|(_, holder)| !holder.is_gone());
        run.held = holder.is_some();
        run.alive = holder.is_some_and(|(_, holder)| !holder.is_overdue());
    }
    Ok(runs)
}

/// What their journals tell of them.
async fn read(store: &Store) -> Result<Vec<Unfinished>, JournalError> {
    let mut runs = Vec::new();
    for name in names(store).await? {
        let lines = store.read_log(&format!("{RUNS}/{name}")).await?;
        // Otherwise it came to its end meanwhile.
        if !lines.is_empty() {
            runs.push(Unfinished::of(&name, &lines)?);
        }
    }
    Ok(runs)
}

async fn names(store: &Store) -> Result<Vec<String>, JournalError> {
    let logs = store.logs(RUNS).await?;
    let name = |log: String| {
        let name = log.strip_prefix(RUNS)?.strip_prefix('/')?;
        let is_one = name.len() == 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_one.then(|| name.to_owned())
    };
    Ok(logs.into_iter().filter_map(name).collect())
}

/// What runs that are not at their end still need.
pub(crate) async fn kept(store: &Store) -> Result<Vec<BlobRef>, JournalError> {
    let runs = read(store).await?;
    let kept = runs.iter().filter_map(|run| run.kept.as_ref());
    Ok(kept.flat_map(Kept::blobs).cloned().collect())
}

/// Confirms the run that waits for it; false where none does, or its time is up.
pub(crate) async fn confirm(store: &Store) -> Result<bool, JournalError> {
    loop {
        // By the clock of this machine its holder may look late. Whether it waits no more is what it writes down.
        let mut runs = runs(store).await?.into_iter();
        let waits = |run: &Unfinished| run.held && run.waiting.is_some() && !run.undoing;
        let Some(run) = runs.find(waits) else {
            return Ok(false);
        };
        if run.confirmed {
            return Ok(true);
        }
        let confirmed = Record::Confirmed {
            who: who(),
            when: jiff::Timestamp::now(),
        };
        let log = format!("{RUNS}/{}", run.name);
        let line = record::write(&[confirmed])?;
        match store.append(&log, run.lines, &line).await {
            Ok(()) => return Ok(true),
            // Its time was up just now, or somebody else was quicker.
            Err(error) if error.is_moved() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes the lease of a site away from its holder, which is returned, and shuts it out of its run: it does nothing
/// more, and takes nothing back. Who did that and why is kept.
///
/// # Errors
/// Where the state cannot be read or written.
pub async fn break_lease(
    store: &Store,
    who: &str,
    why: Option<String>,
) -> Result<Option<Holder>, LeaseError> {
    let broken = state::break_lease(store, who, why.clone()).await?;
    let fence = Record::Fence {
        who: who.to_owned(),
        when: jiff::Timestamp::now(),
        token: None,
        why,
    };
    let runs = async {
        let line = record::write(&[fence])?;
        for name in names(store).await? {
            shut(store, &format!("{RUNS}/{name}"), &line).await?;
        }
        Ok::<_, JournalError>(())
    };
    match runs.await {
        Ok(()) => Ok(broken),
        Err(JournalError::Store(error)) => Err(error.into()),
        // A record of texts can always be written.
        Err(_) => Ok(broken),
    }
}

/// Adds a line to a run that is not at its end. One that comes to it meanwhile has nothing to be added to.
pub(super) async fn shut(store: &Store, log: &str, line: &[u8]) -> Result<(), StoreError> {
    loop {
        let lines = store.read_log(log).await?.len() as u64;
        if lines == 0 {
            return Ok(());
        }
        match store.append(log, lines, line).await {
            Err(error) if error.is_moved() => {}
            done => return done,
        }
    }
}
