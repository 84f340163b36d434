//! desired → current → diff → plan → apply → verify → undo.
//!
//! The engine decides what is sent, when and in which order, and takes it back when something fails. It must never
//! touch the terminal, open a socket or a target's file itself (that is `switchover-effects`), or know how any one
//! server works (that is a plugin). Start with [`Plan`].

mod adopt;
mod apply;
mod context;
mod convert;
mod diff;
mod dns;
mod error;
pub mod event;
mod files;
mod generation;
pub mod plan;
mod planner;
mod redact;
mod render;
mod runbook;
mod secrets;
mod settings;
mod stop;
mod view;
mod world;

pub use adopt::{AdoptError, Adopted, Counts, Document, LeftOut, Origin, Refusal, adopt};
pub use apply::{Applied, apply};
pub use context::{Context, PluginSet};
pub use error::{ApplyError, Cause, PlanError, TargetError};
pub use event::{Event, OnEvent, Phase};
pub use generation::{Generation, State, StateError, TargetRecord};
pub use plan::{Plan, PlanFileError};
pub use planner::{Planned, plan};
pub use render::RenderError;
pub use runbook::{Reading, Runbook, TargetTasks, Task, TaskState, runbook};
pub use secrets::SecretCommands;
pub use stop::{Stop, Stopper};
