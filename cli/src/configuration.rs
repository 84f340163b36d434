//! The user's own configuration: `switchover/config.kdl` in the user's configuration folder.
//!
//! It holds what a topology must not decide: which commands may be run to print a secret, what is run to reach another
//! host, and for how long this machine may be silent before others take it for gone.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use etcetera::BaseStrategy;
use kdl::{KdlDocument, KdlEntry, KdlNode};
use miette::{Diagnostic, NamedSource, SourceSpan};
use switchover_engine::{LeaseOptions, SecretCommands};
use switchover_topology::value::parse_duration;

use crate::exit::Exit;
use crate::failure::Failure;

const HELP: &str = "it holds lines such as `ssh \"ssh\" \"-F\" \"/home/me/.ssh/voice\"`, `lease \"30s\"` and `secret-command \"vault\" \"vault\" \"kv\" \"get\" \"-field=token\" \"secret/wms\"`";

const LEASE_HELP: &str = "a run tells that it lives three times within this time, and one that does not for so long is taken for gone: short enough to wait for, long enough for a network to come back; 30 seconds if it is not said";

/// A lease shorter than this is lost to a slow disk, and a longer one keeps everybody out after a crash.
const LEASES: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum ConfigurationError {
    #[error("failed to read the configuration `{}`", path.display())]
    #[diagnostic(
        code(switchover::configuration::read),
        help("check the file's owner and permissions")
    )]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the configuration `{}` is not valid KDL", path.display())]
    #[diagnostic(code(switchover::configuration::syntax), help("{HELP}"))]
    Syntax {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: kdl::KdlError,
    },
    #[error("{message}")]
    #[diagnostic(code(switchover::configuration::content), help("{help}"))]
    Content {
        message: String,
        help: &'static str,
        #[source_code]
        text: Arc<NamedSource<String>>,
        #[label]
        at: SourceSpan,
    },
}

/// What the file says. Without one, no command is allowed and `ssh` is run as `ssh`.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    /// Commands that may print secrets, by name.
    pub(crate) secret_commands: SecretCommands,
    /// What is run for `ssh`; empty for `ssh` itself.
    pub(crate) ssh: Vec<String>,
    /// For how long a lease is granted.
    pub(crate) lease: Option<Duration>,
}

/// What is wrong with a line.
struct Fault {
    message: String,
    help: &'static str,
    at: SourceSpan,
}

impl Fault {
    fn of(node: &KdlNode, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: HELP,
            at: node.span(),
        }
    }
}

/// How the site is kept to a run: as the user's own configuration says, and waited for so long.
pub(crate) fn lease(wait: Option<Duration>) -> Result<LeaseOptions, Failure> {
    let configured = read().map_err(|error| Failure::new(Exit::Failed, error))?;
    let default = LeaseOptions::default();
    Ok(LeaseOptions {
        ttl: configured.lease.unwrap_or(default.ttl),
        wait: wait.unwrap_or(default.wait),
    })
}

/// Reads the user's own configuration.
pub(crate) fn read() -> Result<Configuration, ConfigurationError> {
    // Without a home there is no configuration of the user's own.
    let Ok(folders) = etcetera::choose_base_strategy() else {
        return Ok(Configuration::default());
    };
    let path = folders.config_dir().join("switchover").join("config.kdl");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Configuration::default());
        }
        Err(source) => return Err(ConfigurationError::Read { path, source }),
    };
    let document = KdlDocument::parse_v2(&text).map_err(|source| ConfigurationError::Syntax {
        path: path.clone(),
        source,
    })?;
    let mut configuration = Configuration::default();
    for node in document.nodes() {
        configuration
            .add(node)
            .map_err(|fault| ConfigurationError::Content {
                message: fault.message,
                help: fault.help,
                text: Arc::new(NamedSource::new(path.display().to_string(), text.clone())),
                at: fault.at,
            })?;
    }
    Ok(configuration)
}

impl Configuration {
    fn add(&mut self, node: &KdlNode) -> Result<(), Fault> {
        let fault = |message: &str| Fault::of(node, message);
        match node.name().value() {
            "secret-command" => {
                let (name, argv) = secret_command(node).map_err(fault)?;
                match self.secret_commands.insert(name, argv) {
                    None => Ok(()),
                    Some(_) => Err(fault("there are two commands of this name")),
                }
            }
            "ssh" if self.ssh.is_empty() => {
                self.ssh = texts(node).filter(|argv| !argv.is_empty()).ok_or_else(|| {
                    fault("`ssh` takes a program and its arguments, all of them texts")
                })?;
                Ok(())
            }
            "lease" if self.lease.is_none() => {
                self.lease = Some(lease_time(node)?);
                Ok(())
            }
            name @ ("ssh" | "lease") => Err(fault(&format!("`{name}` is said twice"))),
            name => Err(fault(&format!("`{name}` is not known here"))),
        }
    }
}

/// `lease TIME`
fn lease_time(node: &KdlNode) -> Result<Duration, Fault> {
    let fault = |message: &str, at| Fault {
        message: message.to_owned(),
        help: LEASE_HELP,
        at,
    };
    let texts = texts(node);
    let (Some([text]), Some(entry)) = (texts.as_deref(), node.entries().first()) else {
        let message = "`lease` takes one time, such as `lease \"30s\"`";
        return Err(fault(message, node.span()));
    };
    let at = entry.span();
    let time = parse_duration(text).map_err(|error| fault(&format!("`lease` is {error}"), at))?;
    if LEASES.contains(&time) {
        Ok(time)
    } else {
        Err(fault("`lease` must be between `1s` and `1h`", at))
    }
}

/// The arguments of a node that has nothing else.
fn texts(node: &KdlNode) -> Option<Vec<String>> {
    let text = |entry: &KdlEntry| {
        let plain = entry.name().is_none();
        plain
            .then(|| entry.value().as_string().map(str::to_owned))
            .flatten()
    };
    let texts: Option<Vec<String>> = node.entries().iter().map(text).collect();
    texts.filter(|_| node.children().is_none())
}

/// `secret-command NAME PROGRAM ARGUMENT…`
fn secret_command(node: &KdlNode) -> Result<(String, Vec<String>), &'static str> {
    match texts(node).as_deref() {
        Some([name, argv @ ..]) if !argv.is_empty() => Ok((name.clone(), argv.to_vec())),
        _ => Err("`secret-command` takes a name, a program and its arguments, all of them texts"),
    }
}
