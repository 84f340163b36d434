//! What a run tells while it goes: one stream that feeds terminal and machine output alike.

/// Something began or ended. Names are those of the topology; no text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each says itself")]
pub enum Event {
    /// The state of a target is being read.
    Reading { target: String },
    /// It has been read.
    Observed { target: String },
    /// A step of a phase begins.
    Step {
        target: String,
        phase: Phase,
        title: String,
    },
    /// The commit of a target is complete.
    Committed { target: String },
    /// What was written was read back and is as wanted.
    Verified { target: String },
    /// Something failed; what was done is being taken back.
    Undoing { target: String, title: String },
    /// Everything is done; unless somebody confirms it by then, it is taken back.
    Waiting { until: jiff::Timestamp },
    /// Somebody did.
    Confirmed { who: String },
    /// The end of the run could not be written into its journal, which calls it interrupted from now on.
    Unended { why: String },
    /// The end of what was done could not be written into the audit log.
    Unaudited { why: String },
    /// A run before this one is over, and something that it left beside files was not cleared away.
    LeftBehind {
        why: String,
        /// Nobody looks for it any more.
        forgotten: bool,
    },
    /// A target that another process has left in the middle cannot be completed: it is rolled back, and applied again.
    NotCompleted { target: String, why: String },
    /// A new generation was recorded.
    Generation { number: u64 },
}

/// Phases of an apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's terms")]
pub enum Phase {
    Stage,
    Commit,
    Verify,
    Undo,
}

impl Phase {
    /// As it is written for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Commit => "commit",
            Self::Verify => "verify",
            Self::Undo => "undo",
        }
    }
}

/// Receives events. Cheap: the engine calls it between requests.
pub type OnEvent<'a> = &'a (dyn Fn(Event) + Send + Sync);
