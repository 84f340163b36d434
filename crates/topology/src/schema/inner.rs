//! The nodes inside nodes, and what all nodes are described with.

use super::Arity::{Many, Optional, Required};
use super::{Arity, Child, Field, Shape, Spec};
use crate::choice;
use crate::model::Kind;

pub(super) const fn field(
    key: &'static str,
    shape: Shape,
    arity: Arity,
    doc: &'static str,
) -> Field {
    Field {
        key,
        shape,
        arity,
        doc,
    }
}

pub(super) const fn name(doc: &'static str) -> Field {
    field("name", Shape::Text, Required, doc)
}

pub(super) const fn reference(
    key: &'static str,
    kind: Kind,
    arity: Arity,
    doc: &'static str,
) -> Field {
    field(key, Shape::Reference(kind), arity, doc)
}

pub(super) const fn optional(spec: &'static Spec) -> Child {
    Child {
        spec,
        arity: Optional,
    }
}

pub(super) const fn many(spec: &'static Spec) -> Child {
    Child { spec, arity: Many }
}

pub(super) const DESCRIPTION: Field = field(
    "description",
    Shape::Text,
    Optional,
    "What it is, for people.",
);
pub(super) const FAILURE_DOMAIN: Field = field(
    "failure-domain",
    Shape::Text,
    Optional,
    "What fails as a whole: a rack, a power feed, a host.",
);
pub(super) const TRANSPORT: Shape = Shape::Choice(choice::TRANSPORTS);
pub(super) const PORT: Field = field(
    "port",
    Shape::Integer(1, 65535),
    Optional,
    "SIP port of the PBXs.",
);
pub(super) const ACKNOWLEDGED: Child = many(&ACKNOWLEDGE);
/// Of a server, by what it serves.
pub(super) const DHCP_ROLES: &[&str] = &[choice::SERVER_ROLES[0], choice::SERVER_ROLES[1]];
pub(super) const DNS_ROLES: &[&str] = &[choice::SERVER_ROLES[0], choice::SERVER_ROLES[2]];
pub(super) const WEB: Shape = Shape::Url(&["http", "https"]);

/// A node that takes no settings but those of the language.
macro_rules! spec {
    ($id:ident, $name:literal, $doc:literal, [$($argument:expr),* $(,)?], [$($field:expr),* $(,)?], [$($child:expr),*]) => {
        pub(crate) static $id: Spec = Spec {
            name: $name,
            doc: $doc,
            arguments: &[$($argument),*],
            fields: &[$($field),*],
            nodes: &[$($child),*],
            open: false,
        };
    };
}

spec!(
    ACKNOWLEDGE,
    "acknowledge",
    "Accepts a finding in this node.",
    [field("code", Shape::Code, Required, "The finding's code.")],
    [
        field("reason", Shape::Text, Required, "Why it is accepted."),
        field(
            "until",
            Shape::Date,
            Optional,
            "Last day on which it is accepted."
        ),
    ],
    []
);

spec!(
    OBJECTIVE,
    "objective",
    "What the business accepts, worst case.",
    [],
    [
        field(
            "switch",
            Shape::Duration(false),
            Optional,
            "Time until devices work on the failover PBX."
        ),
        field(
            "return",
            Shape::Duration(false),
            Optional,
            "Time until devices work on the main PBX again."
        ),
    ],
    []
);

spec!(
    LARGE_CHANGE,
    "large-change",
    "From where on a change of one target is so large that `apply` must be told to make it.",
    [],
    [
        field(
            "percent",
            Shape::Integer(1, 100),
            Optional,
            "Share of its resources that may be changed or removed; 100 is no limit."
        ),
        field(
            "removals",
            Shape::Integer(0, 1_000_000),
            Optional,
            "How many resources may be removed."
        ),
    ],
    []
);

spec!(
    RETENTION,
    "retention",
    "Which generations `apply` and `gc` keep: those that one of both says. The last one always stays.",
    [],
    [
        field(
            "generations",
            Shape::Integer(1, 1_000_000),
            Optional,
            "So many of the last; 50 if it is not said."
        ),
        field(
            "younger-than",
            Shape::Duration(false),
            Optional,
            "Those that are younger, such as `90d`."
        ),
    ],
    []
);

spec!(
    KNOWN_DRIFT,
    "known-drift",
    "Accepts that a resource of the target is no longer as it was left.",
    [field(
        "address",
        Shape::Text,
        Required,
        "The resource, as `drift` names it."
    )],
    [
        field("reason", Shape::Text, Required, "Why it is accepted."),
        field(
            "until",
            Shape::Date,
            Optional,
            "Last day on which it is accepted."
        ),
    ],
    []
);

spec!(
    PLATFORM,
    "platform",
    "What a PBX runs on.",
    [field(
        "kind",
        Shape::Choice(choice::PLATFORMS),
        Required,
        "The vendor's hardware, or a virtual machine."
    )],
    [
        field(
            "cores",
            Shape::Integer(1, 4096),
            Optional,
            "Processor cores."
        ),
        field(
            "threads",
            Shape::Integer(1, 8192),
            Optional,
            "Processor threads."
        ),
        field("cpu", Shape::Text, Optional, "Processor, such as `xeon`."),
    ],
    []
);

spec!(
    LOCALE,
    "locale",
    "Language and region, which synchronisation does not carry.",
    [],
    [
        field("language", Shape::Language, Required, "ISO 639-1."),
        field("region", Shape::Region, Required, "ISO 3166-1 alpha-2."),
    ],
    []
);

spec!(
    WMS_MEMBER,
    "member",
    "A PBX of the WMS network: one of the pair by its name, or another site's.",
    [name("Name of the PBX.")],
    [
        field(
            "role",
            Shape::Choice(choice::WMS_ROLES),
            Required,
            "Its part in the WMS network."
        ),
        field(
            "hostname",
            Shape::Hostname,
            Optional,
            "Host name of a PBX that is not declared here."
        ),
    ],
    []
);

spec!(
    POOL,
    "pool",
    "Addresses to give out, both ends included.",
    [
        field("first", Shape::Address, Required, "First address."),
        field("last", Shape::Address, Required, "Last address.")
    ],
    [],
    []
);

spec!(
    DHCP_SERVER,
    "server",
    "A DHCP server of the service.",
    [name("Name of the server.")],
    [
        field("address", Shape::Address, Required, "Its address."),
        field(
            "role",
            Shape::Choice(DHCP_ROLES),
            Optional,
            "Its part; the first server is the primary."
        ),
        FAILURE_DOMAIN,
        reference("target", Kind::Target, Optional, "How it is configured."),
    ],
    []
);

spec!(
    DNS_SERVER,
    "server",
    "A DNS server of the zone.",
    [name("Name of the server.")],
    [
        field("address", Shape::Address, Required, "Its address."),
        field(
            "role",
            Shape::Choice(DNS_ROLES),
            Optional,
            "Its part; the first server is the primary."
        ),
        FAILURE_DOMAIN,
        reference("target", Kind::Target, Optional, "How it is configured."),
    ],
    []
);

spec!(
    DHCP_OPTION,
    "option",
    "A DHCP option for every client.",
    [
        field("code", Shape::OptionCode, Required, "Number of the option."),
        field("values", Shape::Loose, Many, "Its values.")
    ],
    [],
    []
);

spec!(
    RECORD,
    "record",
    "A DNS record.",
    [
        field(
            "name",
            Shape::Text,
            Required,
            "Relative to the zone, or absolute with a final dot; `@` is the zone."
        ),
        field(
            "type",
            Shape::RecordType,
            Required,
            "Record type, such as `A`."
        ),
        field("values", Shape::Loose, Many, "Its data, one value a field.")
    ],
    [],
    []
);

spec!(
    AUTH,
    "auth",
    "Credentials.",
    [field(
        "scheme",
        Shape::Scheme,
        Required,
        "How they are presented."
    )],
    [
        field("token", Shape::Secret, Optional, "Bearer token."),
        field(
            "user",
            Shape::Text,
            Optional,
            "User of basic authentication."
        ),
        field(
            "password",
            Shape::Secret,
            Optional,
            "Password of basic authentication."
        ),
        field(
            "app-id",
            Shape::Text,
            Optional,
            "Id of the application that signs requests to a WMS."
        ),
        field(
            "app-name",
            Shape::Text,
            Optional,
            "Name of the application that signs requests to a WMS."
        ),
        field(
            "secret",
            Shape::Secret,
            Optional,
            "Key with which requests to a WMS are signed."
        ),
    ],
    []
);

spec!(
    COMMAND,
    "command",
    "A command that a plugin may ask for by its name.",
    [
        name("Name of the command."),
        field(
            "argv",
            Shape::Text,
            Many,
            "Program and arguments; `{file}` becomes the path of a file."
        )
    ],
    [],
    []
);

pub(super) use spec;
