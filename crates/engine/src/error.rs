//! What can go wrong with a target, a plan or an apply.

use miette::Diagnostic;
use switchover_effects::command::CommandError;
use switchover_effects::dhcp::DhcpError;
use switchover_effects::dns::DnsError;
use switchover_effects::folder::FolderError;
use switchover_effects::http::HttpError;
use switchover_effects::placeholder::ExpandError;
use switchover_effects::sip::SipError;
use switchover_effects::ssh::LocationError;
use switchover_effects::store::StoreError;
use switchover_plugin_host::{LockMismatch, PluginError, Refusal};
use switchover_topology::Diagnostic as Finding;

use crate::audit::AuditError;
use crate::deadline::time_left;
use crate::journal::{Fenced, JournalError};
use crate::plan::{LargeChange, Rejection};
use crate::render::RenderError;
use crate::secrets::SecretsError;
use crate::state::{LeaseError, StateError};

/// Why something about a target failed.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum Cause {
    #[error("there is no plugin `{name}`")]
    #[diagnostic(code(switchover::plugin::unknown), help("plugins: {}", known.join(", ")))]
    NoPlugin { name: String, known: Vec<String> },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Plugin(Box<PluginError>),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(Box<LockMismatch>),
    #[error("plugin `{plugin}` asks for something that its manifest does not declare")]
    #[diagnostic(
        code(switchover::plugin::not_permitted),
        help("the plugin is at fault; nothing was sent")
    )]
    Refused {
        plugin: String,
        #[source]
        refusal: Box<Refusal>,
    },
    #[error("plugin `{plugin}` contradicts the contract in `{export}`: {problem}")]
    #[diagnostic(
        code(switchover::plugin::contract),
        help("the plugin is at fault; nothing was changed")
    )]
    Contract {
        plugin: String,
        export: &'static str,
        problem: String,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Render(RenderError),
    #[error("plugin `{plugin}` reaches its server by {what}, which the target does not declare")]
    #[diagnostic(
        code(switchover::target::incomplete),
        help("add `{example}` to the target")
    )]
    Incomplete {
        plugin: String,
        what: &'static str,
        example: &'static str,
    },
    #[error("the root `{root}` {source}")]
    #[diagnostic(
        code(switchover::target::root),
        help("set `root` to a folder, or to `ssh://USER@HOST/FOLDER`")
    )]
    Root { root: String, source: LocationError },
    #[error("the file `{path}` of trusted certificates cannot be read")]
    #[diagnostic(
        code(switchover::target::ca),
        help("`ca` names a PEM file, relative to the topology file")
    )]
    Roots {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Command(#[from] CommandError),
    #[error("{what}")]
    #[diagnostic(code(switchover::target::command), help("{help}"))]
    Commands {
        /// Each command that cannot be run, why, and where it is declared.
        what: String,
        help: String,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dns(#[from] DnsError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Dhcp(#[from] DhcpError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sip(#[from] SipError),
    #[error("the target is not {what} in the topology")]
    #[diagnostic(
        code(switchover::target::probe),
        help("a target is asked only as what the topology says that it is; make a new plan")
    )]
    NotProbed { what: String },
    #[error("{mac} is offered {found} as {what}, expected {expected}")]
    #[diagnostic(
        code(switchover::step::offer),
        help(
            "the server has its new configuration and answers otherwise: does another server, a class or a \
             reservation elsewhere say something else for this device?"
        )
    )]
    Offered {
        mac: String,
        what: String,
        found: String,
        expected: String,
    },
    #[error("the target does not serve the zone `{zone}`")]
    #[diagnostic(
        code(switchover::target::zone),
        help(
            "a target reaches only zones whose `dns` node names it at one of its servers; nothing was sent"
        )
    )]
    Zone { zone: String },
    #[error("the zone `{zone}` has no server `{server}`")]
    #[diagnostic(code(switchover::target::server), help("make a new plan"))]
    NoServer { zone: String, server: String },
    #[error("`{server}` has the zone `{zone}` with serial {found}, the primary has {wanted}")]
    #[diagnostic(
        code(switchover::step::serial),
        help(
            "does the primary notify it, may it transfer the zone, and is it running? Its log says; \
             `await-secondaries #false` in the target does not wait for it"
        )
    )]
    Behind {
        server: String,
        zone: String,
        found: u32,
        wanted: u32,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    Expand(#[from] ExpandError),
    #[error("the answer is not JSON{}", excerpt(text))]
    #[diagnostic(
        code(switchover::step::not_json),
        help("is this the server that the target's `endpoint` means?")
    )]
    NotJson { text: String },
    #[error(
        "the server answers {found}, expected {expected} at `{pointer}`{}",
        reason(text)
    )]
    #[diagnostic(code(switchover::step::unexpected))]
    Unexpected {
        pointer: String,
        expected: String,
        found: String,
        text: Option<String>,
    },
    #[error("no answer as expected within {seconds} s")]
    #[diagnostic(code(switchover::step::probe))]
    Probe {
        seconds: f32,
        #[source]
        last: Box<Cause>,
    },
    #[error("{count} of {wanted} resources are not as wanted after the commit: {list}")]
    #[diagnostic(
        code(switchover::apply::read_back),
        help(
            "the server accepted the changes and shows something else: does something rewrite its configuration?"
        )
    )]
    ReadBack {
        count: usize,
        wanted: usize,
        list: String,
    },
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secret(#[from] SecretsError),
    #[error("the topology has no such target")]
    #[diagnostic(
        code(switchover::target::gone),
        help("bring back the topology as it was when the run began")
    )]
    NoTarget,
    #[error("something of it still waits beside files, and could not be removed")]
    #[diagnostic(
        code(switchover::apply::not_cleared),
        help("check that its host is reached, and the permissions of the folder")
    )]
    NotCleared,
    #[error("nobody confirmed it within {seconds} s")]
    #[diagnostic(
        code(switchover::apply::unconfirmed),
        help("`switchover confirm` confirms, from any terminal that still reaches the site")
    )]
    Unconfirmed { seconds: u64 },
    #[error("it was asked to stop")]
    #[diagnostic(code(switchover::apply::stopped))]
    Stopped,
    #[error("the plan holds no content for `{address}`")]
    #[diagnostic(code(switchover::plan::no_content), help("make a new plan"))]
    NoContent { address: String },
}

fn excerpt(text: &str) -> String {
    if text.is_empty() {
        " but empty".to_owned()
    } else {
        format!(": {text}")
    }
}

fn reason(text: &Option<String>) -> String {
    text.as_ref()
        .map_or_else(String::new, |text| format!(": {text}"))
}

impl From<PluginError> for Cause {
    fn from(error: PluginError) -> Self {
        Self::Plugin(Box::new(error))
    }
}

impl From<LockMismatch> for Cause {
    fn from(error: LockMismatch) -> Self {
        Self::Lock(Box::new(error))
    }
}

/// A failure at one target.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(transparent)]
#[diagnostic(transparent)]
pub struct TargetError(Box<Failure>);

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("failed to {doing} {what} `{target}`")]
struct Failure {
    what: &'static str,
    target: String,
    /// Such as `plan` or `commit "apply the configuration" on`.
    doing: String,
    #[source]
    #[diagnostic_source]
    cause: Cause,
}

impl TargetError {
    pub(crate) fn new(target: &str, doing: impl Into<String>, cause: Cause) -> Self {
        Self::of("target", target, doing.into(), cause)
    }

    /// A failure that is of no target: of the site as a whole.
    pub(crate) fn of_site(site: &str, doing: impl Into<String>, cause: Cause) -> Self {
        Self::of("site", site, doing.into(), cause)
    }

    fn of(what: &'static str, name: &str, doing: String, cause: Cause) -> Self {
        Self(Box::new(Failure {
            what,
            target: name.to_owned(),
            doing,
            cause,
        }))
    }

    /// The target's name, or the site's.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.0.target
    }

    /// Why it failed.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }
}

/// No plan can be made. Nothing was changed: planning only reads.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum PlanError {
    /// Plugins have found errors in the topology.
    #[error("failed to plan: plugins find errors in the topology")]
    #[diagnostic(code(switchover::plan::findings))]
    Findings(Vec<Finding>),
    /// A secret is not to be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secret(#[from] SecretsError),
    /// The state folder cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    /// What is kept of earlier runs cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// Targets that failed; every one of them.
    #[error("failed to plan {} of {of} targets", errors.len())]
    #[diagnostic(code(switchover::plan::targets), help("nothing was changed"))]
    Targets {
        /// One a target.
        #[related]
        errors: Vec<TargetError>,
        /// How many targets there are.
        of: usize,
    },
}

/// An apply that did not do what the plan says.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ApplyError {
    /// What the plan was made from has moved. Nothing was changed.
    #[error("failed to apply a stale plan: {what}")]
    #[diagnostic(
        code(switchover::apply::stale),
        help("nothing was changed; make a new plan and review it")
    )]
    Stale {
        /// Which digest moved, such as ``the state of target `kea1` changed since``.
        what: String,
    },
    /// It is larger than the topology lets pass. Nothing was changed.
    #[error("failed to apply so large a change: {what}")]
    #[diagnostic(
        code(switchover::apply::large_change),
        help(
            "nothing was changed; where it is meant, pass `--allow-large-change`; `large-change` of the site or of a \
             target sets the limits"
        )
    )]
    LargeChange {
        /// Such as ``31 of 100 resources of `kea1` change or go``.
        what: String,
    },
    /// All of what it was made from was rolled back before. Nothing was changed.
    #[error("failed to apply what was rejected: {rejection}")]
    #[diagnostic(
        code(switchover::apply::rejected),
        help(
            "nothing was changed; change the topology or repair the server, or pass `--allow-rejected` to try the same \
             once more"
        )
    )]
    Rejected {
        /// How it ended before.
        rejection: Rejection,
    },
    /// It failed before the first commit, or could not be looked at. Nothing was changed.
    #[error("failed to apply the plan; nothing was changed")]
    #[diagnostic(code(switchover::apply::nothing_changed))]
    NothingChanged(
        #[source]
        #[diagnostic_source]
        TargetError,
    ),
    /// A run before this one was interrupted. Nothing was changed.
    #[error(
        "failed to apply: the run that {who} began at {when:.0} was interrupted and is not at its end"
    )]
    #[diagnostic(
        code(switchover::apply::unfinished),
        help("`switchover recover` shows what is known of it, and takes it back or finishes it")
    )]
    Unfinished {
        /// Who began it.
        who: String,
        /// When.
        when: jiff::Timestamp,
    },
    /// Another run is at work. Nothing was changed.
    #[error("failed to apply: {who} is at work since {when:.0}")]
    #[diagnostic(code(switchover::apply::busy), help("{}", busy(waiting.as_ref())))]
    Busy {
        /// Who began it.
        who: String,
        /// When.
        when: jiff::Timestamp,
        /// Until when it waits to be confirmed, where it does.
        waiting: Option<jiff::Timestamp>,
    },
    /// It is somebody else's by now. What was done is left for them: nothing was taken back.
    #[error("failed to apply: {0}; nothing more was done, and nothing taken back")]
    #[diagnostic(
        code(switchover::apply::fenced),
        help(
            "`switchover audit` shows what became of it; a run that nobody has brought to its end yet is shown by \
             `switchover recover`"
        )
    )]
    Fenced(Fenced),
    /// Somebody else changes the site, or nobody can tell. Nothing was changed.
    #[error("failed to apply the plan; nothing was changed")]
    #[diagnostic(code(switchover::apply::lease))]
    Lease(
        #[source]
        #[diagnostic_source]
        LeaseError,
    ),
    /// A secret is not to be had. Nothing was changed.
    #[error("failed to apply the plan; nothing was changed")]
    #[diagnostic(code(switchover::apply::nothing_changed))]
    Secret(
        #[source]
        #[diagnostic_source]
        SecretsError,
    ),
    /// It failed, and everything done before was taken back.
    #[error("failed to apply the plan; everything was rolled back")]
    #[diagnostic(
        code(switchover::apply::rolled_back),
        help("every target is as it was before")
    )]
    RolledBack(
        #[source]
        #[diagnostic_source]
        TargetError,
    ),
    /// Everything is done, and stays; but the generation that records it could not be written.
    #[error(
        "failed to record what was applied; every target is as planned, and nothing was taken back"
    )]
    #[diagnostic(
        code(switchover::apply::unrecorded),
        help(
            "mend what is named here, then run `switchover recover`: it records the run, or shows what is known of it \
             where that was not written down in time"
        )
    )]
    Unrecorded(
        #[source]
        #[diagnostic_source]
        TargetError,
    ),
    /// It failed, and something could not be taken back.
    #[error("failed to apply the plan; {} could not be rolled back", targets(undo))]
    #[diagnostic(
        code(switchover::apply::partial),
        help(
            "look at the targets named here before anything else; `switchover recover --back` tries again. Where a command \
             is at fault, correct the topology and add `--commands-from TOPOLOGY`"
        )
    )]
    Partial {
        /// What failed first.
        #[source]
        #[diagnostic_source]
        cause: TargetError,
        /// What could not be undone.
        #[related]
        undo: Vec<TargetError>,
    },
}

impl ApplyError {
    /// What makes a plan too large to be applied without being asked for.
    #[must_use]
    pub fn large_change(large: &[LargeChange]) -> Self {
        let what: Vec<String> = large.iter().map(ToString::to_string).collect();
        Self::LargeChange {
            what: what.join("; "),
        }
    }
}

/// An error with what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // A transparent error says what its source says.
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text.replace('\n', " ")
}

/// What to do while another run is at work.
pub(crate) fn busy(waiting: Option<&jiff::Timestamp>) -> String {
    waiting.map_or_else(
        || "nothing was changed; wait for the end of that run".to_owned(),
        |until| {
            format!(
                "nothing was changed; that run waits for `switchover confirm`. Without it, the run is rolled back in {}",
                time_left(*until)
            )
        },
    )
}

fn targets(errors: &[TargetError]) -> String {
    let mut names: Vec<&str> = errors.iter().map(TargetError::target).collect();
    names.dedup();
    format!(
        "target{} `{}`",
        if names.len() == 1 { "" } else { "s" },
        names.join("`, `")
    )
}
