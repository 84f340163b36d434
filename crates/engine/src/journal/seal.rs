//! Values of servers in a record: secrets among them, so that nobody reads them who has only the record.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use switchover_effects::store::Store;

use super::JournalError;
use super::error::STATE_KEY;
use crate::plan::{Effect, Plan, Step};

/// Bytes of a key.
const KEY: usize = 32;

/// Something that only the holder of the key can read: a nonce and a sealed JSON text, in base64.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Sealed(String);

/// The key of a state, got where it is needed first.
#[derive(Debug)]
pub(crate) struct Keys {
    place: Place,
    key: OnceLock<Key>,
}

/// Where it is.
#[derive(Debug)]
enum Place {
    /// In the state folder, which only its owner can read.
    File(PathBuf),
    /// Who can read an object store must not have the key by that: it comes from the environment.
    Environment { state: String },
}

impl Keys {
    /// The key of a state.
    pub(crate) fn of(store: &Store) -> Self {
        let place = match store.folder() {
            Some(folder) => Place::File(folder.join("key")),
            None => Place::Environment {
                state: store.place(""),
            },
        };
        let key = OnceLock::new();
        Self { place, key }
    }

    /// Makes sure that whatever a plan will have to seal can be.
    pub(crate) fn ready_for(&self, plan: &Plan) -> Result<(), JournalError> {
        match seals(plan)? {
            true => self.key().map(drop),
            false => Ok(()),
        }
    }

    /// To seal with. The first run of a state in a folder makes it.
    pub(super) fn key(&self) -> Result<&Key, JournalError> {
        self.got(Key::at)
    }

    /// To open what was sealed: none is made for that, for it would open nothing.
    pub(super) fn opening(&self) -> Result<&Key, JournalError> {
        self.got(|path| Key::there(path)?.ok_or(JournalError::Unsealed))
    }

    fn got(
        &self,
        at: impl FnOnce(&Path) -> Result<Key, JournalError>,
    ) -> Result<&Key, JournalError> {
        if let Some(key) = self.key.get() {
            return Ok(key);
        }
        let key = match &self.place {
            Place::File(path) => at(path)?,
            Place::Environment { state } => {
                let place = state.trim_end_matches('/').to_owned();
                match std::env::var(STATE_KEY) {
                    Ok(text) if !text.trim().is_empty() => {
                        Key::read(&text).ok_or(JournalError::BadStateKey { place })?
                    }
                    Err(std::env::VarError::NotUnicode(_)) => {
                        return Err(JournalError::BadStateKey { place });
                    }
                    _ => return Err(JournalError::NoStateKey { place }),
                }
            }
        };
        Ok(self.key.get_or_init(|| key))
    }
}

/// Whether carrying out a plan puts anything into its journal that is sealed: digests of files, answers that steps refer
/// to, and what they capture.
fn seals(plan: &Plan) -> Result<bool, JournalError> {
    for part in &plan.targets {
        let text = serde_json::to_string(&part.procedure).map_err(JournalError::Record)?;
        if text.contains("${observed:") {
            return Ok(true);
        }
        let is_file = |effect: &Effect| {
            matches!(effect, Effect::WriteFile { .. } | Effect::RemoveFile { .. })
        };
        let captures = |step: &Step| {
            let looked_for = step.evidence.as_ref();
            !step.capture.is_empty() || looked_for.is_some_and(|look| !look.capture.is_empty())
        };
        let mut steps = part.procedure.steps();
        if steps.any(|step| captures(step) || is_file(&step.effect)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Seals and opens.
pub(super) struct Key(LessSafeKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key")
    }
}

impl Key {
    /// The key in a file that only its owner can read; made where there is none.
    pub(super) fn at(path: &Path) -> Result<Self, JournalError> {
        match Self::there(path)? {
            Some(key) => Ok(key),
            None => Self::make(path),
        }
    }

    /// The key in a file, where there is one.
    fn there(path: &Path) -> Result<Option<Self>, JournalError> {
        match fs::read(path) {
            Ok(bytes) => match Self::of(&bytes) {
                Some(key) => Ok(Some(key)),
                None => Err(JournalError::NoKey {
                    path: path.to_owned(),
                }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(JournalError::read_key(path, source)),
        }
    }

    /// A key as people hand it on: 32 bytes in Base64.
    fn read(text: &str) -> Option<Self> {
        Self::of(&STANDARD.decode(text.trim()).ok()?)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        Some(Self(LessSafeKey::new(key)))
    }

    fn make(path: &Path) -> Result<Self, JournalError> {
        let failed = |source| JournalError::write_key(path, source);
        let mut bytes = [0; KEY];
        random(&mut bytes)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        // Whole or not at all: a run that is killed here must not leave half a key.
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(folder)
            .map_err(failed)?;
        file.write_all(&bytes)
            .and_then(|()| file.as_file().sync_all())
            .map_err(failed)?;
        match file.persist_noclobber(path) {
            Ok(_) => {}
            // Somebody else was quicker.
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Self::at(path);
            }
            Err(error) => return Err(failed(error.error)),
        }
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)?;
        Self::of(&bytes).ok_or_else(|| JournalError::NoKey {
            path: path.to_owned(),
        })
    }

    /// Seals a value for one place: it cannot be opened as if it stood elsewhere.
    pub(super) fn seal<T: Serialize>(
        &self,
        place: &str,
        value: &T,
    ) -> Result<Sealed, JournalError> {
        let mut bytes = serde_json::to_vec(value).map_err(JournalError::Record)?;
        let mut nonce = [0; NONCE_LEN];
        random(&mut nonce)?;
        self.0
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut bytes,
            )
            .map_err(|_| JournalError::Random)?;
        let whole = [nonce.as_slice(), &bytes].concat();
        Ok(Sealed(STANDARD.encode(whole)))
    }

    /// Opens what was sealed for this place.
    pub(super) fn open<T: DeserializeOwned>(
        &self,
        place: &str,
        sealed: &Sealed,
    ) -> Result<T, JournalError> {
        let unsealed = || {
            let mut whole = STANDARD.decode(&sealed.0).ok()?;
            let (nonce, bytes) = whole.split_at_mut_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let aad = Aad::from(place.as_bytes());
            self.0
                .open_in_place(nonce, aad, bytes)
                .map(|bytes| bytes.to_vec())
                .ok()
        };
        let bytes = unsealed().ok_or(JournalError::Unsealed)?;
        serde_json::from_slice(&bytes).map_err(JournalError::Record)
    }
}

/// Random bytes, for keys and for names that nobody else has.
pub(super) fn random(bytes: &mut [u8]) -> Result<(), JournalError> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| JournalError::Random)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_sealed_is_opened_with_the_key_at_its_place_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/key");
        let sealed = Key::at(&path).unwrap().seal("kea1", &"hunter2").unwrap();
        assert!(!serde_json::to_string(&sealed).unwrap().contains("hunter2"));
        let key = Key::at(&path).unwrap();
        assert_eq!(key.open::<String>("kea1", &sealed).unwrap(), "hunter2");
        assert!(matches!(
            key.open::<String>("kea2", &sealed),
            Err(JournalError::Unsealed)
        ));
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let other = Key::at(&folder.path().join("other")).unwrap();
        assert!(other.open::<String>("kea1", &sealed).is_err());
        assert_ne!(sealed, key.seal("kea1", &"hunter2").unwrap());
        for damage in ["", "!", "AAAA"] {
            assert!(
                key.open::<String>("kea1", &Sealed(damage.to_owned()))
                    .is_err()
            );
        }
        let text = STANDARD.encode([7; KEY]);
        assert!(Key::read(&format!("{text}\n")).is_some());
        for bad in ["", "hunter2", &text[4..], &STANDARD.encode([7; KEY + 1])] {
            assert!(Key::read(bad).is_none(), "{bad}");
        }
        fs::write(&path, "short").unwrap();
        assert!(matches!(Key::at(&path), Err(JournalError::NoKey { .. })));
    }

    #[test]
    fn no_key_is_made_to_open_something() {
        let folder = tempfile::tempdir().unwrap();
        let keys = || Keys::of(&Store::local(folder.path().to_owned()));
        let path = folder.path().join("key");
        assert!(matches!(keys().opening(), Err(JournalError::Unsealed)));
        assert!(!path.exists());
        keys().key().unwrap();
        assert!(path.exists() && keys().opening().is_ok());
    }
}
