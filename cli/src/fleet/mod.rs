//! Many sites in one run: each by itself, side by side, with one summary.
//!
//! A site's part writes to a [`Terminal`](crate::terminal::Terminal) of its own, which is shown as a block in the order
//! of the files once it is over, so that what many sites tell does not mix. Nothing that one site does or fails to do
//! reaches another: all they share is compiled plugins. When a site is done, only its row of the summary is kept.
//!
//! Start with [`Sites`], then [`each`].

mod across;
mod findings;
mod progress;
mod repeats;
mod run;
mod shard;
mod signals;
mod sites;
mod summary;

pub(crate) use across::{JudgedSite, add_clashes};
pub(crate) use findings::Findings;
pub(crate) use repeats::Parameter;
pub(crate) use run::{Ended, Facts, Part, each, each_session, tell_interrupted};
pub(crate) use shard::Shard;
pub(crate) use signals::stoppable;
pub(crate) use sites::{Fleet, Sites, TOPOLOGY, Which};
pub(crate) use summary::{Apart, Outcome, Printer, Style, sum};
