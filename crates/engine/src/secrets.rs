//! Which secrets a run needs, under which names.
//!
//! Two names may stand for one value. Answers are masked by value, so one of the names is chosen for all: else a file
//! that is just as wanted would look different because it refers to the other name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use miette::Diagnostic;
use switchover_effects::secrets::{SecretError, SecretSource, Secrets};
use switchover_effects::{Masker, Reporting};
use switchover_topology::Span;
use switchover_topology::model::{Target, User};
use switchover_topology::value::SecretSource as Declared;

use crate::context::Context;
use crate::dns;

/// Commands that may print secrets, by name: program and arguments. They come from the user's own configuration,
/// never from a topology.
pub type SecretCommands = BTreeMap<String, Vec<String>>;

/// The values of a run's secrets, and what keeps them from being told.
#[derive(Debug)]
pub(crate) struct RunSecrets {
    secrets: Secrets,
    /// Of several names with one value: which stands for all. Names that stand for themselves are not in it.
    aliases: HashMap<String, String>,
    reporting: Reporting,
}

impl RunSecrets {
    /// No secret is read: placeholders stand for all of them.
    pub(crate) fn unresolved(context: &Context<'_>) -> Self {
        let reporting = Reporting::new(Masker::default(), context.trace.clone());
        let root = context.root.to_owned();
        Self {
            secrets: Secrets::new(root, SecretCommands::new(), reporting.clone()),
            aliases: HashMap::new(),
            reporting,
        }
    }

    /// Reads the secrets of these names; others are left alone. All that cannot be had are told together.
    pub(crate) async fn resolve(
        context: &Context<'_>,
        wanted: &BTreeSet<String>,
    ) -> Result<Self, SecretsError> {
        let topology = context.topology;
        let trace = context.trace.clone();
        let mut secrets = Secrets::new(
            context.root.to_owned(),
            context.secret_commands.clone(),
            Reporting::new(Masker::default(), trace.clone()),
        );
        let mut places: HashMap<String, Span> = HashMap::new();
        let mut missing = Vec::new();
        let auth = topology.targets.iter().filter_map(|target| {
            let secret = target.auth.as_ref()?.secret();
            Some((auth_name(target), secret.span, &secret.value, false))
        });
        let tsig = topology.targets.iter().filter_map(|target| {
            let secret = dns::tsig_secret(target)?;
            Some((tsig_name(target), secret.span, &secret.value, false))
        });
        let passwords = topology.users.iter().filter_map(|user| {
            let secret = user.sip_password.as_ref()?;
            // Files of telephones have a line for each setting.
            Some((sip_password_name(user), secret.span, &secret.value, true))
        });
        for (name, span, declared, is_line) in auth.chain(tsig).chain(passwords) {
            if !wanted.contains(&name) {
                continue;
            }
            let declared = match is_line {
                true => secrets.declare_line(&name, source(declared)),
                false => secrets.declare(&name, source(declared)),
            };
            if let Err(error) = declared {
                let place = context.place(span);
                missing.push(MissingSecret { place, error });
            }
            places.insert(name, span);
        }
        let names: Vec<String> = secrets.names().map(str::to_owned).collect();
        for name in &names {
            if let Err(error) = secrets.resolve(name).await {
                let place = places.get(name).and_then(|span| context.place(*span));
                missing.push(MissingSecret { place, error });
            }
        }
        SecretsError::refuse(missing)?;

        let mut aliases = HashMap::new();
        let mut first: HashMap<&str, &str> = HashMap::new();
        for name in &names {
            if let Some(secret) = secrets.get(name) {
                let chosen = *first.entry(secret.expose()).or_insert(name);
                if chosen != name {
                    aliases.insert(name.clone(), chosen.to_owned());
                }
            }
        }
        let reporting = Reporting::new(secrets.masker(), trace);
        Ok(Self {
            secrets,
            aliases,
            reporting,
        })
    }

    /// The name that stands for the value of `name`.
    pub(crate) fn name_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    /// Which names stand for which: a plan made while two secrets were equal is stale once they differ.
    pub(crate) fn aliases(&self) -> BTreeMap<&str, &str> {
        self.aliases
            .iter()
            .map(|(name, chosen)| (name.as_str(), chosen.as_str()))
            .collect()
    }

    pub(crate) const fn store(&self) -> &Secrets {
        &self.secrets
    }

    pub(crate) const fn reporting(&self) -> &Reporting {
        &self.reporting
    }
}

/// Secrets that are not to be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SecretsError {
    /// One.
    #[error(transparent)]
    #[diagnostic(transparent)]
    One(MissingSecret),
    /// Several: all of them, so that nobody has to run into them one by one.
    #[error("{} secrets cannot be read", missing.len())]
    #[diagnostic(code(switchover::secrets::missing))]
    Several {
        /// In the order of their names.
        #[related]
        missing: Vec<MissingSecret>,
    },
}

impl SecretsError {
    fn refuse(mut missing: Vec<MissingSecret>) -> Result<(), Self> {
        match missing.len() {
            0 => Ok(()),
            1 => Err(Self::One(missing.remove(0))),
            _ => Err(Self::Several { missing }),
        }
    }
}

/// A secret that is not to be had, and where it is declared.
#[derive(Debug)]
pub struct MissingSecret {
    place: Option<String>,
    error: SecretError,
}

impl fmt::Display for MissingSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(formatter, "{} ({place})", self.error),
            None => self.error.fmt(formatter),
        }
    }
}

impl std::error::Error for MissingSecret {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Diagnostic for MissingSecret {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.error.help()
    }
}

/// The name of a target's token or password.
pub(crate) fn auth_name(target: &Target) -> String {
    format!("target/{}/auth", encoded(&target.name))
}

/// The name of the secret of a target's TSIG key.
pub(crate) fn tsig_name(target: &Target) -> String {
    format!("target/{}/tsig", encoded(&target.name))
}

/// The name of a user's SIP password.
pub(crate) fn sip_password_name(user: &User) -> String {
    format!("user/{}/sip-password", encoded(user.extension.as_str()))
}

/// What a placeholder cannot hold is percent-encoded.
fn encoded(name: &str) -> String {
    let plain = |character: char| !character.is_control() && !"{}$#%/".contains(character);
    name.chars()
        .fold(String::with_capacity(name.len()), |mut text, character| {
            if plain(character) {
                text.push(character);
            } else {
                let mut buffer = [0; 4];
                for byte in character.encode_utf8(&mut buffer).bytes() {
                    text.push_str(&format!("%{byte:02x}"));
                }
            }
            text
        })
}

fn source(declared: &Declared) -> SecretSource {
    match declared {
        Declared::Env(name) => SecretSource::Env(name.clone()),
        Declared::File(path) => SecretSource::File(path.into()),
        Declared::Cmd(name) => SecretSource::Cmd(name.clone()),
    }
}
