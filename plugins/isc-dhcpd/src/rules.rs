//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[
    DHCPD001, DHCPD002, DHCPD003, DHCPD004, DHCPD005, DHCPD006, DHCPD007, DHCPD008, DHCPD009,
    DHCPD010, DHCPD011, DHCPD012, DHCPD013, DHCPD014,
];

pub(crate) const DHCPD001: Rule = Rule::error(
    "DHCPD001",
    "dhcpd-not-dhcp",
    "something other than a server of a `dhcp` node names the target",
    include_str!("../explanations/DHCPD001.md"),
);

pub(crate) const DHCPD002: Rule = Rule::error(
    "DHCPD002",
    "dhcpd-too-many-servers",
    "a DHCP service has more than two servers with a target",
    include_str!("../explanations/DHCPD002.md"),
);

pub(crate) const DHCPD003: Rule = Rule::error(
    "DHCPD003",
    "dhcpd-standby-alone",
    "the target is a standby server whose primary has no target",
    include_str!("../explanations/DHCPD003.md"),
);

pub(crate) const DHCPD004: Rule = Rule::error(
    "DHCPD004",
    "dhcpd-no-pair",
    "the two servers of a DHCP service have the same role or the same target",
    include_str!("../explanations/DHCPD004.md"),
);

pub(crate) const DHCPD005: Rule = Rule::error(
    "DHCPD005",
    "dhcpd-failover-address",
    "a server of a failover pair has no IPv4 address",
    include_str!("../explanations/DHCPD005.md"),
);

pub(crate) const DHCPD006: Rule = Rule::error(
    "DHCPD006",
    "dhcpd-failover-name",
    "a DHCP service with two servers has a name that dhcpd cannot quote",
    include_str!("../explanations/DHCPD006.md"),
);

pub(crate) const DHCPD007: Rule = Rule::note(
    "DHCPD007",
    "dhcpd-no-reload",
    "the target declares no command `reload`",
    include_str!("../explanations/DHCPD007.md"),
);

pub(crate) const DHCPD008: Rule = Rule::error(
    "DHCPD008",
    "dhcpd-not-ipv4",
    "a network that the target serves has a subnet that is not IPv4",
    include_str!("../explanations/DHCPD008.md"),
);

pub(crate) const DHCPD009: Rule = Rule::error(
    "DHCPD009",
    "dhcpd-duplicate-subnet",
    "two networks that the target serves have the same subnet",
    include_str!("../explanations/DHCPD009.md"),
);

pub(crate) const DHCPD010: Rule = Rule::error(
    "DHCPD010",
    "dhcpd-option",
    "dhcpd could not send a DHCP option as it is declared",
    include_str!("../explanations/DHCPD010.md"),
);

pub(crate) const DHCPD011: Rule = Rule::error(
    "DHCPD011",
    "dhcpd-option-type",
    "an option code has values of different types in two networks",
    include_str!("../explanations/DHCPD011.md"),
);

pub(crate) const DHCPD012: Rule = Rule::error(
    "DHCPD012",
    "dhcpd-reservation",
    "dhcpd could not reserve the address of a device",
    include_str!("../explanations/DHCPD012.md"),
);

pub(crate) const DHCPD013: Rule = Rule::note(
    "DHCPD013",
    "dhcpd-no-host-name",
    "the name of a device that has a reservation is not a host name",
    include_str!("../explanations/DHCPD013.md"),
);

pub(crate) const DHCPD014: Rule = Rule::error(
    "DHCPD014",
    "dhcpd-host-name-twice",
    "two devices have names that dhcpd would treat as one host",
    include_str!("../explanations/DHCPD014.md"),
);
