//! Whether the failover PBX can carry everybody.

use switchover_catalogue::{FAILOVER_CAPACITY, Statement};
use switchover_topology::model::{Kind, Mode, Pbx, PlatformKind};
use switchover_topology::{Severity, Span, Topology};

use super::{FEATURES, SINCE_3_86, counted, pair, stated};
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW103: Rule = Rule {
    code: "SW103",
    name: "failover-hardware-too-small",
    severity: Severity::Error,
    summary: "the failover PBX is hardware, and both loads together exceed 1000 users",
    sources: FAILOVER_CAPACITY.sources,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW103.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::User],
    check: Check::Topology(hardware),
};

pub(crate) const SW104: Rule = Rule {
    code: "SW104",
    name: "failover-vm-too-small",
    severity: Severity::Error,
    summary: "the failover PBX is a virtual machine with too few cores for both loads together",
    sources: FAILOVER_CAPACITY.sources,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW104.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::User],
    check: Check::Topology(virtual_machine),
};

pub(crate) const SW110: Rule = Rule {
    code: "SW110",
    name: "load-on-failover-pbx",
    severity: Severity::Warning,
    summary: "hot standby, but the failover PBX carries users of its own",
    sources: FEATURES,
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW110.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx, Kind::User],
    check: Check::Topology(standby_with_load),
};

/// Users that one PBX carries, and the place that says so.
struct Load<'a> {
    pbx: &'a Pbx,
    users: u64,
    span: Span,
    how: &'static str,
}

/// The larger of the declared number and the users homed there: either may be the plan for tomorrow.
fn load<'a>(topology: &Topology, pbx: &'a Pbx) -> Load<'a> {
    let homed = topology
        .users
        .iter()
        .filter(|user| user.pbx.value == pbx.name.value)
        .count() as u64;
    match &pbx.users {
        Some(declared) if u64::from(declared.value) >= homed => Load {
            pbx,
            users: declared.value.into(),
            span: declared.span,
            how: "declared",
        },
        _ => Load {
            pbx,
            users: homed,
            span: pbx.name.span,
            how: "homed on it",
        },
    }
}

/// What the failover PBX must be able to carry.
struct Takeover<'a> {
    failover: &'a Pbx,
    main_load: Load<'a>,
    own_load: Load<'a>,
}

impl<'a> Takeover<'a> {
    /// None where there is no pair, or where its load cannot be known because nodes were left out.
    fn of(topology: &'a Topology) -> Option<Self> {
        let (main, failover) =
            pair(topology).filter(|_| !topology.incomplete.contains(&Kind::User))?;
        Some(Self {
            failover,
            main_load: load(topology, main),
            own_load: load(topology, failover),
        })
    }

    fn users(&self) -> u64 {
        self.main_load.users + self.own_load.users
    }

    /// What must be carried, but is not: `what` says why.
    fn found(&self, rule: &Rule, span: Span, what: &str) -> Finding {
        let Self {
            failover,
            main_load,
            own_load,
        } = self;
        let message = format!(
            "`{}` must carry {} ({} of `{}` and {} of its own), but {what}",
            failover.name.value,
            counted(self.users(), "user"),
            main_load.users,
            main_load.pbx.name.value,
            own_load.users,
        );
        let finding = Finding::new(rule, failover.span, span, message).related(
            main_load.span,
            format!(
                "main PBX: {} {}",
                counted(main_load.users, "user"),
                main_load.how
            ),
        );
        if own_load.users == 0 {
            return finding;
        }
        finding.related(
            own_load.span,
            format!(
                "failover PBX: {} {}",
                counted(own_load.users, "user"),
                own_load.how
            ),
        )
    }

    fn cores_needed(&self) -> String {
        let cores = FAILOVER_CAPACITY.cores_for(self.users());
        let threads = cores * u64::from(FAILOVER_CAPACITY.threads_per_core);
        format!(
            "{} ({})",
            counted(cores, "core"),
            counted(threads, "thread")
        )
    }
}

fn hardware(topology: &Topology) -> Vec<Finding> {
    let limit = FAILOVER_CAPACITY.hardware_users;
    Takeover::of(topology)
        .filter(|takeover| takeover.failover.platform.kind.value == PlatformKind::Hardware)
        .filter(|takeover| takeover.users() > u64::from(limit))
        .map(|takeover| {
            let name = &takeover.failover.name.value;
            let what = format!("as hardware it carries at most {limit}");
            takeover
                .found(&SW103, takeover.failover.platform.kind.span, &what)
                .label(format!("at most {limit} users"))
                .help(format!(
                    "move {} off the pair, or make `{name}` a virtual machine with {}",
                    counted(takeover.users() - u64::from(limit), "user"),
                    takeover.cores_needed(),
                ))
        })
        .into_iter()
        .collect()
}

fn virtual_machine(topology: &Topology) -> Vec<Finding> {
    Takeover::of(topology)
        .filter(|takeover| takeover.failover.platform.kind.value == PlatformKind::Vm)
        .and_then(|takeover| too_small(&takeover))
        .into_iter()
        .collect()
}

fn too_small(takeover: &Takeover<'_>) -> Option<Finding> {
    let platform = &takeover.failover.platform;
    let (name, needed) = (&takeover.failover.name.value, takeover.cores_needed());
    let cores = platform
        .cores
        .as_ref()
        .map(|cores| (cores.value, cores.span, counted(cores.value.into(), "core")));
    let threads = platform.threads.as_ref().map(|threads| {
        let cores = FAILOVER_CAPACITY.cores_of_threads(threads.value);
        (cores, threads.span, counted(threads.value.into(), "thread"))
    });
    // Where both are declared both must suffice.
    let Some((cores, span, has)) = [cores, threads]
        .into_iter()
        .flatten()
        .min_by_key(|(cores, ..)| *cores)
    else {
        return (takeover.users() > 0).then(|| {
            let what = format!("declares neither cores nor threads: {needed} are needed");
            takeover
                .found(&SW104, platform.kind.span, &what)
                .label("of unknown size")
                .help(format!(
                    "declare the size of `{name}`, at least {needed}, such as `platform \"vm\" cores={}`",
                    FAILOVER_CAPACITY.cores_for(takeover.users())
                ))
        });
    };
    let limit = FAILOVER_CAPACITY.vm_users(cores);
    (takeover.users() > limit).then(|| {
        let what = format!("no more than {limit} fit on its {has}: {needed} are needed");
        takeover
            .found(&SW104, span, &what)
            .label(format!("at most {}", counted(limit, "user")))
            .help(format!(
                "give `{name}` {needed}, or move {} off the pair",
                counted(takeover.users() - limit, "user"),
            ))
    })
}

fn standby_with_load(topology: &Topology) -> Vec<Finding> {
    let hot_standby = topology
        .site
        .as_ref()
        .is_some_and(|site| site.mode.value == Mode::HotStandby);
    let said = stated(topology, Statement::FailoverUsuallyIdle).is_some();
    pair(topology)
        .filter(|_| hot_standby && said)
        .and_then(|(main, failover)| loaded(topology, main, failover))
        .into_iter()
        .collect()
}

fn loaded(topology: &Topology, main: &Pbx, failover: &Pbx) -> Option<Finding> {
    let Load {
        users, span, how, ..
    } = load(topology, failover);
    let (name, peer) = (&failover.name.value, &main.name.value);
    (users > 0).then(|| {
        let message = format!(
            "`{name}` stands by for `{peer}`, but has {} of its own",
            counted(users, "user")
        );
        let finding = Finding::new(&SW110, failover.span, span, message)
            .label(format!("{} {how}", counted(users, "user")))
            .related(failover.role.span, "failover PBX declared here");
        let homed = topology.users.iter().find(|user| user.pbx.value == *name);
        let finding = match homed {
            Some(user) => finding.related(
                user.pbx.span,
                format!("`{}` is the first homed on it", user.name.value),
            ),
            None => finding,
        };
        finding.help(format!(
            "home them on `{peer}`; where they belong on `{name}`, acknowledge SW110 in it and plan what serves them \
             while `{name}` is down"
        ))
    })
}
