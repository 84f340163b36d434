//! The user's own configuration: `switchover/config.kdl` in the user's configuration folder.
//!
//! It holds what a topology must not decide: which commands may be run to print a secret, and what is run to reach
//! another host.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use etcetera::BaseStrategy;
use kdl::{KdlDocument, KdlEntry, KdlNode};
use miette::{Diagnostic, NamedSource, SourceSpan};
use switchover_engine::SecretCommands;

const HELP: &str = "it holds lines such as `ssh \"ssh\" \"-F\" \"/home/me/.ssh/voice\"` and `secret-command \"vault\" \"vault\" \"kv\" \"get\" \"-field=token\" \"secret/wms\"`";

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
    #[diagnostic(code(switchover::configuration::content), help("{HELP}"))]
    Content {
        message: String,
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
            .map_err(|message| ConfigurationError::Content {
                message,
                text: Arc::new(NamedSource::new(path.display().to_string(), text.clone())),
                at: node.span(),
            })?;
    }
    Ok(configuration)
}

impl Configuration {
    fn add(&mut self, node: &KdlNode) -> Result<(), String> {
        match node.name().value() {
            "secret-command" => {
                let (name, argv) = secret_command(node)?;
                match self.secret_commands.insert(name, argv) {
                    None => Ok(()),
                    Some(_) => Err("there are two commands of this name".to_owned()),
                }
            }
            "ssh" if self.ssh.is_empty() => {
                self.ssh = texts(node)
                    .filter(|argv| !argv.is_empty())
                    .ok_or("`ssh` takes a program and its arguments, all of them texts")?;
                Ok(())
            }
            "ssh" => Err("`ssh` is said twice".to_owned()),
            name => Err(format!("`{name}` is not known here")),
        }
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
fn secret_command(node: &KdlNode) -> Result<(String, Vec<String>), String> {
    match texts(node).as_deref() {
        Some([name, argv @ ..]) if !argv.is_empty() => Ok((name.clone(), argv.to_vec())),
        _ => Err(
            "`secret-command` takes a name, a program and its arguments, all of them texts"
                .to_owned(),
        ),
    }
}
