//! Loading plugins.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, OptLevel};

use crate::cache::{self, Cache};
use crate::limits::{Limits, Usage};
use crate::plugin::Plugin;
use crate::ticker::Ticker;
use crate::wit::PluginPre;
use crate::{Digest, HostError, PluginError, Problem, WIT_VERSION};

/// How a [`Host`] works.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Folder for compiled code; none compiles every time. Never a folder of a repository: what lies here is run.
    pub cache: Option<PathBuf>,
    /// Limits of every plugin.
    pub limits: Limits,
}

impl Default for HostConfig {
    /// The user's own cache folder and the default limits.
    fn default() -> Self {
        Self {
            cache: cache::default_cache(),
            limits: Limits::default(),
        }
    }
}

/// Loads plugins and holds them to their limits. Cheap to clone; one serves a whole run, from any thread.
#[derive(Clone)]
pub struct Host(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    pub(crate) limits: Limits,
    cache: Option<Cache>,
}

/// A component and its digest.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    bytes: Cow<'a, [u8]>,
    digest: Digest,
}

impl<'a> Source<'a> {
    /// Bytes from anywhere; their digest is taken now.
    pub fn new(bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        let digest = Digest::of(&bytes);
        Self { bytes, digest }
    }

    /// Bytes that are part of this program, with the digest taken when it was built. They are not even read when their
    /// compiled code is in the cache.
    #[must_use]
    pub fn embedded(bytes: &'static [u8], sha256: [u8; 32]) -> Self {
        Self {
            bytes: Cow::Borrowed(bytes),
            digest: Digest::from(sha256),
        }
    }

    /// SHA-256 of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Host {
    /// Prepares to run plugins. Compiles nothing and starts no thread.
    ///
    /// # Errors
    /// This machine cannot run WebAssembly as it is meant to be run here.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let engine = Engine::new(&engine_config())
            .map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let cache = config.cache.map(|folder| Cache::new(folder, &engine));
        Ok(Self(Arc::new(Inner {
            ticker: Ticker::new(engine.clone()),
            engine,
            limits: config.limits,
            cache,
        })))
    }

    /// Limits of every plugin.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Makes a component ready to be called as the plugin `name`, and asks it to describe itself.
    ///
    /// # Errors
    /// It is no valid component, imports something, does not speak the contract, misbehaves while describing itself,
    /// or describes itself in a way that is no use.
    pub fn load(&self, name: &str, source: &Source<'_>) -> Result<Plugin, PluginError> {
        let fail = |problem| PluginError::new(name, None, None, problem);
        let component = self.component(source).map_err(fail)?;
        let imports = imports(&component, &self.0.engine);
        if !imports.is_empty() {
            return Err(fail(Problem::Imports(imports)));
        }
        // The linker is empty and stays so: nothing that a component could import exists.
        let pre = Linker::<Usage>::new(&self.0.engine)
            .instantiate_pre(&component)
            .and_then(PluginPre::new)
            .map_err(|error| fail(Problem::World(one_line(&error))))?;
        Plugin::described(self.clone(), name, source.digest, pre)
    }

    /// Compiled code from the cache, else compiled now and cached for the next time.
    fn component(&self, source: &Source<'_>) -> Result<Component, Problem> {
        let Inner {
            engine,
            cache,
            limits,
            ..
        } = &*self.0;
        if let Some(component) = cache
            .as_ref()
            .and_then(|cache| cache.load(engine, source.digest))
        {
            return Ok(component);
        }
        if source.bytes.len() > limits.component {
            return Err(Problem::TooLarge {
                size: source.bytes.len(),
                limit: limits.component,
            });
        }
        looks_like_component(&source.bytes)
            .map_err(|reason| Problem::Invalid(reason.to_owned()))?;
        // Validates all of it before compiling any of it.
        let component = Component::from_binary(engine, &source.bytes)
            .map_err(|error| Problem::Invalid(one_line(&error)))?;
        if let Some(cache) = cache {
            cache.store(source.digest, &component);
        }
        Ok(component)
    }
}

/// Same inputs, same outputs, on every machine: no threads, no relaxed SIMD, one bit pattern for NaN.
fn engine_config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .concurrency_support(false)
        // Names of functions suffice for a backtrace; addresses would double the compiled code.
        .generate_address_map(false);
    config
}

/// The usual mistakes, in plainer words than a validator has for them.
fn looks_like_component(bytes: &[u8]) -> Result<(), &'static str> {
    match bytes.get(..8) {
        Some(b"\0asm\x0d\0\x01\0") => Ok(()),
        Some(b"\0asm\x01\0\0\0") => {
            Err("it is a core module; `wit-component` makes a component of it")
        }
        _ => Err("it does not begin like one"),
    }
}

/// wasmtime's words for an error, without line breaks.
fn one_line(error: &wasmtime::Error) -> String {
    format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// Names of everything that a component imports, but for the contract's own interface of types: a component cannot
/// export functions over these types without naming them, and there is nothing in it to call.
fn imports(component: &Component, engine: &Engine) -> Vec<String> {
    let types = format!("switchover:plugin/types@{WIT_VERSION}");
    component
        .component_type()
        .imports(engine)
        .filter(|(name, item)| match &item.ty {
            ComponentItem::ComponentInstance(instance) if *name == types => !instance
                .exports(engine)
                .all(|(_, item)| matches!(item.ty, ComponentItem::Type(_))),
            _ => true,
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}
