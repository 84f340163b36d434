//! What runs today, as a topology: the server is read, the plugin says what it holds, and each part of that is held
//! against what the plugin would want if the topology said so. Only what would change nothing is handed over to the
//! target; the rest is described and stays as it is. Nothing is written anywhere.

mod document;
mod proof;
mod proposal;
mod write;

use std::net::IpAddr;

use switchover_plugin_host::Problem;

pub use document::Document;

use crate::context::Context;
use crate::convert;
use crate::diff::Resource;
use crate::error::{Cause, TargetError};
use crate::event::Event;
use crate::planner::draft;
use crate::secrets::{RunSecrets, SecretsError, auth_name, tsig_name};
use crate::settings;
use document::Node;
use proof::Proof;
use proposal::Proposal;
use write::{Extent, Writer};

/// Where the server is that is read, and how the topology is to name it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Name of the plugin.
    pub plugin: String,
    /// Name of the target.
    pub target: String,
    /// What is in the target, line by line as a topology has it: `endpoint "…"`, a plugin's settings. Secrets are
    /// references.
    pub lines: Vec<String>,
    /// Name of the site; none where nobody said it.
    pub site: Option<String>,
    /// The server's address, where somebody said it.
    pub address: Option<IpAddr>,
    /// The address by which it is reached, where it is reached by one. It stands for its address where nothing else
    /// does.
    pub host: Option<IpAddr>,
    /// How a heading names the server: `kea at http://10.20.30.5:8000/`.
    pub shown: String,
}

impl Origin {
    /// The least topology that reaches the server. It is what [`adopt`] has to be given in its context.
    #[must_use]
    pub fn topology(&self) -> String {
        let target = Node::of("target", [self.target.as_str()])
            .property("plugin", &self.plugin)
            .children(self.lines.iter().map(Node::new));
        let site = Node::of("site", ["import"]).property("mode", "hot-standby");
        let nodes = vec![site, target];
        let heading = Vec::new();
        Document { heading, nodes }.text()
    }
}

/// What runs today.
#[derive(Debug)]
pub struct Adopted {
    /// The topology that says it.
    pub document: Document,
    /// How many networks, devices and zones are in it.
    pub counts: AdoptedCounts,
    /// How many resources of the server are as the topology wants them: a plan changes none of them.
    pub unchanged: usize,
    /// What the topology describes and the target does not get: name and reason.
    pub described: Vec<LeftOut>,
    /// What the server holds and the topology does not say: it stays as it is.
    pub left: Vec<LeftOut>,
    /// Why a plan would be refused as things are.
    pub refusal: Option<Refusal>,
}

/// How many of each kind were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the number of those")]
pub struct AdoptedCounts {
    pub networks: usize,
    pub devices: usize,
    pub zones: usize,
}

/// Something of a server that is not a target's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What it is: the address of a resource, a line, a name.
    pub address: String,
    /// Why; a lower-case phrase.
    pub reason: String,
}

/// What keeps a plugin from telling what exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is; a lower-case phrase.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Why a server could not be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum AdoptError {
    /// The target's settings do not satisfy the plugin.
    #[error("failed to import: the settings of the server are not acceptable")]
    #[diagnostic(code(switchover::import::settings))]
    Settings(Vec<switchover_topology::Diagnostic>),
    /// The plugin has no notion of it.
    #[error(
        "failed to import: plugin `{0}` cannot tell what a server holds in the terms of a topology"
    )]
    #[diagnostic(code(switchover::import::unable), help("{}", able(.1)))]
    Unable(String, Vec<String>),
    /// A secret is not to be had.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Secret(#[from] SecretsError),
    /// Everything else.
    #[error("failed to import")]
    #[diagnostic(code(switchover::import::failed), help("nothing was changed"))]
    Failed(
        #[source]
        #[diagnostic_source]
        TargetError,
    ),
}

fn able(names: &[String]) -> String {
    format!("these can: {}", names.join(", "))
}

/// Reads the server and gives what it holds as a topology. The context's topology is that of [`Origin::topology`].
///
/// # Errors
/// Where the plugin cannot do it, a secret is not to be had, or the server cannot be read.
pub async fn adopt(context: &Context<'_>, origin: &Origin) -> Result<Adopted, AdoptError> {
    let Some(target) = context.target(&origin.target) else {
        return Err(AdoptError::Settings(Vec::new()));
    };
    let failed = |cause: Cause| AdoptError::Failed(TargetError::new(&target.name, "read", cause));
    let plugin = context.plugin(target).map_err(failed)?;
    if !plugin.manifest().adopts {
        return Err(AdoptError::Unable(
            plugin.name().to_owned(),
            adopting(context),
        ));
    }
    let objections = settings::check(context, target, &plugin).map_err(|error| {
        failed(Cause::Contract {
            plugin: plugin.name().to_owned(),
            export: "describe",
            problem: error.to_string(),
        })
    })?;
    if !objections.is_empty() {
        return Err(AdoptError::Settings(objections));
    }
    let names = [auth_name(target), tsig_name(target)].into();
    let secrets = RunSecrets::resolve(context, &names).await?;
    let mut draft = draft(context, target, plugin, None, &secrets).map_err(failed)?;
    context.tell(Event::Reading {
        target: target.name.value.clone(),
    });
    let world = &draft.world;
    let observation = world
        .observe(&mut draft.session, &draft.target, &[], &secrets)
        .await;
    let observation = observation.map_err(failed)?;
    let current = match draft.session.current(&draft.target, &observation.answers) {
        Ok(current) => {
            let current = convert::current(current, &observation.files, &draft.templates)
                .map_err(|error| failed(world.contract("current", &error)))?;
            Ok(current)
        }
        // It can be read, and told; only a plan is refused.
        Err(error) => match error.problem() {
            Problem::Failure { message, help, .. } => Err(Refusal {
                message: message.clone(),
                help: help.clone(),
            }),
            _ => return Err(failed(error.into())),
        },
    };
    let adoption = world
        .adopt(&mut draft.session, &draft.target, observation, &secrets)
        .await;
    context.tell(Event::Observed {
        target: target.name.value.clone(),
    });
    let mut proposal = Proposal::new(adoption.map_err(failed)?)
        .map_err(|error| failed(world.contract("adopt", &error)))?;
    proposal.tell_devices_apart();
    let manifest = world.plugin.manifest().clone();
    let proof = Proof {
        context,
        origin,
        secrets: &secrets,
        current: current.as_deref().unwrap_or_default(),
        draft: &mut draft,
    };
    let (unchanged, foreign) = match &current {
        Ok(_) => proof.hold(&mut proposal).map_err(failed)?,
        Err(refusal) => {
            proposal.keep_all(&refusal.message);
            (0, Vec::new())
        }
    };
    let document = Writer {
        origin,
        proposal: &proposal,
        commands: &manifest.commands,
        extent: Extent::Whole,
    }
    .document();
    Ok(Adopted {
        document,
        counts: AdoptedCounts {
            networks: proposal.networks.len(),
            devices: proposal.devices.len(),
            zones: proposal.zones.len(),
        },
        unchanged,
        described: described(&proposal),
        left: left(&proposal, foreign),
        refusal: current.err(),
    })
}

/// The plugins that can do it, by name.
fn adopting(context: &Context<'_>) -> Vec<String> {
    let able = |name: &&str| {
        let source = context.plugins.get(name);
        let plugin = source.and_then(|source| context.host.load(name, source).ok());
        plugin.is_some_and(|plugin| plugin.manifest().adopts)
    };
    context
        .plugins
        .names()
        .filter(able)
        .map(str::to_owned)
        .collect()
}

fn described(proposal: &Proposal) -> Vec<LeftOut> {
    let networks = proposal
        .networks
        .iter()
        .map(|part| ("network", &part.name, &part.stays));
    let zones = proposal
        .zones
        .iter()
        .map(|part| ("dns", &part.name, &part.stays));
    let devices = proposal.devices.iter();
    let devices = devices.filter(|device| proposal.is_reserved(device));
    let devices = devices.map(|part| ("device", &part.name, &part.stays));
    let parts = networks.chain(zones).chain(devices);
    parts
        .filter_map(|(kind, name, stays)| {
            Some(LeftOut {
                address: format!("{kind} `{name}`"),
                reason: stays.clone()?,
            })
        })
        .collect()
}

/// What the plugin named, and what exists besides and belongs to nothing that is described.
fn left(proposal: &Proposal, foreign: Vec<String>) -> Vec<LeftOut> {
    let reasons = proposal.reasons();
    let described: Vec<String> = proposal.parts_that_stay();
    let of_described = |address: &String| described.iter().any(|part| holds(address, part));
    let more = foreign
        .into_iter()
        .filter(|address| !reasons.contains_key(address.as_str()) && !of_described(address))
        .filter(|address| !proposal.said.contains(address));
    let more = more.map(|address| LeftOut {
        address,
        reason: "nothing in the topology says it".to_owned(),
    });
    let mut left = proposal.left.clone();
    left.extend(more);
    left.sort_by(|a, b| a.address.cmp(&b.address));
    left.dedup();
    left
}

/// Whether an address is about a part: it is one of its steps, or begins one.
fn holds(address: &str, part: &str) -> bool {
    address.match_indices(part).any(|(at, _)| {
        let before = address[..at].chars().next_back();
        let after = address[at + part.len()..].chars().next();
        let ends = |letter: Option<char>| {
            letter.is_none_or(|letter| !letter.is_ascii_alphanumeric() && letter != '.')
        };
        ends(before) && ends(after)
    })
}

/// What exists, as far as it matters here.
type Current<'a> = &'a [Resource];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_about_the_part_that_it_names() {
        for (address, part, expected) in [
            ("subnet/10.0.0.0/24", "10.0.0.0/24", true),
            ("option/10.0.0.0/24/6", "10.0.0.0/24", true),
            ("subnet/110.0.0.0/24", "10.0.0.0/24", false),
            ("host/9c:75:14:00:01:01", "9c:75:14:00:01:01", true),
            ("range/voice", "voice", true),
            ("range/voice-2", "voice", true),
            ("range/invoice", "voice", false),
        ] {
            assert_eq!(holds(address, part), expected, "{address} {part}");
        }
    }

    #[test]
    fn the_least_topology_is_one() {
        let origin = Origin {
            plugin: "kea".into(),
            target: "a \"b\"".into(),
            lines: vec!["endpoint \"http://10.0.0.1/\"".into()],
            site: None,
            address: None,
            host: Some(IpAddr::from([10, 0, 0, 1])),
            shown: "kea".into(),
        };
        let loaded =
            switchover_topology::load_text("x", origin.topology(), std::path::Path::new(""));
        // It is for one run, so nothing uses the target.
        let codes: Vec<&str> = loaded
            .diagnostics
            .iter()
            .map(|finding| finding.code.as_str())
            .collect();
        assert_eq!(codes, ["SW009"], "{:?}", loaded.diagnostics);
        assert!(loaded.topology.targets.get("a \"b\"").is_some());
    }
}
