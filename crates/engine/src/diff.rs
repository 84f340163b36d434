//! What is wanted against what is: one differ for all plugins.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::plan::{Action, Change, Content, Owned, Reason};
use crate::redact;

/// A resource, wanted or existing, in the space where secrets are references.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) address: String,
    pub(crate) kind: String,
    pub(crate) body: Body,
    /// JSON pointers whose values are not shown.
    pub(crate) sensitive: Vec<String>,
    pub(crate) depends_on: Vec<String>,
    /// What the plugin's procedure wants to know of it. Never compared.
    pub(crate) hint: Option<String>,
}

/// What a resource holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Object(Value),
    File(Vec<u8>),
}

impl Body {
    /// Equal bodies, and only those, have equal digests: object keys are sorted.
    pub(crate) fn sha256(&self) -> String {
        let mut hasher = Sha256::new();
        match self {
            Self::Object(value) => {
                hasher.update(b"object\0");
                hasher.update(canonical(value).to_string());
            }
            Self::File(bytes) => {
                hasher.update(b"file\0");
                hasher.update(bytes);
            }
        }
        hex(&hasher.finalize())
    }

    fn holds_secret(&self) -> bool {
        match self {
            Self::Object(value) => value.to_string().contains("${secret:"),
            Self::File(bytes) => memchr::memmem::find(bytes, b"${secret:").is_some(),
        }
    }
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<_, _> = members
                .iter()
                .map(|(key, value)| (key.clone(), canonical(value)))
                .collect();
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        scalar => scalar.clone(),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
            text
        })
}

/// A set of resources that contradicts itself: the plugin's fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DiffError {
    #[error("two resources have the address `{0}`")]
    Duplicate(String),
    #[error("`{0}` depends on `{1}`, which is neither wanted nor there")]
    UnknownDependency(String, String),
    #[error("`{0}` depends on itself through others")]
    Cycle(String),
}

/// The differences of one target.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// Creations and updates in the order of their dependencies, then deletions in reverse.
    pub(crate) changes: Vec<Change>,
    pub(crate) unchanged: usize,
    pub(crate) foreign: Vec<String>,
    /// Addresses that drifted and are accepted as they are.
    pub(crate) known_drift: Vec<String>,
    pub(crate) resources: BTreeMap<String, Owned>,
}

/// Compares, given what the last generation recorded of the target, and which addresses may be other than recorded.
pub(crate) fn compare(
    desired: &[Resource],
    current: &[Resource],
    last: &BTreeMap<String, Owned>,
    accepted: &BTreeSet<&str>,
) -> Result<Difference, DiffError> {
    let there = index(current)?;
    let wanted = index(desired)?;
    let mut difference = Difference::default();

    for resource in in_order(desired, &wanted, &there)? {
        let sha256 = resource.body.sha256();
        let existing = there.get(resource.address.as_str()).copied();
        let owned = last.get(&resource.address);
        // What was there before us stays "adopted" for good, whatever we write into it.
        let adopted = owned.map_or(existing.is_some(), |owned| owned.adopted);
        let secret = resource.body.holds_secret();
        difference.resources.insert(
            resource.address.clone(),
            Owned {
                sha256: sha256.clone(),
                adopted,
                secret,
            },
        );

        let same = existing.is_some_and(|existing| existing.body == resource.body);
        let drifted = owned.is_some_and(|owned| match existing {
            Some(_) if same => sha256 != owned.sha256,
            Some(existing) => existing.body.sha256() != owned.sha256,
            None => true,
        });
        let reason = match owned {
            Some(owned) if drifted && owned.sha256 == sha256 => Reason::Drift,
            _ if drifted => Reason::Both,
            _ => Reason::Wanted,
        };
        match existing {
            Some(_) if same => difference.unchanged += 1,
            _ if reason == Reason::Drift && accepted.contains(resource.address.as_str()) => {
                difference.known_drift.push(resource.address.clone());
            }
            Some(existing) => {
                difference.changes.push(change(
                    Action::Update,
                    Some(existing),
                    Some(resource),
                    owned,
                    reason,
                ));
            }
            None => {
                difference.changes.push(change(
                    Action::Create,
                    None,
                    Some(resource),
                    owned,
                    reason,
                ));
            }
        }
    }

    for resource in in_order(current, &there, &wanted)?.into_iter().rev() {
        if wanted.contains_key(resource.address.as_str()) {
            continue;
        }
        match last.get(&resource.address) {
            Some(owned) if !owned.adopted => {
                let reason = if resource.body.sha256() == owned.sha256 {
                    Reason::Wanted
                } else {
                    Reason::Both
                };
                difference.changes.push(change(
                    Action::Delete,
                    Some(resource),
                    None,
                    Some(owned),
                    reason,
                ));
            }
            _ => difference.foreign.push(resource.address.clone()),
        }
    }
    difference.foreign.sort();
    Ok(difference)
}

/// What is no longer as it was recorded: the changes that bring it back. What was left is told of what is still wanted
/// in the same way; nothing else of it is kept but its digest.
pub(crate) fn drifted(
    desired: &[Resource],
    current: &[Resource],
    last: &BTreeMap<String, Owned>,
) -> Vec<Change> {
    let by_address = |resources: &'_ [Resource]| -> HashMap<String, usize> {
        let addresses = resources.iter().enumerate();
        addresses
            .map(|(at, resource)| (resource.address.clone(), at))
            .collect()
    };
    let (there, wanted) = (by_address(current), by_address(desired));
    let mut changes = Vec::new();
    for (address, owned) in last {
        let existing = there.get(address).map(|&at| &current[at]);
        if existing.is_some_and(|existing| existing.body.sha256() == owned.sha256) {
            continue;
        }
        let wanted = wanted.get(address).map(|&at| &desired[at]);
        let left = wanted.filter(|wanted| wanted.body.sha256() == owned.sha256);
        let (action, reason) = match (existing, left) {
            (Some(_), Some(_)) => (Action::Update, Reason::Drift),
            (Some(_), None) => (Action::Update, Reason::Both),
            (None, Some(_)) => (Action::Create, Reason::Drift),
            (None, None) => (Action::Create, Reason::Both),
        };
        let mut found = change(action, existing, left, Some(owned), reason);
        if found.address.is_empty() {
            found.address.clone_from(address);
            found.kind = wanted.map(|wanted| wanted.kind.clone()).unwrap_or_default();
        }
        changes.push(found);
    }
    changes
}

fn index(resources: &[Resource]) -> Result<HashMap<&str, &Resource>, DiffError> {
    let mut index = HashMap::with_capacity(resources.len());
    for resource in resources {
        if index.insert(resource.address.as_str(), resource).is_some() {
            return Err(DiffError::Duplicate(resource.address.clone()));
        }
    }
    Ok(index)
}

fn change(
    action: Action,
    before: Option<&Resource>,
    after: Option<&Resource>,
    owned: Option<&Owned>,
    reason: Reason,
) -> Change {
    let subject = after.or(before);
    let sensitive: BTreeSet<&str> = before
        .iter()
        .chain(after.iter())
        .flat_map(|resource| &resource.sensitive)
        .map(String::as_str)
        .collect();
    let held_secret = owned.is_some_and(|owned| owned.secret);
    Change {
        address: subject
            .map(|resource| resource.address.clone())
            .unwrap_or_default(),
        kind: subject
            .map(|resource| resource.kind.clone())
            .unwrap_or_default(),
        action,
        reason,
        before: before.map(|before| {
            redact::before(
                &before.body,
                after.map(|after| &after.body),
                &sensitive,
                held_secret,
            )
        }),
        after: after.map(|after| match &after.body {
            Body::Object(value) => Content::Object(redact::object(value, &sensitive)),
            Body::File(bytes) => redact::file(bytes),
        }),
        before_line: None,
        after_line: None,
    }
}

/// Dependencies first, otherwise in the order given. A dependency outside the set must exist in `elsewhere`.
fn in_order<'a>(
    resources: &'a [Resource],
    here: &HashMap<&str, &'a Resource>,
    elsewhere: &HashMap<&str, &Resource>,
) -> Result<Vec<&'a Resource>, DiffError> {
    if resources
        .iter()
        .all(|resource| resource.depends_on.is_empty())
    {
        return Ok(resources.iter().collect());
    }
    let mut state: HashMap<&str, bool> = HashMap::with_capacity(resources.len());
    let mut ordered = Vec::with_capacity(resources.len());
    for resource in resources {
        // Depth first with a stack of its own: a plugin decides how deep the graph is.
        let mut stack = vec![(resource, 0)];
        while let Some((resource, next)) = stack.pop() {
            if next == 0 {
                match state.get(resource.address.as_str()) {
                    Some(true) => continue,
                    Some(false) => return Err(DiffError::Cycle(resource.address.clone())),
                    None => state.insert(&resource.address, false),
                };
            }
            let Some(dependency) = resource.depends_on.get(next) else {
                state.insert(&resource.address, true);
                ordered.push(resource);
                continue;
            };
            stack.push((resource, next + 1));
            match here.get(dependency.as_str()) {
                Some(dependency) => stack.push((dependency, 0)),
                None if elsewhere.contains_key(dependency.as_str()) => {}
                None => {
                    return Err(DiffError::UnknownDependency(
                        resource.address.clone(),
                        dependency.clone(),
                    ));
                }
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests;
