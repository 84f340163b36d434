//! The plugins that are part of the `switchover` binary.
//!
//! The build script compiles every guest of the `plugins` workspace to WebAssembly, makes each a component and puts it
//! in here together with its digest. Nothing is done at run time: the bytes are not touched before somebody reads them.
//!
//! This crate must never look for plugins anywhere else, nor know what is in them. Read [`Bundled`] first.

/// A plugin of this binary.
#[derive(Debug)]
pub struct Bundled {
    /// Its name in a topology.
    pub name: &'static str,
    /// SHA-256 of `component`, taken when this binary was built.
    pub sha256: [u8; 32],
    /// The WebAssembly component.
    pub component: &'static [u8],
}

static ALL: &[Bundled] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// Every bundled plugin, by ascending name.
#[must_use]
pub fn all() -> &'static [Bundled] {
    ALL
}

/// The bundled plugin of this name.
#[must_use]
pub fn get(name: &str) -> Option<&'static Bundled> {
    ALL.iter().find(|bundled| bundled.name == name)
}
