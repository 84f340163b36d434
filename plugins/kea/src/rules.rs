//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[
    KEA001, KEA002, KEA003, KEA004, KEA005, KEA006, KEA007, KEA008, KEA009, KEA010, KEA011, KEA012,
    KEA013, KEA014,
];

pub(crate) const KEA001: Rule = Rule::error(
    "KEA001",
    "kea-not-dhcp",
    "something other than a server of a `dhcp` node names the target",
    include_str!("../explanations/KEA001.md"),
);

pub(crate) const KEA002: Rule = Rule::error(
    "KEA002",
    "kea-standby-without-high-availability",
    "the target is a standby server that no high-availability pair covers",
    include_str!("../explanations/KEA002.md"),
);

pub(crate) const KEA003: Rule = Rule::error(
    "KEA003",
    "kea-not-ipv4",
    "a network that the target serves has a subnet that is not IPv4",
    include_str!("../explanations/KEA003.md"),
);

pub(crate) const KEA004: Rule = Rule::error(
    "KEA004",
    "kea-duplicate-subnet",
    "two networks that the target serves have the same subnet",
    include_str!("../explanations/KEA004.md"),
);

pub(crate) const KEA005: Rule = Rule::error(
    "KEA005",
    "kea-option-length",
    "the text of a DHCP option is empty or longer than 255 bytes",
    include_str!("../explanations/KEA005.md"),
);

pub(crate) const KEA006: Rule = Rule::error(
    "KEA006",
    "kea-option-twice",
    "a network sets one DHCP option both for every client and for telephones",
    include_str!("../explanations/KEA006.md"),
);

pub(crate) const KEA007: Rule = Rule::error(
    "KEA007",
    "kea-option-type",
    "an option code has values of different types in two networks",
    include_str!("../explanations/KEA007.md"),
);

pub(crate) const KEA008: Rule = Rule::error(
    "KEA008",
    "kea-reservation-not-ipv4",
    "the address of a device with a reservation is not IPv4",
    include_str!("../explanations/KEA008.md"),
);

pub(crate) const KEA009: Rule = Rule::error(
    "KEA009",
    "kea-reservation-outside",
    "a device's address is outside the subnet of its network",
    include_str!("../explanations/KEA009.md"),
);

pub(crate) const KEA010: Rule = Rule::error(
    "KEA010",
    "kea-reservation-twice",
    "two devices of a network have the same address",
    include_str!("../explanations/KEA010.md"),
);

pub(crate) const KEA011: Rule = Rule::note(
    "KEA011",
    "kea-no-host-name",
    "the name of a device that has a reservation is not a host name",
    include_str!("../explanations/KEA011.md"),
);

pub(crate) const KEA012: Rule = Rule::error(
    "KEA012",
    "kea-too-many-servers",
    "a DHCP service has more than two servers with a target",
    include_str!("../explanations/KEA012.md"),
);

pub(crate) const KEA013: Rule = Rule::error(
    "KEA013",
    "kea-two-pairs",
    "two DHCP services of the target have different pairs of servers",
    include_str!("../explanations/KEA013.md"),
);

pub(crate) const KEA014: Rule = Rule::error(
    "KEA014",
    "kea-half-a-login",
    "only one of `ha-user` and `ha-password-file` is set",
    include_str!("../explanations/KEA014.md"),
);
