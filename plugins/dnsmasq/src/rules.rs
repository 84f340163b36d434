//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[
    DNSMASQ001, DNSMASQ002, DNSMASQ003, DNSMASQ004, DNSMASQ005, DNSMASQ006, DNSMASQ007, DNSMASQ008,
    DNSMASQ009, DNSMASQ010, DNSMASQ011, DNSMASQ012, DNSMASQ013, DNSMASQ014, DNSMASQ015,
];

pub(crate) const DNSMASQ001: Rule = Rule::error(
    "DNSMASQ001",
    "dnsmasq-not-dhcp-or-dns",
    "something other than a server of a `dhcp` or `dns` node names the target",
    include_str!("../explanations/DNSMASQ001.md"),
);

pub(crate) const DNSMASQ002: Rule = Rule::error(
    "DNSMASQ002",
    "dnsmasq-standby",
    "the target is a DHCP server beside the primary of its service",
    include_str!("../explanations/DNSMASQ002.md"),
);

pub(crate) const DNSMASQ003: Rule = Rule::note(
    "DNSMASQ003",
    "dnsmasq-no-reload",
    "the target declares no command `reload`",
    include_str!("../explanations/DNSMASQ003.md"),
);

pub(crate) const DNSMASQ004: Rule = Rule::error(
    "DNSMASQ004",
    "dnsmasq-tag",
    "a network that the target serves has a name that cannot be a dnsmasq tag",
    include_str!("../explanations/DNSMASQ004.md"),
);

pub(crate) const DNSMASQ005: Rule = Rule::error(
    "DNSMASQ005",
    "dnsmasq-not-ipv4",
    "a network that the target serves has a subnet that is not IPv4",
    include_str!("../explanations/DNSMASQ005.md"),
);

pub(crate) const DNSMASQ006: Rule = Rule::error(
    "DNSMASQ006",
    "dnsmasq-duplicate-subnet",
    "two networks that the target serves have the same subnet",
    include_str!("../explanations/DNSMASQ006.md"),
);

pub(crate) const DNSMASQ007: Rule = Rule::warning(
    "DNSMASQ007",
    "dnsmasq-short-lease",
    "a DHCP service has a lease shorter than two minutes",
    include_str!("../explanations/DNSMASQ007.md"),
);

pub(crate) const DNSMASQ008: Rule = Rule::error(
    "DNSMASQ008",
    "dnsmasq-option",
    "dnsmasq could not send a DHCP option as it is declared",
    include_str!("../explanations/DNSMASQ008.md"),
);

pub(crate) const DNSMASQ009: Rule = Rule::error(
    "DNSMASQ009",
    "dnsmasq-reservation",
    "dnsmasq could not reserve the address of a device",
    include_str!("../explanations/DNSMASQ009.md"),
);

pub(crate) const DNSMASQ010: Rule = Rule::note(
    "DNSMASQ010",
    "dnsmasq-no-host-name",
    "the name of a device that has a reservation is not a host name",
    include_str!("../explanations/DNSMASQ010.md"),
);

pub(crate) const DNSMASQ011: Rule = Rule::error(
    "DNSMASQ011",
    "dnsmasq-host-name-twice",
    "two devices have names that dnsmasq would treat as one host",
    include_str!("../explanations/DNSMASQ011.md"),
);

pub(crate) const DNSMASQ012: Rule = Rule::error(
    "DNSMASQ012",
    "dnsmasq-record-type",
    "a zone has a record of a type that the plugin cannot write for dnsmasq",
    include_str!("../explanations/DNSMASQ012.md"),
);

pub(crate) const DNSMASQ013: Rule = Rule::error(
    "DNSMASQ013",
    "dnsmasq-record",
    "a DNS record holds a name, an address or a text that dnsmasq cannot",
    include_str!("../explanations/DNSMASQ013.md"),
);

pub(crate) const DNSMASQ014: Rule = Rule::warning(
    "DNSMASQ014",
    "dnsmasq-alias",
    "an alias points to a name that is not declared in a zone of this target",
    include_str!("../explanations/DNSMASQ014.md"),
);

pub(crate) const DNSMASQ015: Rule = Rule::note(
    "DNSMASQ015",
    "dnsmasq-shared-ttl",
    "records of a zone get another time to live than declared",
    include_str!("../explanations/DNSMASQ015.md"),
);
