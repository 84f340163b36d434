//! SW0xx: the document itself.

use switchover_catalogue::{Document, Source};
use switchover_topology::Severity;
use switchover_topology::model::Kind;

use crate::registry::{Check, Rule};

/// What rules of the document have in common: they hold whatever the PBXs run, and the first of them cannot be
/// accepted, because what could not be read cannot be judged.
const READ: Rule = Rule {
    code: "",
    name: "",
    severity: Severity::Error,
    summary: "",
    sources: &[],
    wms: "any",
    explanation: "",
    acknowledgeable: false,
    looks_at: &[],
    check: Check::Reading,
};

const fn language(section: &'static str) -> Source {
    Source {
        document: Document::Language,
        section,
    }
}

pub(crate) const SW001: Rule = Rule {
    code: "SW001",
    name: "syntax-error",
    summary: "the text is not KDL",
    sources: &[language("KDL 2.0")],
    explanation: include_str!("../explanations/SW001.md"),
    ..READ
};

pub(crate) const SW002: Rule = Rule {
    code: "SW002",
    name: "unknown-name",
    summary: "a node, property or argument that the language does not have",
    sources: &[language("Reference of nodes")],
    explanation: include_str!("../explanations/SW002.md"),
    ..READ
};

pub(crate) const SW003: Rule = Rule {
    code: "SW003",
    name: "bad-value",
    summary: "a value is missing, of the wrong type, malformed or out of range",
    sources: &[language("Reference of nodes")],
    explanation: include_str!("../explanations/SW003.md"),
    ..READ
};

pub(crate) const SW004: Rule = Rule {
    code: "SW004",
    name: "duplicate",
    summary: "a name, MAC, address or extension is used twice",
    sources: &[language("Rules of the language")],
    explanation: include_str!("../explanations/SW004.md"),
    ..READ
};

pub(crate) const SW005: Rule = Rule {
    code: "SW005",
    name: "unresolved-reference",
    summary: "a reference to something that is not declared",
    sources: &[language("Rules of the language")],
    explanation: include_str!("../explanations/SW005.md"),
    ..READ
};

pub(crate) const SW006: Rule = Rule {
    code: "SW006",
    name: "include-failed",
    summary: "an included, extended or imported file is missing, cyclic or outside the topology's root",
    sources: &[language("Rules of the language")],
    explanation: include_str!("../explanations/SW006.md"),
    ..READ
};

pub(crate) const SW007: Rule = Rule {
    code: "SW007",
    name: "acknowledge-without-effect",
    severity: Severity::Warning,
    summary: "an acknowledgement matches no finding, or has expired",
    sources: &[language("Rules of the language")],
    explanation: include_str!("../explanations/SW007.md"),
    check: Check::Acknowledging,
    ..READ
};

pub(crate) const SW008: Rule = Rule {
    code: "SW008",
    name: "clear-text-secret",
    summary: "a secret is written out instead of named",
    sources: &[language("Rules of the language")],
    explanation: include_str!("../explanations/SW008.md"),
    ..READ
};

pub(crate) const SW009: Rule = Rule {
    code: "SW009",
    name: "unused-declaration",
    severity: Severity::Warning,
    summary: "a network, DHCP, DNS, provisioning or target node that nothing uses",
    sources: &[language("Reference of nodes")],
    explanation: include_str!("../explanations/SW009.md"),
    acknowledgeable: true,
    looks_at: &[
        Kind::Pbx,
        Kind::Network,
        Kind::Dhcp,
        Kind::Dns,
        Kind::Provisioning,
        Kind::Device,
        Kind::Target,
    ],
    ..READ
};
