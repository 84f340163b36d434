//! Which secrets a run needs, under which names.
//!
//! Two names may stand for one value. Answers are masked by value, so one of the names is chosen for all: else a file
//! that is just as wanted would look different because it refers to the other name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use switchover_effects::secrets::{SecretError, SecretSource, Secrets};
use switchover_effects::{Masker, Reporting, Trace};
use switchover_topology::Topology;
use switchover_topology::model::{Target, User};
use switchover_topology::value::SecretSource as Declared;

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
    pub(crate) fn unresolved(root: &Path, trace: Option<Arc<dyn Trace>>) -> Self {
        let reporting = Reporting::new(Masker::default(), trace);
        Self {
            secrets: Secrets::new(root.to_owned(), SecretCommands::new(), reporting.clone()),
            aliases: HashMap::new(),
            reporting,
        }
    }

    /// Reads the secrets of these names; others are left alone.
    pub(crate) async fn resolve(
        topology: &Topology,
        root: &Path,
        commands: &SecretCommands,
        trace: Option<Arc<dyn Trace>>,
        wanted: &BTreeSet<String>,
    ) -> Result<Self, SecretError> {
        let mut secrets = Secrets::new(
            root.to_owned(),
            commands.clone(),
            Reporting::new(Masker::default(), trace.clone()),
        );
        let mut declare = |name: String, declared: &Declared| match wanted.contains(&name) {
            true => secrets.declare(&name, source(declared)),
            false => Ok(()),
        };
        for target in &topology.targets {
            if let Some(auth) = &target.auth {
                declare(auth_name(target), &auth.secret().value)?;
            }
        }
        for target in &topology.targets {
            if let Some(secret) = dns::tsig_secret(target) {
                declare(tsig_name(target), secret)?;
            }
        }
        for user in &topology.users {
            if let Some(password) = &user.sip_password {
                let name = sip_password_name(user);
                if wanted.contains(&name) {
                    // Files of telephones have a line for each setting.
                    secrets.declare_line(&name, source(&password.value))?;
                }
            }
        }
        let names: Vec<String> = secrets.names().map(str::to_owned).collect();
        secrets
            .resolve_all(names.iter().map(String::as_str))
            .await?;

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
