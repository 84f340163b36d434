//! Which generations stay, and removing the others with what only they refer to.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use switchover_topology::Topology;

use super::error::StateError;
use super::generation::Generation;
use super::{AT_ONCE, State, blob, generation_key};
use crate::journal;

/// Which generations stay: those that are among the last so many, and those that are young enough. The last one always
/// does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// So many of the last stay, however old they are.
    pub generations: usize,
    /// Younger ones stay, however many they are.
    pub younger_than: Option<Duration>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            generations: 50,
            younger_than: None,
        }
    }
}

impl Retention {
    /// What a topology says, and whether it says anything.
    #[must_use]
    pub fn of(topology: &Topology) -> Option<Self> {
        let declared = topology.site.as_ref()?.retention.as_ref()?;
        let generations = declared.generations.as_ref();
        Some(Self {
            generations: generations.map_or(Self::default().generations, |of| of.value as usize),
            younger_than: declared.younger_than.as_ref().map(|of| of.value),
        })
    }

    /// Generations created later than this stay; none where their age does not matter.
    fn since(&self, now: Timestamp) -> Option<Timestamp> {
        let younger_than = SignedDuration::try_from(self.younger_than?).ok()?;
        Some(now.checked_sub(younger_than).unwrap_or(Timestamp::MIN))
    }
}

/// What can be removed, or was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Numbers of generations, ascending.
    pub generations: Vec<u64>,
    /// Keys of contents that nobody refers to then.
    pub contents: Vec<String>,
    /// How many generations stay.
    pub kept: usize,
}

impl Collected {
    /// Whether there is nothing to remove.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.generations.is_empty() && self.contents.is_empty()
    }
}

impl State {
    /// What is not to stay. Nothing is removed.
    ///
    /// # Errors
    /// Where a generation that stays, or may, is damaged: what it refers to is not known then.
    pub async fn collectable(
        &self,
        retention: Retention,
        now: Timestamp,
    ) -> Result<Collected, StateError> {
        let numbers = self.numbers().await?;
        let (older, last) =
            numbers.split_at(numbers.len().saturating_sub(retention.generations.max(1)));
        let (mut old, mut used) = (Vec::new(), BTreeSet::new());
        let mut keep = |generation: &Generation| {
            used.extend(generation.blobs().map(blob::BlobRef::key));
        };
        match retention.since(now) {
            None => old.extend(older),
            Some(since) => {
                let mut generations = self.each(older);
                while let Some(generation) = generations.try_next().await? {
                    if generation.created > since {
                        keep(&generation);
                    } else {
                        old.push(generation.number);
                    }
                }
            }
        }
        let mut generations = self.each(last);
        while let Some(generation) = generations.try_next().await? {
            keep(&generation);
        }
        // What a run that is not at its end wants is needed to finish it.
        let runs = journal::kept(&self.store).await?;
        used.extend(runs.iter().map(blob::BlobRef::key));
        let blobs = self.store.list(blob::FOLDER).await?.into_iter();
        Ok(Collected {
            contents: blobs.filter(|key| !used.contains(key)).collect(),
            kept: numbers.len() - old.len(),
            generations: old,
        })
    }

    /// Removes what was found [`collectable`](Self::collectable), and what killed processes left. It is for who holds the
    /// lease of the site, and ends early where `alone` says that this is over.
    ///
    /// # Errors
    /// Where something cannot be removed, or the lease is lost. What is left over can be collected again.
    pub async fn remove(
        &self,
        found: &Collected,
        alone: impl Fn() -> bool,
    ) -> Result<(), StateError> {
        // A generation goes before what it refers to: whatever this ends at, none that is there lacks anything.
        let generations = found.generations.iter().copied().map(generation_key);
        for key in generations.chain(found.contents.iter().cloned()) {
            if !alone() {
                return Err(StateError::NotAlone);
            }
            self.store.delete(&key).await?;
        }
        self.store.sweep().await?;
        Ok(())
    }

    /// Generations in their order.
    fn each(
        &self,
        numbers: &[u64],
    ) -> impl futures_util::Stream<Item = Result<Generation, StateError>> + Unpin {
        let reading: Vec<_> = numbers
            .iter()
            .map(|&number| self.generation(number))
            .collect();
        Box::pin(futures_util::stream::iter(reading).buffered(AT_ONCE))
    }
}

#[cfg(test)]
mod tests;
