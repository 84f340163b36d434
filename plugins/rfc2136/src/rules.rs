//! Every kind of finding that this plugin raises.

use switchover_sdk::Rule;

/// As the manifest lists them, by ascending code.
pub(crate) const ALL: &[Rule] = &[
    UPDATE001, UPDATE002, UPDATE003, UPDATE004, UPDATE005, UPDATE006, UPDATE007, UPDATE008,
];

pub(crate) const UPDATE001: Rule = Rule::error(
    "UPDATE001",
    "rfc2136-not-dns",
    "something other than a server of a `dns` node names the target",
    include_str!("../explanations/UPDATE001.md"),
);

pub(crate) const UPDATE002: Rule = Rule::error(
    "UPDATE002",
    "rfc2136-secondary",
    "the target is a secondary server of a zone",
    include_str!("../explanations/UPDATE002.md"),
);

pub(crate) const UPDATE003: Rule = Rule::error(
    "UPDATE003",
    "rfc2136-zone-name",
    "the name of a zone is not a domain name",
    include_str!("../explanations/UPDATE003.md"),
);

pub(crate) const UPDATE004: Rule = Rule::error(
    "UPDATE004",
    "rfc2136-owner",
    "the owner of a record is not a name in its zone",
    include_str!("../explanations/UPDATE004.md"),
);

pub(crate) const UPDATE005: Rule = Rule::error(
    "UPDATE005",
    "rfc2136-other-zone",
    "a record belongs to another zone that the target serves",
    include_str!("../explanations/UPDATE005.md"),
);

pub(crate) const UPDATE006: Rule = Rule::error(
    "UPDATE006",
    "rfc2136-servers-own",
    "a zone declares SOA records, or NS records of its own name",
    include_str!("../explanations/UPDATE006.md"),
);

pub(crate) const UPDATE007: Rule = Rule::error(
    "UPDATE007",
    "rfc2136-data",
    "the data of a record cannot be written",
    include_str!("../explanations/UPDATE007.md"),
);

pub(crate) const UPDATE008: Rule = Rule::error(
    "UPDATE008",
    "rfc2136-alias",
    "an alias (CNAME) has other records beside it, or more than one target",
    include_str!("../explanations/UPDATE008.md"),
);
