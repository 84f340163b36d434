//! Compiled code, kept for the next run in the user's own cache folder.
//!
//! Compiled code is run as it is, so what lies here is trusted like this program. It is used only if the folder and
//! the file belong to this user and nobody else may write to them, if its name says that this very engine made it from
//! this very component, and if its bytes have the hash that was written with them. Any doubt means compiling again;
//! trouble with the cache is never trouble for a run.

use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::Digest;

/// First bytes of a file. The number changes with the layout: these bytes, the BLAKE3 hash of the rest, the rest.
///
/// BLAKE3 because every run waits for it: SHA-256 of a megabyte takes several times as long as all else that loading
/// a compiled plugin does.
const MAGIC: &[u8] = b"switchover compiled plugin 1\n";

/// No compiled plugin comes near this; what is larger is not read.
const LARGEST: u64 = 1 << 30;

/// `switchover/plugins` in the user's cache folder, such as `~/.cache` on Linux. None without a home.
#[must_use]
pub fn default_cache() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.cache_dir().join("switchover").join("plugins"))
}

/// A folder of compiled components, for one engine.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    engine: String,
}

impl Cache {
    pub(crate) fn new(folder: PathBuf, engine: &Engine) -> Self {
        let mut hasher = EngineHasher(blake3::Hasher::new());
        engine.precompile_compatibility_hash().hash(&mut hasher);
        let engine = hasher.0.finalize().to_hex().to_string();
        Self { folder, engine }
    }

    fn path(&self, component: Digest) -> PathBuf {
        // Half of each hash is more than enough here and keeps the name under the limit of every file system.
        self.folder.join(format!(
            "{:.32}-{:.32}.cwasm",
            component.to_string(),
            self.engine
        ))
    }

    /// The compiled component, if there is one beyond doubt.
    pub(crate) fn load(&self, engine: &Engine, component: Digest) -> Option<Component> {
        if !is_private(&fs::symlink_metadata(&self.folder).ok()?) {
            return None;
        }
        let mut file = File::open(self.path(component)).ok()?;
        // Of the open file, not of its path: nobody can exchange it in between.
        let metadata = file.metadata().ok()?;
        if !metadata.is_file() || !is_private(&metadata) || metadata.len() > LARGEST {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).ok()?.saturating_add(1));
        file.read_to_end(&mut bytes).ok()?;
        deserialize(engine, verified(&bytes)?)
    }

    /// Keeps the compiled component. Another process that does so at the same time writes the same.
    pub(crate) fn store(&self, digest: Digest, component: &Component) {
        let Ok(code) = component.serialize() else {
            return;
        };
        // A cache that cannot be written costs the next run some milliseconds; this run has what it needs.
        let _ = self.write(&self.path(digest), &code);
    }

    fn write(&self, path: &Path, code: &[u8]) -> std::io::Result<()> {
        create_private(&self.folder)?;
        let mut file = tempfile::Builder::new()
            .prefix(".new-")
            .tempfile_in(&self.folder)?;
        file.write_all(MAGIC)?;
        file.write_all(blake3::hash(code).as_bytes())?;
        file.write_all(code)?;
        file.persist(path)?;
        Ok(())
    }
}

/// The code in a file's bytes, if they are whole.
fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (hash, code) = bytes.strip_prefix(MAGIC)?.split_first_chunk::<32>()?;
    (blake3::hash(code) == blake3::Hash::from(*hash)).then_some(code)
}

#[expect(
    unsafe_code,
    reason = "wasmtime cannot know that the bytes are its own; see the SAFETY note"
)]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes have to be what `Component::serialize` gave for a compatible engine, unchanged. They come from
    // a file that only this user can have written, in a folder where only this user can have put it, under a name
    // with the engine's compatibility hash, and they have the hash that `write` took of that function's result.
    // They are in memory of our own, so that nobody can change them between the check and their use.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// Whether only this user can have written it.
#[cfg(unix)]
fn is_private(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == rustix::process::geteuid().as_raw()
        && metadata.mode() & 0o022 == 0
        && !metadata.is_symlink()
}

/// The folder lies in the user's profile, which others cannot write to.
#[cfg(not(unix))]
fn is_private(metadata: &fs::Metadata) -> bool {
    !metadata.is_symlink()
}

fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Lets the engine's hash be one that two engines do not share by chance.
struct EngineHasher(blake3::Hasher);

impl Hasher for EngineHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = *self.0.finalize().as_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}
