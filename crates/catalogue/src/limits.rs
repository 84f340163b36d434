use crate::source::{Document, Source};
use crate::version::{DottedVersion, Release};

/// A WMS release from which something holds, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The first release.
    pub release: Release,
    /// Who says so.
    pub sources: &'static [Source],
}

impl Since {
    /// Whether it holds on this WMS version.
    #[must_use]
    pub fn holds_on(&self, wms: &DottedVersion) -> bool {
        self.release.reached_by(wms)
    }
}

const REQUIREMENTS: &[Source] = &[
    Source {
        document: Document::Guide386,
        section: "Requirements",
    },
    Source {
        document: Document::Guide50X60X,
        section: "Requirements",
    },
];

/// The oldest WMS release that has failover.
pub const MINIMAL_WMS: Since = Since {
    release: Release(&[3, 86]),
    sources: REQUIREMENTS,
};

/// The first WMS release with load sharing. The edition for 3.86 announces it for the version to come, that for
/// 5.0X/6.0X has it; what lies between is not documented.
pub const LOAD_SHARING_SINCE: Since = Since {
    release: Release(&[5, 0]),
    sources: &[
        Source {
            document: Document::Guide386,
            section: "Device configuration and switching timeout",
        },
        Source {
            document: Document::Guide50X60X,
            section: "Currently supported features & scenarios",
        },
    ],
};

/// How many users a failover PBX can take over: its own and the main PBX's together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailoverCapacity {
    /// Users on the vendor's hardware.
    pub hardware_users: u32,
    /// Users on a virtual machine for each of its cores.
    pub users_per_core: u32,
    /// Threads that count as one core of a virtual machine.
    pub threads_per_core: u32,
    /// Who says so.
    pub sources: &'static [Source],
}

impl FailoverCapacity {
    /// Users that a virtual machine of so many cores can carry.
    #[must_use]
    pub const fn vm_users(&self, cores: u32) -> u64 {
        cores as u64 * self.users_per_core as u64
    }

    /// Cores that a virtual machine needs to carry so many users.
    #[must_use]
    pub const fn cores_for(&self, users: u64) -> u64 {
        users.div_ceil(self.users_per_core as u64)
    }

    /// Cores that so many threads amount to; an odd thread makes no core.
    #[must_use]
    pub const fn cores_of_threads(&self, threads: u32) -> u32 {
        threads / self.threads_per_core
    }
}

/// The same in both editions.
pub const FAILOVER_CAPACITY: FailoverCapacity = FailoverCapacity {
    hardware_users: 1000,
    users_per_core: 500,
    threads_per_core: 2,
    sources: REQUIREMENTS,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_and_users_meet_at_each_step_of_500() {
        for (users, cores) in [(0, 0), (1, 1), (500, 1), (501, 2), (1000, 2), (1001, 3)] {
            assert_eq!(FAILOVER_CAPACITY.cores_for(users), cores, "{users}");
        }
        assert_eq!(FAILOVER_CAPACITY.vm_users(2), 1000);
        assert_eq!(
            FAILOVER_CAPACITY.vm_users(u32::MAX),
            500 * u64::from(u32::MAX)
        );
        assert_eq!(FAILOVER_CAPACITY.cores_of_threads(3), 1);
    }
}
