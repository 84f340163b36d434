//! Secrets: where they come from, and a store that reads each when it is first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::time::Duration;

use miette::Diagnostic;
use zeroize::Zeroizing;

use crate::command::{self, Command, CommandError};
use crate::mask::Masker;
use crate::placeholder::{self, Values};
use crate::trace::{Event, Reporting};

/// A secret is a password, a token or a key: what is larger is the wrong file.
const MAX_BYTES: u64 = 64 * 1024;

/// A command that fetches a secret may ask a remote store for it.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// A secret's value. It is wiped from memory when dropped and shows as `***`.
///
/// Text that it is put into (a request's body, a file's content) is not wiped: that lives as long as the effect.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a value.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value, to be sent and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// Where a secret is to be had: never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// A file, without its final line break; relative to the store's base folder.
    File(PathBuf),
    /// What a command allowed in the user's own configuration prints, without its final line break.
    Cmd(String),
}

impl fmt::Display for SecretSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(out, "env:{name}"),
            Self::File(path) => write!(out, "file:{}", path.display()),
            Self::Cmd(name) => write!(out, "cmd:{name}"),
        }
    }
}

/// A secret that cannot be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SecretError {
    /// A name that no placeholder could hold.
    #[error("`{name}` cannot be a secret's name")]
    #[diagnostic(
        code("effects::secret::name"),
        help("at most 512 bytes, without braces, `$`, `#` and control characters")
    )]
    Name {
        /// As given.
        name: String,
    },
    /// One name, two sources.
    #[error("the secret `{name}` is declared twice, from `{first}` and from `{second}`")]
    #[diagnostic(code("effects::secret::twice"), help("give one of them another name"))]
    Twice {
        /// The name.
        name: String,
        /// What was declared first.
        first: SecretSource,
        /// What was declared then.
        second: SecretSource,
    },
    /// Never declared.
    #[error("no secret is called `{name}`")]
    #[diagnostic(
        code("effects::secret::unknown"),
        help("declare it in the topology with `(secret)\"…\"`")
    )]
    Unknown {
        /// As asked for.
        name: String,
    },
    /// The environment variable does not exist.
    #[error("the environment variable `{variable}`, which holds the secret `{name}`, is not set")]
    #[diagnostic(
        code("effects::secret::env-missing"),
        help("set `{variable}` for this command; it may be `export`ed")
    )]
    EnvMissing {
        /// The secret.
        name: String,
        /// The variable.
        variable: String,
    },
    /// The source is there but holds nothing.
    #[error("`{source_text}`, which holds the secret `{name}`, is empty")]
    #[diagnostic(
        code("effects::secret::empty"),
        help("an empty secret protects nothing; put the value there")
    )]
    Empty {
        /// The secret.
        name: String,
        /// Such as `env:TOKEN`.
        source_text: String,
    },
    /// The value is not UTF-8.
    #[error("`{source_text}`, which holds the secret `{name}`, is not UTF-8 text")]
    #[diagnostic(
        code("effects::secret::not-text"),
        help("a binary key is given in base64 or hexadecimal")
    )]
    NotText {
        /// The secret.
        name: String,
        /// Such as `file:/run/secrets/kea`.
        source_text: String,
    },
    /// More than one line, where it will stand in one.
    #[error(
        "`{source_text}`, which holds the secret `{name}`, holds a line break or another control character"
    )]
    #[diagnostic(
        code("effects::secret::control-character"),
        help(
            "it will stand in a line of a configuration file, which it would end: is there more in it than the \
             password? One line break at the end of a file or of what a command prints does no harm"
        )
    )]
    ControlCharacter {
        /// The secret.
        name: String,
        /// Such as `env:PASSWORD`.
        source_text: String,
    },
    /// The file does not exist.
    #[error("the file `{}`, which holds the secret `{name}`, does not exist", path.display())]
    #[diagnostic(
        code("effects::secret::file-missing"),
        help("a relative path starts at the folder of the topology file")
    )]
    FileMissing {
        /// The secret.
        name: String,
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read the file `{}`, which holds the secret `{name}`", path.display())]
    #[diagnostic(
        code("effects::secret::file-unreadable"),
        help("the user who runs this command must be able to read it")
    )]
    FileUnreadable {
        /// The secret.
        name: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a regular file, such as a folder or a pipe.
    #[error("`{}`, which should hold the secret `{name}`, is not a regular file", path.display())]
    #[diagnostic(
        code("effects::secret::not-a-file"),
        help("name the file itself; for a pipe use `cmd:` instead")
    )]
    NotAFile {
        /// The secret.
        name: String,
        /// What is there.
        path: PathBuf,
    },
    /// More than 64 KiB.
    #[error("`{source_text}`, which holds the secret `{name}`, is larger than 64 KiB")]
    #[diagnostic(
        code("effects::secret::too-large"),
        help("a secret is a password, a token or a key; is it the right file?")
    )]
    TooLarge {
        /// The secret.
        name: String,
        /// Such as `file:/dev/zero`.
        source_text: String,
    },
    /// A command that the user's configuration does not allow.
    #[error("the secret `{name}` comes from the command `{command}`, which is not allowed here")]
    #[diagnostic(
        code("effects::secret::command-not-allowed"),
        help(
            "a topology cannot bring its own command: allow `{command}` with its program and arguments in your \
             own configuration"
        )
    )]
    CommandNotAllowed {
        /// The secret.
        name: String,
        /// The command's name.
        command: String,
    },
    /// The command failed.
    #[error("the command `{command}`, which prints the secret `{name}`, failed")]
    #[diagnostic(
        code("effects::secret::command-failed"),
        help("run it by hand to see what it says")
    )]
    CommandFailed {
        /// The secret.
        name: String,
        /// The command's name.
        command: String,
        /// Why. It holds nothing of what the command printed to its standard output.
        #[source]
        source: Box<CommandError>,
    },
}

/// The secrets of a run by name, each read from its source when first resolved and kept until this is dropped.
#[derive(Debug, Default)]
pub struct Secrets {
    base: PathBuf,
    commands: BTreeMap<String, Vec<String>>,
    declared: BTreeMap<String, SecretSource>,
    /// Names of those that must be one line.
    lines: BTreeSet<String>,
    resolved: BTreeMap<String, Secret>,
    reporting: Reporting,
}

impl Secrets {
    /// `base` is the folder that relative paths start at. `commands` are those that the user's own configuration
    /// allows, each with its program and arguments.
    #[must_use]
    pub fn new(
        base: PathBuf,
        commands: BTreeMap<String, Vec<String>>,
        reporting: Reporting,
    ) -> Self {
        Self {
            base,
            commands,
            reporting,
            ..Self::default()
        }
    }

    /// Says where a secret is to be had. Nothing is read yet.
    ///
    /// # Errors
    /// Where no placeholder can hold the name, or it has another source already.
    pub fn declare(&mut self, name: &str, source: SecretSource) -> Result<(), SecretError> {
        if !placeholder::is_name(name) {
            return Err(SecretError::Name {
                name: name.escape_debug().take(80).collect(),
            });
        }
        match self.declared.get(name) {
            Some(first) if *first != source => Err(SecretError::Twice {
                name: name.to_owned(),
                first: first.clone(),
                second: source,
            }),
            Some(_) => Ok(()),
            None => {
                self.declared.insert(name.to_owned(), source);
                Ok(())
            }
        }
    }

    /// [`Secrets::declare`] for a secret that will stand in a line of a file: resolving it fails where it holds a
    /// control character.
    ///
    /// # Errors
    /// As there.
    pub fn declare_line(&mut self, name: &str, source: SecretSource) -> Result<(), SecretError> {
        self.declare(name, source)?;
        self.lines.insert(name.to_owned());
        Ok(())
    }

    /// All declared names, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.declared.keys().map(String::as_str)
    }

    /// Reads the secret from its source, unless that was done before.
    ///
    /// # Errors
    /// Where it is not declared, or its source does not give it.
    pub async fn resolve(&mut self, name: &str) -> Result<&Secret, SecretError> {
        if !self.resolved.contains_key(name) {
            let source = self
                .declared
                .get(name)
                .ok_or_else(|| SecretError::Unknown {
                    name: name.escape_debug().to_string(),
                })?;
            let text = self.read(name, source).await?;
            self.reporting.tell(&Event::Secret {
                name,
                source: &source.to_string(),
            });
            self.resolved.insert(name.to_owned(), text);
        }
        Ok(&self.resolved[name])
    }

    /// A secret that was resolved.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.resolved.get(name)
    }

    /// Finds every secret that is resolved by now.
    #[must_use]
    pub fn masker(&self) -> Masker {
        Masker::new(
            self.resolved
                .iter()
                .map(|(name, secret)| (name.clone(), secret.clone())),
        )
    }

    async fn read(&self, name: &str, source: &SecretSource) -> Result<Secret, SecretError> {
        let bytes = match source {
            SecretSource::Env(variable) => self.read_variable(name, variable)?,
            SecretSource::File(path) => self.read_file(name, path)?,
            SecretSource::Cmd(command) => self.read_command(name, command).await?,
        };
        let source_text = || source.to_string();
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(_) => {
                return Err(SecretError::NotText {
                    name: name.to_owned(),
                    source_text: source_text(),
                });
            }
        };
        let text = match source {
            SecretSource::Env(_) => text,
            SecretSource::File(_) | SecretSource::Cmd(_) => text
                .strip_suffix("\r\n")
                .or_else(|| text.strip_suffix('\n'))
                .unwrap_or(text),
        };
        if text.is_empty() {
            return Err(SecretError::Empty {
                name: name.to_owned(),
                source_text: source_text(),
            });
        }
        if self.lines.contains(name) && text.contains(ends_a_line) {
            return Err(SecretError::ControlCharacter {
                name: name.to_owned(),
                source_text: source_text(),
            });
        }
        Ok(Secret::new(text.to_owned()))
    }

    fn read_variable(&self, name: &str, variable: &str) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        // The standard library panics on a name with `=` or NUL; no variable is called so.
        let value = if variable.contains(['=', '\0']) {
            None
        } else {
            std::env::var_os(variable)
        };
        match value {
            Some(value) => Ok(Zeroizing::new(value.into_encoded_bytes())),
            None => Err(SecretError::EnvMissing {
                name: name.to_owned(),
                variable: variable.to_owned(),
            }),
        }
    }

    fn read_file(
        &self,
        name: &str,
        path: &std::path::Path,
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let path = self.base.join(path);
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => SecretError::FileMissing {
                name: name.to_owned(),
                path: path.clone(),
            },
            _ => SecretError::FileUnreadable {
                name: name.to_owned(),
                path: path.clone(),
                source,
            },
        };
        // Opening a pipe that nobody writes to would wait for ever.
        if !std::fs::metadata(&path).map_err(unreadable)?.is_file() {
            return Err(SecretError::NotAFile {
                name: name.to_owned(),
                path,
            });
        }
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(&path)
            .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
            .map_err(unreadable)?;
        if bytes.len() as u64 > MAX_BYTES {
            let source_text = format!("file:{}", path.display());
            return Err(SecretError::TooLarge {
                name: name.to_owned(),
                source_text,
            });
        }
        Ok(bytes)
    }

    async fn read_command(
        &self,
        name: &str,
        command: &str,
    ) -> Result<Zeroizing<Vec<u8>>, SecretError> {
        let Some(argv) = self.commands.get(command) else {
            return Err(SecretError::CommandNotAllowed {
                name: name.to_owned(),
                command: command.to_owned(),
            });
        };
        let run = Command {
            name: command,
            argv,
            folder: &self.base,
            host: None,
            timeout: COMMAND_TIMEOUT,
        };
        match command::run_silently(&run, &self.reporting).await {
            Ok(output) if output.stdout_cut => Err(SecretError::TooLarge {
                name: name.to_owned(),
                source_text: format!("cmd:{command}"),
            }),
            Ok(output) => Ok(Zeroizing::new(output.stdout)),
            Err(source) => Err(SecretError::CommandFailed {
                name: name.to_owned(),
                command: command.to_owned(),
                source: Box::new(source),
            }),
        }
    }
}

/// What some reader of some file takes for the end of a line, or drops.
fn ends_a_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

impl Values for Secrets {
    fn secret(&self, name: &str) -> Option<&str> {
        self.resolved.get(name).map(Secret::expose)
    }
}
