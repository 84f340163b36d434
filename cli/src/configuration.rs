//! The user's own configuration: `switchover/config.kdl` in the user's configuration folder.
//!
//! It holds what a topology must not decide: which commands may be run to print a secret.

use std::path::PathBuf;
use std::sync::Arc;
use std::{fs, io};

use etcetera::BaseStrategy;
use kdl::{KdlDocument, KdlNode};
use miette::{Diagnostic, NamedSource, SourceSpan};
use switchover_engine::SecretCommands;

const HELP: &str = "it holds lines such as `secret-command \"vault\" \"vault\" \"kv\" \"get\" \"-field=token\" \"secret/wms\"`";

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

/// Commands that may print secrets, by name. No file allows none.
pub(crate) fn secret_commands() -> Result<SecretCommands, ConfigurationError> {
    // Without a home there is no configuration of the user's own.
    let Ok(folders) = etcetera::choose_base_strategy() else {
        return Ok(SecretCommands::new());
    };
    let path = folders.config_dir().join("switchover").join("config.kdl");
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(SecretCommands::new()),
        Err(source) => return Err(ConfigurationError::Read { path, source }),
    };
    let document = KdlDocument::parse_v2(&text).map_err(|source| ConfigurationError::Syntax {
        path: path.clone(),
        source,
    })?;
    let mut commands = SecretCommands::new();
    for node in document.nodes() {
        let entry =
            secret_command(node).and_then(|(name, argv)| match commands.insert(name, argv) {
                None => Ok(()),
                Some(_) => Err("there are two commands of this name".to_owned()),
            });
        entry.map_err(|message| ConfigurationError::Content {
            message,
            text: Arc::new(NamedSource::new(path.display().to_string(), text.clone())),
            at: node.span(),
        })?;
    }
    Ok(commands)
}

/// `secret-command NAME PROGRAM ARGUMENT…`
fn secret_command(node: &KdlNode) -> Result<(String, Vec<String>), String> {
    if node.name().value() != "secret-command" {
        return Err(format!("`{}` is not known here", node.name().value()));
    }
    let texts: Option<Vec<String>> = node
        .entries()
        .iter()
        .map(|entry| {
            entry
                .name()
                .is_none()
                .then(|| entry.value().as_string().map(str::to_owned))
                .flatten()
        })
        .collect();
    match texts.as_deref() {
        Some([name, argv @ ..]) if !argv.is_empty() && node.children().is_none() => {
            Ok((name.clone(), argv.to_vec()))
        }
        _ => Err(
            "`secret-command` takes a name, a program and its arguments, all of them texts"
                .to_owned(),
        ),
    }
}
