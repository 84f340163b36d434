//! Who may change the servers of a site: one at a time.
//!
//! A lease is a small file that is only ever replaced by who knows what it holds. Whoever has it renews it with a beat;
//! a lease without beats for as long as it was granted is free. That is judged by watching it, since the clocks of two
//! machines need not agree. Every holder gets a token, and tokens only grow.

use std::time::Duration;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use switchover_effects::store::{Store, StoreError, Tag};
use tokio::sync::watch;
use tokio::time::Instant;

use super::identity::Identity;

/// Where it is.
pub(super) const KEY: &str = "lease.json";
const FORMAT_VERSION: &str = "1.0";

/// The longest time that one is granted for.
const MAX_TTL: Duration = Duration::from_secs(3600);

/// How often a lease of somebody else is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long a lease is granted for, and how long one of somebody else is waited for.
#[derive(Debug, Clone, Copy)]
pub struct LeaseOptions {
    /// Without a beat for so long it is free.
    pub ttl: Duration,
    /// How long somebody else's is waited for.
    pub wait: Duration,
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(30),
            wait: Duration::ZERO,
        }
    }
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// A person at a machine.
    pub who: String,
    /// What is being done, such as `apply`.
    pub operation: String,
    /// Since when.
    pub since: jiff::Timestamp,
    /// When it becomes free where no beat comes; by the holder's clock.
    pub expires: jiff::Timestamp,
    /// For how long it is granted, in milliseconds.
    ttl_ms: u64,
    process: Identity,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct File {
    format_version: String,
    /// Of the holder, or of the last one.
    token: u64,
    /// Grows with every sign of life.
    beat: u64,
    holder: Option<Holder>,
    /// Who broke the lease before, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broken: Option<Broken>,
}

/// A lease that was taken away from its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// Who did it.
    pub who: String,
    /// When.
    pub when: jiff::Timestamp,
    /// Why, as they said.
    pub reason: Option<String>,
    /// Whose it was.
    pub holder: String,
}

/// The lease cannot be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LeaseError {
    /// Somebody has it.
    #[error("{} is changing this site: `{}` since {:.0}", holder.who, holder.operation, holder.since)]
    #[diagnostic(
        code(switchover::lease::held),
        help(
            "wait for its end, such as with `--lock-timeout 5m`; `switchover lock list` shows it, and where that \
             run is gone for good, `switchover lock break` frees it"
        )
    )]
    Held {
        /// Who.
        holder: Box<Holder>,
    },
    /// Not what this version writes.
    #[error("failed to read `{place}`: it is damaged, or of another version")]
    #[diagnostic(
        code(switchover::lease::damaged),
        help("where nobody is changing this site, remove it: it holds nothing else")
    )]
    Damaged {
        /// The file.
        place: String,
    },
    /// The state cannot be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

/// Tells whether a lease is still held.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    token: u64,
    ttl: Duration,
    beat: watch::Receiver<Beat>,
}

/// The last sign of life that was seen to arrive.
#[derive(Debug, Clone, Copy)]
struct Beat {
    /// When it was sent.
    sent: Instant,
    /// Somebody else has the lease.
    lost: bool,
}

impl Guard {
    /// Whether somebody else has the lease by now, or may: nobody was told for so long that this process is alive, for
    /// it was stopped, or the state could not be reached.
    pub(crate) fn is_lost(&self) -> bool {
        let beat = *self.beat.borrow();
        beat.lost || beat.sent.elapsed() >= self.ttl
    }
}

/// A lease that is held, and renewed until it is released or dropped. One that is dropped becomes free by itself.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    guard: Guard,
    /// Ends the beats.
    end: Option<tokio::sync::oneshot::Sender<()>>,
    beats: Option<std::thread::JoinHandle<Option<Tag>>>,
}

impl Lease {
    /// Takes the lease, waiting for it as long as the options say.
    ///
    /// # Errors
    /// [`LeaseError::Held`] where somebody else has it still.
    pub async fn acquire(
        store: &Store,
        who: &str,
        operation: &str,
        options: LeaseOptions,
    ) -> Result<Self, LeaseError> {
        let began = Instant::now();
        let mut watched: Option<(u64, u64, Instant)> = None;
        loop {
            let found = read(store).await?;
            let mut file = found
                .as_ref()
                .map_or_else(File::new, |(file, _)| file.clone());
            if let Some(holder) = &file.holder {
                let seen = match watched {
                    Some((token, beat, since)) if (token, beat) == (file.token, file.beat) => since,
                    _ => Instant::now(),
                };
                watched = Some((file.token, file.beat, seen));
                let ttl = Duration::from_millis(holder.ttl_ms);
                let is_free = holder.process.is_gone() || seen.elapsed() >= ttl;
                if !is_free {
                    // The clock only tells whether watching is worth it.
                    let overdue = holder.is_overdue();
                    let patience = if overdue {
                        options.wait.max(ttl * 2)
                    } else {
                        options.wait
                    };
                    if began.elapsed() >= patience {
                        let holder = Box::new(holder.clone());
                        return Err(LeaseError::Held { holder });
                    }
                    tokio::time::sleep(LOOK_EVERY.min(ttl / 4)).await;
                    continue;
                }
            }
            let next = file.token.checked_add(1);
            file.token = next.ok_or_else(|| damaged(store))?;
            file.beat = 0;
            let ttl = options.ttl.min(MAX_TTL);
            file.holder = Some(Holder::new(who, operation, ttl));
            let sent = Instant::now();
            match write(store, &file, found.map(|(_, tag)| tag)).await {
                Ok(tag) => return Ok(Self::beating(store.clone(), file, (tag, sent), ttl)),
                // Somebody was faster: look again who.
                Err(error) if error.is_exists() || error.is_moved() => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn beating(store: Store, file: File, (tag, sent): (Tag, Instant), ttl: Duration) -> Self {
        let (end, ended) = tokio::sync::oneshot::channel();
        let (tell, beat) = watch::channel(Beat { sent, lost: false });
        let token = file.token;
        let beating = store.clone();
        // A thread of its own: whatever the run computes, it is known to be alive.
        let beats = std::thread::Builder::new()
            .name("lease".to_owned())
            .spawn(move || keep_alive(&beating, file, tag, ttl, ended, &tell));
        Self {
            store,
            guard: Guard { token, ttl, beat },
            end: Some(end),
            // Without a thread nothing renews it, and it is over after its time.
            beats: beats.ok(),
        }
    }

    /// Grows with every holder.
    #[must_use]
    pub const fn token(&self) -> u64 {
        self.guard.token
    }

    /// Whether somebody else has it by now, or may.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.guard.is_lost()
    }

    /// Tells the same for as long as the lease is kept.
    pub(crate) fn guard(&self) -> Guard {
        self.guard.clone()
    }

    /// Looks whether it is still held.
    pub(crate) async fn is_ours(&self) -> Result<bool, LeaseError> {
        let held = held(&self.store).await?;
        Ok(held.is_some_and(|(token, _)| token == self.token()) && !self.is_lost())
    }

    /// Gives it back.
    ///
    /// # Errors
    /// Where the state cannot be written; then it becomes free by itself.
    pub async fn release(mut self) -> Result<(), LeaseError> {
        let Some(mut tag) = self.stop() else {
            return Ok(());
        };
        let file = File {
            token: self.token(),
            ..File::new()
        };
        loop {
            match write(&self.store, &file, Some(tag)).await {
                Ok(_) => return Ok(()),
                Err(error) if error.is_moved() => {}
                Err(error) => return Err(error.into()),
            }
            // The answer to the last beat may not have come; or it is somebody else's by now, which is theirs to free.
            match read(&self.store).await? {
                Some((found, now)) if found.is_of(self.token()) => tag = now,
                _ => return Ok(()),
            }
        }
    }

    /// Ends the beats. The tag of the last one, where the lease is still ours.
    fn stop(&mut self) -> Option<Tag> {
        if let Some(end) = self.end.take() {
            // Fails only where the beats have ended.
            let _ = end.send(());
        }
        self.beats.take()?.join().ok()?
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Renews a lease until it is told to end. Gives the last tag, or none where the lease is lost.
fn keep_alive(
    store: &Store,
    mut file: File,
    mut tag: Tag,
    ttl: Duration,
    mut ended: tokio::sync::oneshot::Receiver<()>,
    tell: &watch::Sender<Beat>,
) -> Option<Tag> {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().ok()?;
    let last = runtime.block_on(async {
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return Some(tag),
                () = tokio::time::sleep(ttl / 3) => {}
            }
            // Whoever ends it does not wait for a state that does not answer: what became of the beat is found out then.
            let beaten = tokio::select! {
                biased;
                _ = &mut ended => return Some(tag),
                beaten = beat(store, &mut file, &mut tag, ttl) => beaten,
            };
            match beaten {
                Ok(Some(sent)) => {
                    tell.send_replace(Beat { sent, lost: false });
                }
                Err(_) if tell.borrow().sent.elapsed() < ttl => {}
                Ok(None) | Err(_) => {
                    tell.send_modify(|beat| beat.lost = true);
                    return None;
                }
            }
        }
    });
    // A name that is still looked up holds up nobody.
    runtime.shutdown_background();
    last
}

/// Gives a sign of life, and when it was sent; none where the lease is somebody else's.
async fn beat(
    store: &Store,
    file: &mut File,
    tag: &mut Tag,
    ttl: Duration,
) -> Result<Option<Instant>, LeaseError> {
    loop {
        file.beat = file.beat.wrapping_add(1);
        if let Some(holder) = &mut file.holder {
            holder.expires = after(ttl);
        }
        let sent = Instant::now();
        match write(store, file, Some(tag.clone())).await {
            Ok(next) => {
                *tag = next;
                return Ok(Some(sent));
            }
            Err(error) if error.is_moved() => {}
            Err(error) => return Err(error.into()),
        }
        // A beat before may have arrived though its answer did not.
        match read(store).await? {
            Some((found, now)) if found.is_of(file.token) => {
                file.beat = found.beat;
                *tag = now;
            }
            _ => return Ok(None),
        }
    }
}

/// Who holds the lease of a site, and who broke the one before.
///
/// # Errors
/// Where it cannot be read.
pub async fn lease_holder(store: &Store) -> Result<(Option<Holder>, Option<Broken>), LeaseError> {
    let found = read(store).await?;
    Ok(found.map_or((None, None), |(file, _)| (file.holder, file.broken)))
}

/// The lease's holder and token.
pub(crate) async fn held(store: &Store) -> Result<Option<(u64, Holder)>, LeaseError> {
    let found = read(store).await?;
    Ok(found.and_then(|(file, _)| Some((file.token, file.holder?))))
}

/// Takes the lease away from its holder, which is returned. Who and why is kept.
///
/// # Errors
/// Where it cannot be read or written.
pub(crate) async fn break_lease(
    store: &Store,
    who: &str,
    reason: Option<String>,
) -> Result<Option<Holder>, LeaseError> {
    loop {
        let Some((mut file, tag)) = read(store).await? else {
            return Ok(None);
        };
        let Some(holder) = file.holder.take() else {
            return Ok(None);
        };
        file.beat = file.beat.wrapping_add(1);
        file.broken = Some(Broken {
            who: who.to_owned(),
            when: jiff::Timestamp::now(),
            reason: reason.clone(),
            holder: holder.who.clone(),
        });
        match write(store, &file, Some(tag)).await {
            Ok(_) => return Ok(Some(holder)),
            // A beat came in between.
            Err(error) if error.is_moved() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

impl File {
    fn new() -> Self {
        Self {
            format_version: FORMAT_VERSION.to_owned(),
            token: 0,
            beat: 0,
            holder: None,
            broken: None,
        }
    }

    /// Whether the holder that got this token still has it. A token is given once.
    fn is_of(&self, token: u64) -> bool {
        self.token == token && self.holder.is_some()
    }

    /// Whether it says what can be: nothing is granted for longer than somebody would wait.
    fn is_sound(&self) -> bool {
        let is_short = |holder: &Holder| Duration::from_millis(holder.ttl_ms) <= MAX_TTL;
        self.format_version == FORMAT_VERSION && self.holder.as_ref().is_none_or(is_short)
    }
}

impl Holder {
    fn new(who: &str, operation: &str, ttl: Duration) -> Self {
        Self {
            who: who.to_owned(),
            operation: operation.to_owned(),
            since: jiff::Timestamp::now(),
            expires: after(ttl),
            ttl_ms: u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX),
            process: Identity::own(),
        }
    }

    /// Whether no beat came for as long as it was granted, by the clock of whoever asks: good enough to tell people.
    pub(crate) fn is_overdue(&self) -> bool {
        jiff::Timestamp::now() > self.expires
    }

    /// Whether the process that holds it is known to have ended.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.process.is_gone()
    }
}

fn after(ttl: Duration) -> jiff::Timestamp {
    jiff::SignedDuration::try_from(ttl)
        .ok()
        .and_then(|ttl| jiff::Timestamp::now().checked_add(ttl).ok())
        .unwrap_or(jiff::Timestamp::MAX)
}

async fn read(store: &Store) -> Result<Option<(File, Tag)>, LeaseError> {
    let Some((bytes, tag)) = store.get(KEY).await? else {
        return Ok(None);
    };
    match serde_json::from_slice::<File>(&bytes) {
        Ok(file) if file.is_sound() => Ok(Some((file, tag))),
        _ => Err(damaged(store)),
    }
}

fn damaged(store: &Store) -> LeaseError {
    LeaseError::Damaged {
        place: store.place(KEY),
    }
}

async fn write(store: &Store, file: &File, tag: Option<Tag>) -> Result<Tag, StoreError> {
    // A struct of texts and numbers can always be written.
    let bytes = serde_json::to_vec(file).unwrap_or_default();
    match tag {
        Some(tag) => store.replace(KEY, bytes, &tag).await,
        None => store.create(KEY, bytes).await,
    }
}

#[cfg(test)]
mod tests;
