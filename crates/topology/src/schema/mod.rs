//! The language as one table: which nodes there are, what each holds, and of what type.
//!
//! Reading, suggestions, the resolved forms and their JSON Schema all come from it.

mod inner;
mod json_schema;
mod kdl_schema;
mod nodes;
mod structure;

use crate::model::Kind;
pub(crate) use inner::{
    ACKNOWLEDGE, AUTH, COMMAND, DHCP_OPTION, DHCP_SERVER, KNOWN_DRIFT, LARGE_CHANGE, LOCALE,
    OBJECTIVE, PLATFORM, POOL, RECORD, RETENTION, WMS_MEMBER,
};
pub use json_schema::schema;
pub use kdl_schema::kdl_schema;
pub(crate) use nodes::*;
pub(crate) use structure::*;

/// A node, at the top level or inside another.
#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// In order; only the last may be [`Arity::Many`].
    pub(crate) arguments: &'static [Field],
    /// `key=value` or `key value`.
    pub(crate) fields: &'static [Field],
    pub(crate) nodes: &'static [Child],
    /// Whether names that are not in `fields` and `nodes` are taken as a plugin's settings.
    pub(crate) open: bool,
}

/// A scalar, or a list of scalars.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) key: &'static str,
    pub(crate) shape: Shape,
    pub(crate) arity: Arity,
    pub(crate) doc: &'static str,
}

/// A node inside a node.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) spec: &'static Spec,
    pub(crate) arity: Arity,
}

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arity {
    Required,
    Optional,
    /// Once or more where it is an argument or a required child; else any number.
    Many,
}

/// What a scalar must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Any text but the empty one.
    Text,
    Boolean,
    /// Both ends included.
    Integer(u32, u32),
    /// `90s`, `5m`, `1h30m`; zero only where true.
    Duration(bool),
    Address,
    Subnet,
    Mac,
    Version,
    Date,
    /// A URL with one of these schemes.
    Url(&'static [&'static str]),
    /// A folder, or `ssh://…`.
    Root,
    Hostname,
    /// A host name or an address.
    Host,
    /// A host name, read without its final dot and in lower case.
    Domain,
    Email,
    Extension,
    Secret,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// The name of a way to authenticate: another one is unknown, not ill-typed.
    Scheme,
    /// The name of a node of this kind.
    Reference(Kind),
    /// A DHCP option by number, or by its IANA name.
    OptionCode,
    /// Text that may also be written as a number or a boolean.
    Loose,
    /// `SW104`, or a plugin's own code.
    Code,
    Language,
    Region,
    /// A DNS record type.
    RecordType,
}

impl Spec {
    pub(crate) fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&'static Child> {
        self.nodes.iter().find(|child| child.spec.name == name)
    }

    /// What a value or inner node is for.
    pub(crate) fn doc_of(&self, key: &str) -> &'static str {
        let field = self
            .arguments
            .iter()
            .chain(self.fields)
            .find(|field| field.key == key);
        field
            .map(|field| field.doc)
            .or_else(|| self.child(key).map(|child| child.spec.doc))
            .unwrap_or_default()
    }

    /// Everything that may be written in it, for suggestions.
    pub(crate) fn known_names(&self) -> Vec<&'static str> {
        self.fields
            .iter()
            .map(|field| field.key)
            .chain(self.nodes.iter().map(|child| child.spec.name))
            .collect()
    }
}

/// The node of a kind.
pub(crate) fn spec_of(kind: Kind) -> &'static Spec {
    KINDS
        .iter()
        .find(|(of, _)| *of == kind)
        .map_or(&SITE, |(_, spec)| spec)
}

/// The kind of a node by its name.
pub(crate) fn kind_named(name: &str) -> Option<Kind> {
    KINDS
        .iter()
        .find(|(_, spec)| spec.name == name)
        .map(|(kind, _)| *kind)
}

/// Whether some node of the language has this name, or has something in it that is called so.
pub(crate) fn is_known(name: &str) -> bool {
    kind_named(name).is_some() || STRUCTURE.iter().any(|spec| spec.name == name) || is_inside(name)
}

/// Whether some node has something in it that is called so.
pub(crate) fn is_inside(name: &str) -> bool {
    fn has(spec: &Spec, name: &str) -> bool {
        spec.field(name).is_some()
            || spec.child(name).is_some()
            || spec.nodes.iter().any(|child| has(child.spec, name))
    }
    KINDS.iter().any(|(_, spec)| has(spec, name))
}

/// Whether a name says that its value is a secret: for settings of which only the plugin knows the type.
pub(crate) fn names_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace('_', "-");
    [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "api-key",
        "apikey",
        "private-key",
    ]
    .iter()
    .any(|word| key.ends_with(word))
}
