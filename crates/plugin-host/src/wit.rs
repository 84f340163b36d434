//! The contract's types, generated from `schemas/plugin.wit`, which says what each of them means.
//!
//! They are plain values, and serialise with the field names below: a stored plan holds them.

#[expect(
    missing_docs,
    reason = "generated; the contract's comments come along where it has them"
)]
mod generated {
    wasmtime::component::bindgen!({
        path: "../../schemas/plugin.wit",
        world: "plugin",
        additional_derives: [PartialEq, Eq, serde::Serialize, serde::Deserialize],
    });
}

pub use generated::switchover::plugin::types::*;

pub(crate) use generated::exports::switchover::plugin::api::Guest;
pub(crate) use generated::{Plugin as Instantiated, PluginPre};
