use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::blob::BlobRef;
use crate::plan::{Owned, PluginRef, Summary, Wave};

/// One successful apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Generation {
    /// Counts from 1.
    pub number: u64,
    /// When the apply ended.
    pub created: jiff::Timestamp,
    /// Who applied it; unknown of generations of format 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The site's name.
    pub site: String,
    /// SHA-256 over the topology's files, in hexadecimal.
    pub topology: String,
    /// The files of the topology; format 1.0 kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources: Option<BlobRef>,
    /// Digest of the generation before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The generation whose contents were brought back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback_of: Option<u64>,
    /// What the apply changed; unknown of format 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Counts>,
    /// Every target that the topology had.
    pub targets: BTreeMap<String, TargetRecord>,
}

/// What a target held of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// The plugin that wrote it.
    pub plugin: PluginRef,
    /// When its turn came; format 1.0 did not keep that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<Wave>,
    /// By address.
    pub resources: BTreeMap<String, Owned>,
    /// What was wanted of it; format 1.0 kept only digests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<BlobRef>,
}

/// How many resources an apply touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each counts what it says")]
pub struct Counts {
    pub create: usize,
    pub update: usize,
    pub delete: usize,
}

impl From<Summary> for Counts {
    fn from(summary: Summary) -> Self {
        Self {
            create: summary.create,
            update: summary.update,
            delete: summary.delete,
        }
    }
}

impl Generation {
    /// A generation of a site that holds nothing yet.
    #[must_use]
    pub fn empty(number: u64, created: jiff::Timestamp, site: String, topology: String) -> Self {
        Self {
            number,
            created,
            who: None,
            site,
            topology,
            sources: None,
            parent: None,
            rollback_of: None,
            changes: None,
            targets: BTreeMap::new(),
        }
    }

    /// Everything that it refers to.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &BlobRef> {
        let contents = self.targets.values().map(|record| &record.contents);
        contents.chain([&self.sources]).flatten()
    }
}
