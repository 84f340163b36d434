//! The documented requirements and limitations as checks, each with its source and an explanation.
//!
//! It must never read a file, touch a server or print: it judges a topology and gives findings back. A new rule is a
//! constant in the file of its family, a line in [`all`]'s list, an explanation and two fixtures. Start with [`Rule`].

mod acknowledge;
mod across;
mod devices;
mod document;
mod finding;
mod judge;
mod limitations;
mod reference;
mod registry;
mod requirements;
mod services;
mod stops;
mod writers;

pub use acknowledge::{PluginCode, acknowledge, acknowledge_plugins};
pub use across::{Claim, Claims, Clash, Located, clashes};
pub use judge::judge;
pub use reference::reference;
pub use registry::{Rule, all, nearest_by_code, rule, slips};
