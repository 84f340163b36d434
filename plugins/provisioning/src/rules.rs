//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[PROV001, PROV002, PROV003, PROV004, PROV005];

pub(crate) const PROV001: Rule = Rule::error(
    "PROV001",
    "control-character",
    "a value that goes into a provisioning file holds a line break or another control character",
    include_str!("../explanations/PROV001.md"),
);

pub(crate) const PROV002: Rule = Rule::warning(
    "PROV002",
    "device-without-mac",
    "a telephone or gateway has no hardware address",
    include_str!("../explanations/PROV002.md"),
);

pub(crate) const PROV003: Rule = Rule::warning(
    "PROV003",
    "no-template",
    "no template is known for the model of a device",
    include_str!("../explanations/PROV003.md"),
);

pub(crate) const PROV004: Rule = Rule::note(
    "PROV004",
    "no-sip-password",
    "users with a device have no `sip-password`",
    include_str!("../explanations/PROV004.md"),
);

pub(crate) const PROV005: Rule = Rule::warning(
    "PROV005",
    "unused-family",
    "the setting `families` names a model that no device has",
    include_str!("../explanations/PROV005.md"),
);
