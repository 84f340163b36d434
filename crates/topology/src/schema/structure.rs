//! The nodes that say how a document is put together.

use super::Arity::{Many, Optional, Required};
use super::inner::{field, spec};
use super::{Shape, Spec};
use crate::choice;

/// The kinds whose nodes can be rows of a table: those that need nothing but scalars.
pub(crate) const TABLE_KINDS: &[&str] = &[
    "network",
    "dhcp",
    "dns",
    "provisioning",
    "user",
    "device",
    "trunk",
    "call-group",
    "target",
];

/// The kinds that may have several nodes.
pub(crate) const REPEATABLE_KINDS: &[&str] = &[
    "pbx",
    "network",
    "dhcp",
    "dns",
    "provisioning",
    "user",
    "device",
    "trunk",
    "call-group",
    "target",
];

pub(crate) static EXTENDS: Spec = Spec {
    name: "extends",
    doc: "Takes another document as the base; properties are values for its parameters.",
    arguments: &[field(
        "file",
        Shape::Text,
        Required,
        "File of the base, relative to this one.",
    )],
    fields: &[],
    nodes: &[],
    open: true,
};

spec!(
    PARAM,
    "param",
    "A value that whatever extends this document may give; strings name it in braces behind a `$`.",
    [field(
        "name",
        Shape::Text,
        Required,
        "Name of the parameter."
    )],
    [
        field(
            "default",
            Shape::Loose,
            Optional,
            "Its value where none is given."
        ),
        field(
            "description",
            Shape::Text,
            Optional,
            "What it is, for people."
        ),
    ],
    []
);

spec!(
    REMOVE,
    "remove",
    "Deletes a node of the base.",
    [
        field(
            "kind",
            Shape::Choice(choice::KIND_NAMES),
            Required,
            "Kind of the node."
        ),
        field(
            "name",
            Shape::Text,
            Optional,
            "Name of the node, where its kind has names."
        ),
    ],
    [],
    []
);

spec!(
    INCLUDE,
    "include",
    "Takes in other files of the same topology.",
    [field(
        "files",
        Shape::Text,
        Many,
        "Files, or patterns such as `devices/*.kdl`, relative to this one."
    )],
    [],
    []
);

spec!(
    IMPORT,
    "import",
    "Takes in the rows of a CSV file as nodes.",
    [field(
        "files",
        Shape::Text,
        Many,
        "CSV files, or patterns, relative to this one."
    )],
    [field(
        "as",
        Shape::Choice(TABLE_KINDS),
        Required,
        "Kind of node that a row is."
    )],
    []
);

/// What else it holds are the properties of the kind that it names.
pub(crate) static DEFAULTS: Spec = Spec {
    name: "defaults",
    doc: "Values for nodes of a kind that do not say otherwise.",
    arguments: &[field(
        "kind",
        Shape::Choice(REPEATABLE_KINDS),
        Required,
        "Kind of the nodes.",
    )],
    fields: &[],
    nodes: &[],
    open: true,
};
