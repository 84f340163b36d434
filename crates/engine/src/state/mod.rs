//! What is kept of a site: numbered generations, never rewritten, and the contents that they refer to.
//!
//! The last generation decides what is ours (only that is ever deleted) and what drifted. `docs/state.md` describes
//! every file.

mod blob;
mod check;
mod error;
mod file;
mod generation;
mod identity;
mod lease;
mod retention;

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::StreamExt as _;
use switchover_effects::store::Store;

pub use blob::{BlobRef, Contents, Sources};
pub use check::{Checked, Damage};
pub use error::{StateError, spans};
pub use generation::{Counts, Generation, TargetRecord};
pub use lease::{Broken, Holder, Lease, LeaseError, LeaseOptions, lease_holder};
pub(crate) use lease::{Guard, break_lease, held};
pub use retention::{Collected, Retention};

use crate::diff::Resource;

/// Where generations are.
const GENERATIONS: &str = "generations";

/// How many generations are read at once.
const AT_ONCE: usize = 8;

/// The state of one site.
#[derive(Debug, Clone)]
pub struct State {
    store: Store,
}

impl State {
    /// The state at a location as the topology declares it, relative to the topology's folder. Nothing is created.
    ///
    /// # Errors
    /// Where it is no such location.
    pub fn at(root: &Path, location: Option<&str>) -> Result<Self, StateError> {
        let location = location.unwrap_or(".switchover");
        Ok(Self {
            store: Store::open(root, location)?,
        })
    }

    /// Where everything is kept.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The numbers of all generations, ascending.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn numbers(&self) -> Result<Vec<u64>, StateError> {
        let keys = self.store.list(GENERATIONS).await?;
        let number = |key: &String| {
            let name = key.strip_prefix(GENERATIONS)?.strip_prefix('/')?;
            let number = name.strip_suffix(".json")?.parse().ok()?;
            (generation_key(number) == *key).then_some(number)
        };
        Ok(keys.iter().filter_map(number).collect())
    }

    /// The generation with the highest number.
    ///
    /// # Errors
    /// Where it cannot be read, or is damaged.
    pub async fn last(&self) -> Result<Option<Generation>, StateError> {
        match self.numbers().await?.last() {
            Some(number) => self.generation(*number).await.map(Some),
            None => Ok(None),
        }
    }

    /// The generation of this number.
    ///
    /// # Errors
    /// Where there is none, or it is damaged.
    pub async fn generation(&self, number: u64) -> Result<Generation, StateError> {
        Ok(self.read(number).await?.0)
    }

    /// All generations in their order. One that cannot be read does not keep the others from being read.
    ///
    /// # Errors
    /// Where they cannot be listed.
    pub async fn generations(
        &self,
    ) -> Result<Vec<(u64, Result<Generation, StateError>)>, StateError> {
        let numbers = self.numbers().await?.into_iter();
        let read = numbers.map(|number| async move { (number, self.generation(number).await) });
        Ok(futures_util::stream::iter(read)
            .buffered(AT_ONCE)
            .collect()
            .await)
    }

    /// A generation with its digest.
    async fn read(&self, number: u64) -> Result<(Generation, String), StateError> {
        let key = generation_key(number);
        let Some((bytes, _)) = self.store.get(&key).await? else {
            return Err(StateError::NoGeneration { number });
        };
        let read = file::read(&bytes).and_then(|(generation, sha256)| match generation.number {
            named if named == number => Ok((generation, sha256)),
            named => Err(file::Unreadable::damaged(format!(
                "it says that it is generation {named}"
            ))),
        });
        let unreadable = match read {
            Ok(read) => return Ok(read),
            Err(unreadable) => unreadable,
        };
        // Where they cannot be listed, the worse is to be expected.
        let numbers = self.numbers().await.unwrap_or_default();
        let is_last = numbers.last().is_none_or(|last| *last == number);
        Err(unreadable.of(number, self.store.place(&key), is_last))
    }

    /// A generation that follows from the one before it. From then on all of it is decided, and whoever records it records
    /// the same.
    pub(crate) async fn linked(
        &self,
        mut generation: Generation,
    ) -> Result<Generation, StateError> {
        let before = self.numbers().await?;
        let before = before
            .into_iter()
            .rfind(|number| *number < generation.number);
        generation.parent = match before {
            Some(number) => Some(self.read(number).await?.1),
            None => None,
        };
        Ok(generation)
    }

    /// Records a linked generation. That it is there already is as good; another one of its number is never overwritten.
    pub(crate) async fn record(&self, generation: &Generation) -> Result<(), StateError> {
        let key = generation_key(generation.number);
        let bytes = bytes::Bytes::from(file::write(generation)?);
        match self.store.create(&key, bytes.clone()).await {
            Ok(_) => Ok(()),
            // The answer may be all that was lost, or somebody else was quicker with the same.
            Err(error) => match self.store.get(&key).await {
                Ok(Some((there, _))) if there == bytes => Ok(()),
                _ => Err(error.into()),
            },
        }
    }

    /// Keeps what is wanted of a target.
    pub(crate) async fn keep_contents(
        &self,
        resources: &[Resource],
    ) -> Result<BlobRef, StateError> {
        self.keep(&Contents::of(resources)).await
    }

    /// Keeps the files of a topology.
    pub(crate) async fn keep_sources(&self, sources: &Sources) -> Result<BlobRef, StateError> {
        self.keep(sources).await
    }

    async fn keep(&self, value: &impl serde::Serialize) -> Result<BlobRef, StateError> {
        let bytes = serde_json::to_vec(value).map_err(StateError::Encode)?;
        let bytes = bytes::Bytes::from(bytes);
        let blob = BlobRef::of(&bytes);
        let key = blob.key();
        match self.store.create(&key, bytes.clone()).await {
            Ok(_) => return Ok(blob),
            Err(error) if error.is_exists() => {}
            Err(error) => return Err(error.into()),
        }
        // The same was kept before. What became of it since may be something else: then this is what it was.
        match self.store.get(&key).await? {
            Some((there, _)) if there == bytes => {}
            Some((_, tag)) => drop(self.store.replace(&key, bytes, &tag).await?),
            None => drop(self.store.create(&key, bytes).await?),
        }
        Ok(blob)
    }

    /// What was wanted of every target of a generation. Targets of which nothing was wanted may be missing.
    ///
    /// # Errors
    /// Where something of it is gone or damaged, or the generation kept no more than digests.
    pub async fn contents_of(
        &self,
        generation: &Generation,
    ) -> Result<BTreeMap<String, Contents>, StateError> {
        let mut all = BTreeMap::new();
        for (name, record) in &generation.targets {
            match &record.contents {
                Some(blob) => {
                    all.insert(name.clone(), self.contents(blob).await?);
                }
                None if record.resources.is_empty() => {}
                // Nothing of it would be wanted, and everything be removed.
                None => {
                    return Err(StateError::OnlyDigests {
                        number: generation.number,
                        target: name.clone(),
                    });
                }
            }
        }
        Ok(all)
    }

    /// What was wanted of a target.
    ///
    /// # Errors
    /// Where it is gone or damaged; the generations that refer to it are named.
    pub async fn contents(&self, blob: &BlobRef) -> Result<Contents, StateError> {
        self.decoded(blob).await
    }

    /// The files of a topology as they were read.
    ///
    /// # Errors
    /// Where they are gone or damaged; the generations that refer to them are named.
    pub async fn sources(&self, blob: &BlobRef) -> Result<Sources, StateError> {
        self.decoded(blob).await
    }

    async fn decoded<T: serde::de::DeserializeOwned>(
        &self,
        blob: &BlobRef,
    ) -> Result<T, StateError> {
        let bytes = self.blob(blob).await?;
        match serde_json::from_slice(&bytes) {
            Ok(value) => Ok(value),
            Err(error) => Err(self.bad(blob, error.to_string()).await),
        }
    }

    /// A content, held against its name.
    async fn blob(&self, blob: &BlobRef) -> Result<bytes::Bytes, StateError> {
        match self.store.get(&blob.key()).await? {
            Some((bytes, _)) if BlobRef::of(&bytes) == *blob => Ok(bytes),
            Some(_) => {
                let problem = "its content is not what its name says".to_owned();
                Err(self.bad(blob, problem).await)
            }
            None => Err(self.bad(blob, "it is gone".to_owned()).await),
        }
    }

    /// An error that says whose content cannot be used.
    pub(crate) async fn bad(&self, blob: &BlobRef, problem: String) -> StateError {
        let all = self.generations().await.unwrap_or_default().into_iter();
        let users = all.filter_map(|(number, generation)| {
            let uses = generation.is_ok_and(|of| of.blobs().any(|used| used == blob));
            uses.then_some(number)
        });
        StateError::Blob {
            place: self.store.place(&blob.key()),
            problem,
            needed_by: users.collect(),
        }
    }
}

fn generation_key(number: u64) -> String {
    format!("{GENERATIONS}/{number:06}.json")
}

#[cfg(test)]
mod tests;
