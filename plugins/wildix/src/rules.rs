//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[
    WILDIX001, WILDIX002, WILDIX003, WILDIX004, WILDIX005, WILDIX101, WILDIX102, WILDIX103,
    WILDIX104, WILDIX105,
];

pub(crate) const WILDIX001: Rule = Rule::error(
    "WILDIX001",
    "wildix-not-a-pbx",
    "something other than a `pbx` node names the target",
    include_str!("../explanations/WILDIX001.md"),
);

pub(crate) const WILDIX002: Rule = Rule::error(
    "WILDIX002",
    "wildix-two-pbxs",
    "two PBXs name the same target",
    include_str!("../explanations/WILDIX002.md"),
);

pub(crate) const WILDIX003: Rule = Rule::error(
    "WILDIX003",
    "wildix-group-overwritten",
    "a call group is configured on the PBX that the synchronisation overwrites",
    include_str!("../explanations/WILDIX003.md"),
);

pub(crate) const WILDIX004: Rule = Rule::note(
    "WILDIX004",
    "wildix-no-locale",
    "a PBX declares no `locale`",
    include_str!("../explanations/WILDIX004.md"),
);

pub(crate) const WILDIX005: Rule = Rule::note(
    "WILDIX005",
    "wildix-no-ntp",
    "no NTP server is known for a PBX",
    include_str!("../explanations/WILDIX005.md"),
);

pub(crate) const WILDIX101: Rule = Rule::error(
    "WILDIX101",
    "wildix-other-version",
    "the PBX runs another WMS version than the topology declares",
    include_str!("../explanations/WILDIX101.md"),
)
.of_the_server();

pub(crate) const WILDIX102: Rule = Rule::error(
    "WILDIX102",
    "wildix-not-a-member",
    "the PBX does not know another member of its WMS network",
    include_str!("../explanations/WILDIX102.md"),
)
.of_the_server();

pub(crate) const WILDIX103: Rule = Rule::warning(
    "WILDIX103",
    "wildix-no-trunk",
    "the PBX has no SIP trunk with the name of a declared incoming trunk",
    include_str!("../explanations/WILDIX103.md"),
)
.of_the_server();

pub(crate) const WILDIX104: Rule = Rule::warning(
    "WILDIX104",
    "wildix-other-call-group",
    "a call group is missing on the PBX or has another strategy there",
    include_str!("../explanations/WILDIX104.md"),
)
.of_the_server();

pub(crate) const WILDIX105: Rule = Rule::error(
    "WILDIX105",
    "wildix-passwords-not-told",
    "the topology declares SIP passwords, and the PBX does not return its own",
    include_str!("../explanations/WILDIX105.md"),
)
.of_the_server();
