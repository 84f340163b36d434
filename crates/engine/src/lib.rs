//! desired → current → diff → plan → apply → verify → undo.
//!
//! The engine decides what is sent, when and in which order, and takes it back when something fails. It must never
//! touch the terminal, open a socket or a target's file itself (that is `switchover-effects`), or know how any one
//! server works (that is a plugin). Start with [`Plan`].

mod adopt;
mod apply;
pub mod audit;
mod comparison;
mod context;
mod convert;
mod deadline;
mod declared;
mod diff;
mod dns;
mod drift;
mod error;
pub mod event;
mod files;
mod journal;
mod limits;
mod lines;
mod offline;
pub mod plan;
mod plan_file;
mod planner;
mod probe;
mod recover;
mod redact;
mod rejected;
mod render;
mod runbook;
mod secrets;
mod selection;
mod settings;
pub mod signature;
mod span;
mod state;
mod stop;
mod view;
mod world;

pub use adopt::{AdoptError, Adopted, AdoptedCounts, Document, LeftOut, Origin, Refusal, adopt};
pub use apply::{Applied, ApplyOptions};
pub use audit::{apply, recover};
pub use comparison::{Comparison, Desired, TargetComparison, compare, desired, recorded};
pub use context::{Commands, Context, Permits, PluginSet, Recorded, Wanted};
pub use deadline::time_left;
pub use drift::{Drift, TargetDrift, drift, recall};
pub use error::{ApplyError, Cause, PlanError, TargetError};
pub use event::{Event, OnEvent, Phase};
pub use journal::{Fenced, JournalError, Operation, Reached, Unfinished, break_lease, who};
pub use offline::{Checked as CheckedOffline, Soundness, check};
pub use plan::Plan;
pub use plan_file::{NoDigest, PlanDigest, PlanFile, PlanFileError, looks_like_a_plan};
pub use planner::{Planned, plan};
pub use recover::{
    Course, Direction, RecoverError, Recovered, confirm, runs, sources_of, unfinished,
};
pub use render::RenderError;
pub use runbook::{PbxTasks, Reading, Runbook, TargetTasks, Task, TaskState, runbook};
pub use secrets::{MissingSecret, SecretCommands, SecretsError};
pub use selection::Selection;
pub use settings::settings_of_target;
pub use state::{
    BlobRef, Broken, Checked, Collected, Contents, Counts, Damage, Generation, Holder, Lease,
    LeaseError, LeaseOptions, Retention, Sources, State, StateError, TargetRecord, lease_holder,
    spans,
};
pub use stop::{Stop, Stopper};
