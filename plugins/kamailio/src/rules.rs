//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[
    KAMAILIO001,
    KAMAILIO002,
    KAMAILIO003,
    KAMAILIO004,
    KAMAILIO005,
    KAMAILIO006,
    KAMAILIO007,
    KAMAILIO008,
    KAMAILIO009,
    KAMAILIO010,
    KAMAILIO011,
    KAMAILIO012,
    KAMAILIO013,
    KAMAILIO014,
];

pub(crate) const KAMAILIO001: Rule = Rule::error(
    "KAMAILIO001",
    "kamailio-not-pbx",
    "something other than a `pbx` node names the target",
    include_str!("../explanations/KAMAILIO001.md"),
);

pub(crate) const KAMAILIO002: Rule = Rule::error(
    "KAMAILIO002",
    "kamailio-both",
    "more than one PBX names the target",
    include_str!("../explanations/KAMAILIO002.md"),
);

pub(crate) const KAMAILIO003: Rule = Rule::warning(
    "KAMAILIO003",
    "kamailio-no-restart",
    "the target declares no command `restart`",
    include_str!("../explanations/KAMAILIO003.md"),
);

pub(crate) const KAMAILIO004: Rule = Rule::error(
    "KAMAILIO004",
    "kamailio-tcp-and-tls",
    "devices or trunks use TCP and TLS at the same port",
    include_str!("../explanations/KAMAILIO004.md"),
);

pub(crate) const KAMAILIO005: Rule = Rule::error(
    "KAMAILIO005",
    "kamailio-name",
    "a PBX, an extension, a call group or a trunk has a name that Kamailio cannot hold",
    include_str!("../explanations/KAMAILIO005.md"),
);

pub(crate) const KAMAILIO006: Rule = Rule::warning(
    "KAMAILIO006",
    "kamailio-no-password",
    "a user has no SIP password",
    include_str!("../explanations/KAMAILIO006.md"),
);

pub(crate) const KAMAILIO007: Rule = Rule::error(
    "KAMAILIO007",
    "kamailio-strategy",
    "a call group has a strategy that Kamailio does not know",
    include_str!("../explanations/KAMAILIO007.md"),
);

pub(crate) const KAMAILIO008: Rule = Rule::error(
    "KAMAILIO008",
    "kamailio-too-many-at-once",
    "a call group rings more than 30 members at once",
    include_str!("../explanations/KAMAILIO008.md"),
);

pub(crate) const KAMAILIO009: Rule = Rule::error(
    "KAMAILIO009",
    "kamailio-empty-group",
    "a call group has no member",
    include_str!("../explanations/KAMAILIO009.md"),
);

pub(crate) const KAMAILIO010: Rule = Rule::error(
    "KAMAILIO010",
    "kamailio-group-is-extension",
    "a call group has the name of an extension",
    include_str!("../explanations/KAMAILIO010.md"),
);

pub(crate) const KAMAILIO011: Rule = Rule::note(
    "KAMAILIO011",
    "kamailio-outgoing",
    "a trunk is outgoing",
    include_str!("../explanations/KAMAILIO011.md"),
);

pub(crate) const KAMAILIO012: Rule = Rule::error(
    "KAMAILIO012",
    "kamailio-provider",
    "the provider of an incoming trunk is not an IPv4 address",
    include_str!("../explanations/KAMAILIO012.md"),
);

pub(crate) const KAMAILIO013: Rule = Rule::error(
    "KAMAILIO013",
    "kamailio-one-provider",
    "two incoming trunks have the same provider",
    include_str!("../explanations/KAMAILIO013.md"),
);

pub(crate) const KAMAILIO014: Rule = Rule::error(
    "KAMAILIO014",
    "kamailio-incoming",
    "the setting `incoming` names nobody who could be called",
    include_str!("../explanations/KAMAILIO014.md"),
);
