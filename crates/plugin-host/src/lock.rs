//! `switchover.lock`: which plugins have been reviewed, and what each of them may ask for.
//!
//! A KDL document with one `plugin` node for each plugin. Its patterns are written out so that a right that a plugin
//! gains shows up where the file is reviewed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::sync::Arc;

use kdl::{KdlDocument, KdlNode};
use miette::{Diagnostic, NamedSource, SourceSpan};

use crate::{Digest, Plugin, WIT_VERSION, pattern};

/// Layout of the file.
const FORMAT: i128 = 1;

const HEADER: &str = "\
// Plugins that have been reviewed, and what each of them may ask for. A line that is new here is a new right.
// Written by `switchover plugin lock`; to be kept under version control.
";

/// The pinned plugins, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    plugins: BTreeMap<String, Pin>,
}

/// What a plugin was when it was reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Its version.
    pub version: String,
    /// SHA-256 of its component.
    pub sha256: Digest,
    /// Version of the contract that it was loaded with.
    pub wit: String,
    /// Texts of its read patterns.
    pub reads: BTreeSet<String>,
    /// Texts of the patterns that its steps may match.
    pub steps: BTreeSet<String>,
    /// Names of the commands that it may ask for.
    pub commands: BTreeSet<String>,
}

impl Pin {
    /// What this plugin is now.
    #[must_use]
    pub fn of(plugin: &Plugin) -> Self {
        let manifest = plugin.manifest();
        Self {
            version: manifest.version.clone(),
            sha256: plugin.digest(),
            wit: WIT_VERSION.to_owned(),
            reads: manifest.reads.iter().map(pattern::text).collect(),
            steps: manifest.writes.iter().map(pattern::text).collect(),
            commands: manifest
                .commands
                .iter()
                .map(|command| command.name.clone())
                .collect(),
        }
    }

    /// What differs between the pinned plugin and the one that is there.
    #[must_use]
    pub fn differences(&self, found: &Self) -> Vec<Difference> {
        let mut out = Vec::new();
        let mut value = |what, pinned: &str, found: &str| {
            if pinned != found {
                out.push(Difference::Value {
                    what,
                    pinned: pinned.to_owned(),
                    found: found.to_owned(),
                });
            }
        };
        value("version", &self.version, &found.version);
        value(
            "sha256",
            &self.sha256.to_string(),
            &found.sha256.to_string(),
        );
        value("wit", &self.wit, &found.wit);
        for (what, pinned, found) in [
            ("read", &self.reads, &found.reads),
            ("step", &self.steps, &found.steps),
            ("command", &self.commands, &found.commands),
        ] {
            out.extend(found.difference(pinned).map(|text| Difference::Gained {
                what,
                text: text.clone(),
            }));
            out.extend(pinned.difference(found).map(|text| Difference::Lost {
                what,
                text: text.clone(),
            }));
        }
        out
    }
}

/// One thing in which a plugin differs from its pin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Version, digest or version of the contract.
    Value {
        /// Which of them.
        what: &'static str,
        /// In the lock.
        pinned: String,
        /// In the plugin.
        found: String,
    },
    /// A right that the plugin did not have when it was reviewed.
    Gained {
        /// `read`, `step` or `command`.
        what: &'static str,
        /// The pattern or name.
        text: String,
    },
    /// A right that it no longer asks for.
    Lost {
        /// `read`, `step` or `command`.
        what: &'static str,
        /// The pattern or name.
        text: String,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value {
                what,
                pinned,
                found,
            } => write!(f, "{what} is {found}, locked {pinned}"),
            Self::Gained { what, text } => write!(f, "new {what} right `{text}`"),
            Self::Lost { what, text } => write!(f, "no longer has the {what} right `{text}`"),
        }
    }
}

/// A plugin that is not the one that was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum LockMismatch {
    /// The lock does not know it.
    #[error("plugin `{plugin}` {version} is not in switchover.lock")]
    #[diagnostic(
        code(plugin::not_locked),
        help(
            "review it with `switchover plugin inspect {plugin}`, then pin it with `switchover plugin lock`"
        )
    )]
    NotLocked {
        /// Name of the plugin.
        plugin: String,
        /// Version of the plugin.
        version: String,
    },
    /// It has changed.
    #[error("plugin `{plugin}` {version} is not the one in switchover.lock: {}", list(.differences))]
    #[diagnostic(
        code(plugin::lock_mismatch),
        help(
            "if the change is wanted, run `switchover plugin lock` and review what changes in the file"
        )
    )]
    Changed {
        /// Name of the plugin.
        plugin: String,
        /// Version of the plugin that is there.
        version: String,
        /// In what it differs, never empty.
        differences: Vec<Difference>,
    },
}

fn list(differences: &[Difference]) -> String {
    differences
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// A lock file that cannot be read.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum LockError {
    /// No KDL.
    #[error("`{name}` is not valid KDL")]
    #[diagnostic(code(lock::syntax), help("{HELP}"))]
    Syntax {
        /// Name of the file.
        name: String,
        /// Every place that is wrong.
        #[source]
        #[diagnostic_source]
        source: kdl::KdlError,
    },
    /// KDL, but no lock.
    #[error("{message}")]
    #[diagnostic(code(lock::content), help("{HELP}"))]
    Content {
        /// What is wrong, a lower-case fragment.
        message: String,
        /// The file.
        #[source_code]
        source_code: Arc<NamedSource<String>>,
        /// Where.
        #[label]
        at: SourceSpan,
    },
}

const HELP: &str = "the file is written by `switchover plugin lock`; restore it from version control or write it anew";

impl Lock {
    /// Pins what these plugins are now.
    pub fn of<'a>(plugins: impl IntoIterator<Item = &'a Plugin>) -> Self {
        let plugins = plugins
            .into_iter()
            .map(|plugin| (plugin.name().to_owned(), Pin::of(plugin)));
        Self {
            plugins: plugins.collect(),
        }
    }

    /// The pin of the plugin `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Pin> {
        self.plugins.get(name)
    }

    /// Pins a plugin, in place of what was pinned under its name.
    pub fn pin(&mut self, name: impl Into<String>, pin: Pin) {
        self.plugins.insert(name.into(), pin);
    }

    /// Every pin by its name, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Pin)> {
        self.plugins.iter().map(|(name, pin)| (name.as_str(), pin))
    }

    /// Whether the plugin is the one that was reviewed.
    ///
    /// # Errors
    /// It is unknown, or differs in anything.
    pub fn verify(&self, plugin: &Plugin) -> Result<(), LockMismatch> {
        let (name, version) = (plugin.name().to_owned(), plugin.version().to_owned());
        let Some(pin) = self.get(&name) else {
            return Err(LockMismatch::NotLocked {
                plugin: name,
                version,
            });
        };
        let differences = pin.differences(&Pin::of(plugin));
        if differences.is_empty() {
            Ok(())
        } else {
            Err(LockMismatch::Changed {
                plugin: name,
                version,
                differences,
            })
        }
    }

    /// The text of the file. The same lock always gives the same text.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = format!("{HEADER}lock-format {FORMAT}\n");
        for (name, pin) in &self.plugins {
            let _ = write!(
                out,
                "\nplugin {} {{\n    version {}\n    sha256 {}\n    wit {}\n",
                quoted(name),
                quoted(&pin.version),
                quoted(&pin.sha256.to_string()),
                quoted(&pin.wit)
            );
            for (what, texts) in [
                ("read", &pin.reads),
                ("step", &pin.steps),
                ("command", &pin.commands),
            ] {
                for text in texts {
                    let _ = writeln!(out, "    {what} {}", quoted(text));
                }
            }
            out.push_str("}\n");
        }
        out
    }

    /// Reads the text of a file. `name` is what errors call it.
    ///
    /// # Errors
    /// The text is no KDL, or says something that a lock does not.
    pub fn parse(name: &str, text: &str) -> Result<Self, LockError> {
        let document: KdlDocument =
            KdlDocument::parse_v2(text).map_err(|source| LockError::Syntax {
                name: name.to_owned(),
                source,
            })?;
        Reader { name, text }.lock(&document)
    }
}

/// A KDL string. Raw where that saves escapes, as patterns with JSON in them are read by people.
fn quoted(text: &str) -> String {
    let plain = !text
        .chars()
        .any(|c| c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'));
    if plain && text.contains(['"', '\\']) && is_raw_safe(text) {
        let mut hashes = "#".to_owned();
        while text.contains(&format!("\"{hashes}")) {
            hashes.push('#');
        }
        return format!("{hashes}\"{text}\"{hashes}");
    }
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() => out.push(c),
            c => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    out.push('"');
    out
}

/// `"""` opens another kind of string, and some characters may not stand in any string as they are.
fn is_raw_safe(text: &str) -> bool {
    !text.starts_with('"')
        && text
            .chars()
            .all(|c| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric())
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
}

impl Reader<'_> {
    fn wrong<T>(&self, node: &KdlNode, message: String) -> Result<T, LockError> {
        let source_code = Arc::new(NamedSource::new(self.name, self.text.to_owned()));
        Err(LockError::Content {
            message,
            source_code,
            at: node.name().span(),
        })
    }

    fn lock(&self, document: &KdlDocument) -> Result<Lock, LockError> {
        let mut lock = Lock::default();
        let mut format = None;
        for node in document.nodes() {
            match node.name().value() {
                "lock-format" => format = Some(self.number(node)?),
                "plugin" => {
                    let name = self.string(node)?;
                    if lock.plugins.contains_key(name) {
                        return self.wrong(node, format!("plugin `{name}` is there twice"));
                    }
                    let pin = self.pin(node)?;
                    lock.pin(name, pin);
                }
                other => return self.wrong(node, format!("a lock has no `{other}`")),
            }
        }
        match (format, document.nodes().first()) {
            // An empty file pins nothing and needs no format to say so.
            (Some(FORMAT), _) | (None, None) => Ok(lock),
            (Some(other), Some(node)) => self.wrong(
                node,
                format!("the lock has format {other}, this switchover reads {FORMAT}"),
            ),
            (_, Some(node)) => {
                self.wrong(node, "the lock does not say its `lock-format`".to_owned())
            }
            (Some(_), None) => Ok(lock),
        }
    }

    fn pin(&self, node: &KdlNode) -> Result<Pin, LockError> {
        let (mut version, mut sha256, mut wit) = (None, None, None);
        let (mut reads, mut steps, mut commands) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for child in node.iter_children() {
            let text = self.string(child)?.to_owned();
            let fresh = match child.name().value() {
                "version" => version.replace(text).is_none(),
                "wit" => wit.replace(text).is_none(),
                "sha256" => match text.parse::<Digest>() {
                    Ok(digest) => sha256.replace(digest).is_none(),
                    Err(error) => return self.wrong(child, error.to_string()),
                },
                "read" => reads.insert(text),
                "step" => steps.insert(text),
                "command" => commands.insert(text),
                other => return self.wrong(child, format!("a pinned plugin has no `{other}`")),
            };
            if !fresh {
                return self.wrong(
                    child,
                    format!("this `{}` is there twice", child.name().value()),
                );
            }
        }
        match (version, sha256, wit) {
            (Some(version), Some(sha256), Some(wit)) => Ok(Pin {
                version,
                sha256,
                wit,
                reads,
                steps,
                commands,
            }),
            _ => self.wrong(
                node,
                "a pinned plugin needs `version`, `sha256` and `wit`".to_owned(),
            ),
        }
    }

    /// The one argument of a node, a string.
    fn string<'n>(&self, node: &'n KdlNode) -> Result<&'n str, LockError> {
        match node.entries() {
            [entry] if entry.name().is_none() => match entry.value().as_string() {
                Some(text) => Ok(text),
                None => self.wrong(node, format!("`{}` takes a string", node.name().value())),
            },
            _ => self.wrong(node, format!("`{}` takes one string", node.name().value())),
        }
    }

    /// The one argument of a node, a whole number.
    fn number(&self, node: &KdlNode) -> Result<i128, LockError> {
        match node.entries() {
            [entry] if entry.name().is_none() => match entry.value().as_integer() {
                Some(number) => Ok(number),
                None => self.wrong(
                    node,
                    format!("`{}` takes a whole number", node.name().value()),
                ),
            },
            _ => self.wrong(
                node,
                format!("`{}` takes one whole number", node.name().value()),
            ),
        }
    }
}
