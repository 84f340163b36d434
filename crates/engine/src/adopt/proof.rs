//! Whether a proposal is what is there: a plan of a topology that says so, made from what was read, has no changes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use switchover_plugin_host::wit;
use switchover_topology::{Severity, load_text};

use super::proposal::Proposal;
use super::write::{Cast, Extent, Writer};
use super::{Current, Origin};
use crate::context::Context;
use crate::convert;
use crate::diff::{self, Difference};
use crate::dns;
use crate::error::Cause;
use crate::plan::{Action, Change, Content};
use crate::planner::Draft;
use crate::secrets::RunSecrets;
use crate::settings;
use crate::view::Scope;

pub(super) struct Proof<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) origin: &'a Origin,
    pub(super) secrets: &'a RunSecrets,
    pub(super) current: Current<'a>,
    pub(super) draft: &'a mut Draft,
}

/// What handing something over would come to.
#[derive(Debug, Default)]
struct Outcome {
    /// Why it cannot be: each with what it is about, in a text that names it.
    objections: Vec<Objection>,
    unchanged: usize,
    foreign: Vec<String>,
}

#[derive(Debug)]
struct Objection {
    /// Holds the names and addresses of what it is about.
    about: String,
    reason: String,
}

impl Proof<'_> {
    /// Marks as staying whatever would not be left as it is. Gives how many resources are as wanted then, and the
    /// addresses of the others.
    ///
    /// # Errors
    /// The plugin misbehaves.
    pub(super) fn hold(mut self, proposal: &mut Proposal) -> Result<(usize, Vec<String>), Cause> {
        let all = Cast::of(proposal);
        let outcome = self.look(proposal, &all)?;
        if outcome.objections.is_empty() {
            return Ok((outcome.unchanged, outcome.foreign));
        }
        // Part by part, each beside those that hold.
        let mut cast = Cast::default();
        let devices_of = proposal.devices_of();
        for at in all.networks {
            cast.networks.push(at);
            if let Some(reason) = reason(&self.look(proposal, &cast)?.objections) {
                cast.networks.pop();
                proposal.networks[at].stays = Some(reason);
                continue;
            }
            let here = devices_of.get(&at).into_iter().flatten().copied();
            let here: Vec<usize> = here.filter(|at| all.devices.contains(at)).collect();
            self.devices(proposal, &mut cast, here)?;
        }
        for at in all.zones {
            cast.zones.push(at);
            if let Some(reason) = reason(&self.look(proposal, &cast)?.objections) {
                cast.zones.pop();
                proposal.zones[at].stays = Some(reason);
            }
        }
        let outcome = self.look(proposal, &cast)?;
        Ok((outcome.unchanged, outcome.foreign))
    }

    /// Adds those devices that fit: first without those that an objection names, then none.
    fn devices(
        &mut self,
        proposal: &mut Proposal,
        cast: &mut Cast,
        devices: Vec<usize>,
    ) -> Result<(), Cause> {
        let before = cast.devices.len();
        let mut rest = devices;
        // Each turn takes some out, or all.
        while !rest.is_empty() {
            cast.devices.extend(&rest);
            let outcome = self.look(proposal, cast)?;
            if outcome.objections.is_empty() {
                return Ok(());
            }
            cast.devices.truncate(before);
            let (mut held, mut named) = (Vec::new(), 0);
            for at in rest {
                let device = &mut proposal.devices[at];
                let (mac, quoted) = (device.mac.clone(), format!("device/{}", device.name));
                let about = |objection: &&Objection| {
                    objection.about.contains(&mac) || objection.about.contains(&quoted)
                };
                match outcome.objections.iter().find(about) {
                    Some(objection) => {
                        device.stays = Some(objection.reason.clone());
                        named += 1;
                    }
                    None => held.push(at),
                }
            }
            if named == 0 {
                for at in held.drain(..) {
                    proposal.devices[at].stays = reason(&outcome.objections);
                }
            }
            rest = held;
        }
        Ok(())
    }

    /// What a plan would say.
    fn look(&mut self, proposal: &Proposal, cast: &Cast) -> Result<Outcome, Cause> {
        let text = Writer {
            origin: self.origin,
            proposal,
            commands: &[],
            extent: Extent::Trial(cast),
        }
        .document()
        .text();
        let loaded = load_text("import", text, self.context.root);
        let wrong = loaded.diagnostics.iter();
        let wrong = wrong.filter(|finding| finding.severity == Severity::Error);
        let objections: Vec<Objection> = wrong
            .map(|finding| {
                let span = finding.span.map(|span| {
                    let text = &loaded.sources.file(span.file).text;
                    let line = text[..span.start as usize]
                        .rfind('\n')
                        .map_or(0, |at| at + 1);
                    text[line..].lines().next().unwrap_or_default().to_owned()
                });
                Objection {
                    about: span.unwrap_or_default(),
                    reason: format!("the language does not take it: {}", finding.message),
                }
            })
            .collect();
        let topology = &loaded.topology;
        let Some(target) = topology
            .targets
            .get(&self.origin.target)
            .filter(|_| objections.is_empty())
        else {
            return Ok(Outcome {
                objections,
                ..Outcome::default()
            });
        };
        let scope = Scope::of(topology, target);
        let view = match scope.view(self.secrets) {
            Ok(view) => view,
            Err(faults) => {
                let objections = faults.into_iter().map(|fault| Objection {
                    about: String::new(),
                    reason: fault.message,
                });
                return Ok(Outcome {
                    objections: objections.collect(),
                    ..Outcome::default()
                });
            }
        };
        let manifest = self.draft.world.plugin.manifest();
        let target = wit::Target {
            settings: settings::object(target, manifest).to_string(),
            zones: dns::served_zones(topology, target),
            ..self.draft.target.clone()
        };
        let found = self.draft.session.check(&view, &target)?;
        let refused = found
            .into_iter()
            .filter(|finding| finding.severity == wit::Severity::Error);
        let mut objections: Vec<Objection> = refused
            .map(|finding| Objection {
                about: finding.path,
                reason: finding.message,
            })
            .collect();
        let difference = self.compare(&view, &target)?;
        objections.extend(difference.changes.iter().map(Objection::of));
        Ok(Outcome {
            objections,
            unchanged: difference.unchanged,
            foreign: difference.foreign,
        })
    }

    fn compare(&mut self, view: &wit::View, target: &wit::Target) -> Result<Difference, Cause> {
        let Draft {
            session,
            world,
            templates,
            ..
        } = &mut *self.draft;
        let desired = session.desired(view, target)?;
        let contract = |error: &dyn std::fmt::Display| world.contract("desired", error);
        let desired = convert::desired(desired, templates).map_err(|error| contract(&error))?;
        diff::compare(&desired, self.current, &BTreeMap::new(), &BTreeSet::new())
            .map_err(|error| contract(&error))
    }
}

impl Cast {
    /// Everything that may be handed over.
    fn of(proposal: &Proposal) -> Self {
        fn may<T>(parts: &[T], stays: impl Fn(&T) -> bool) -> Vec<usize> {
            let parts = parts.iter().enumerate();
            parts
                .filter(|(_, part)| !stays(part))
                .map(|(at, _)| at)
                .collect()
        }
        Self {
            networks: may(&proposal.networks, |network| network.stays.is_some()),
            devices: may(&proposal.devices, |device| {
                device.stays.is_some() || !proposal.is_reserved(device)
            }),
            zones: may(&proposal.zones, |zone| zone.stays.is_some()),
        }
    }
}

/// What stands for several objections.
fn reason(objections: &[Objection]) -> Option<String> {
    let first = &objections.first()?.reason;
    Some(match objections.len() - 1 {
        0 => first.clone(),
        1 => format!("{first}; and one more thing"),
        more => format!("{first}; and {more} more things"),
    })
}

impl Objection {
    fn of(change: &Change) -> Self {
        let address = &change.address;
        let object = |content: &Option<Content>| match content {
            Some(Content::Object(value)) => Some(value.clone()),
            _ => None,
        };
        let (before, after) = (object(&change.before), object(&change.after));
        let what = match (change.action, before, &after) {
            (Action::Create, _, _) => format!("an apply would add `{address}`"),
            (Action::Update, Some(before), Some(after)) => {
                format!(
                    "an apply would change `{address}`: {}",
                    differing(&before, after)
                )
            }
            _ => format!("an apply would change `{address}`"),
        };
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        Self {
            about: format!("{address} {after}"),
            reason: what,
        }
    }
}

/// The members that differ.
fn differing(before: &Value, after: &Value) -> String {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return format!("{before} → {after}");
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let parts = keys
        .into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| {
            let side = |value: Option<&Value>| {
                value.map_or_else(|| "nothing".to_owned(), Value::to_string)
            };
            format!("{key} {} → {}", side(old.get(key)), side(new.get(key)))
        });
    parts.collect::<Vec<_>>().join(", ")
}
