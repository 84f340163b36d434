//! What a switchover plugin is written with.
//!
//! A plugin is a type that implements [`Plugin`]: nine pure functions from values to values. [`export!`] makes it the
//! exports of a component. Everything a plugin says is data; it has no clock, no network, no files and no random
//! numbers, and it must not need any: the host refuses a component that imports something.
//!
//! The same crate compiles for the host, where [`export!`] does nothing, so that a plugin is tested as a table of
//! inputs and outputs by plain `cargo test`.
//!
//! Read [`Plugin`] first, then `schemas/plugin.wit`, which says what every value means.

mod answers;
#[doc(hidden)]
pub mod bindings;
mod build;
pub mod json;
pub mod notation;
mod plugin;
pub mod probe;
mod rule;
pub mod scope;
pub mod text;

pub use answers::Answers;
pub use bindings::switchover::plugin::types::*;
pub use build::parse_settings;
#[doc(hidden)]
pub use plugin::Adapter;
pub use plugin::Plugin;
pub use rule::Rule;

/// Makes a [`Plugin`] the exports of this crate's component. Once in a crate, at its top level.
///
/// Does nothing but check the type when compiled for the host.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        const _: () = {
            type Component = $crate::Adapter<$plugin>;
            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export_component!(Component with_types_in $crate::bindings);
            #[cfg(not(target_arch = "wasm32"))]
            const _: fn() -> $crate::Manifest = Component::describe;
        };
    };
}
