//! Which targets a run is about, where it is not about all of them.

use std::collections::BTreeSet;

/// Names of targets. By default all are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    only: BTreeSet<String>,
    without: BTreeSet<String>,
}

impl Selection {
    /// These targets (all, where there are none) without those.
    pub fn new(
        only: impl IntoIterator<Item = String>,
        without: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            only: only.into_iter().collect(),
            without: without.into_iter().collect(),
        }
    }

    /// Whether a run is about this target.
    #[must_use]
    pub fn takes(&self, target: &str) -> bool {
        (self.only.is_empty() || self.only.contains(target)) && !self.without.contains(target)
    }

    /// Whether it is about all of them.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.without.is_empty()
    }
}
