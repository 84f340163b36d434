//! The nodes of the top level.

use super::Arity::{Many, Optional, Required};
use super::inner::*;
use super::structure::{DEFAULTS, EXTENDS, IMPORT, INCLUDE, PARAM, REMOVE};
use super::{Child, Shape, Spec};
use crate::choice;
use crate::model::Kind;

/// Every kind of node, in the order in which the resolved form shows them.
pub(crate) static KINDS: &[(Kind, &Spec)] = &[
    (Kind::Site, &SITE),
    (Kind::Pbx, &PBX),
    (Kind::WmsNetwork, &WMS_NETWORK),
    (Kind::Sync, &SYNC),
    (Kind::Network, &NETWORK),
    (Kind::Dhcp, &DHCP),
    (Kind::Dns, &DNS),
    (Kind::Provisioning, &PROVISIONING),
    (Kind::User, &USER),
    (Kind::Device, &DEVICE),
    (Kind::Trunk, &TRUNK),
    (Kind::CallGroup, &CALL_GROUP),
    (Kind::Target, &TARGET),
];

/// The nodes that say how the document is put together.
pub(crate) static STRUCTURE: &[&Spec] = &[&EXTENDS, &PARAM, &REMOVE, &INCLUDE, &IMPORT, &DEFAULTS];

spec!(
    SITE,
    "site",
    "The failover pair as a whole.",
    [name("Name of the site.")],
    [
        DESCRIPTION,
        field(
            "mode",
            Shape::Choice(choice::MODES),
            Required,
            "How the pair shares the work."
        ),
        field(
            "state",
            Shape::Text,
            Optional,
            "Where state is kept: a folder, or the URL of an object store."
        ),
        field(
            "require-tls",
            Shape::Boolean,
            Optional,
            "Whether a device without encrypted signalling is an error."
        ),
        field(
            "uses",
            Shape::Choice(choice::FEATURES),
            Many,
            "Features that every user uses."
        ),
    ],
    [
        optional(&OBJECTIVE),
        optional(&LARGE_CHANGE),
        optional(&RETENTION),
        ACKNOWLEDGED
    ]
);

spec!(
    PBX,
    "pbx",
    "One PBX of the pair.",
    [name("Name of the PBX.")],
    [
        DESCRIPTION,
        field(
            "role",
            Shape::Choice(choice::PBX_ROLES),
            Required,
            "Its part in the pair."
        ),
        field(
            "hostname",
            Shape::Hostname,
            Required,
            "Host name by which devices reach it."
        ),
        field("address", Shape::Address, Required, "Its address."),
        field("wms", Shape::Version, Required, "WMS version that it runs."),
        field(
            "users",
            Shape::Integer(0, 1_000_000),
            Optional,
            "Users that it carries."
        ),
        FAILURE_DOMAIN,
        reference("target", Kind::Target, Optional, "How it is configured."),
    ],
    [
        Child {
            spec: &PLATFORM,
            arity: Required
        },
        optional(&LOCALE),
        ACKNOWLEDGED
    ]
);

spec!(
    WMS_NETWORK,
    "wms-network",
    "The WMS network that the PBXs are members of.",
    [],
    [DESCRIPTION],
    [many(&WMS_MEMBER), ACKNOWLEDGED]
);

spec!(
    SYNC,
    "sync",
    "Synchronisation of the configuration.",
    [],
    [
        DESCRIPTION,
        reference("from", Kind::Pbx, Required, "PBX that has the original."),
        reference("to", Kind::Pbx, Required, "PBX that gets the copy."),
        field(
            "every",
            Shape::Duration(false),
            Required,
            "Time from one run to the next."
        ),
    ],
    [ACKNOWLEDGED]
);

spec!(
    NETWORK,
    "network",
    "A network of devices.",
    [name("Name of the network.")],
    [
        DESCRIPTION,
        field("subnet", Shape::Subnet, Required, "Its addresses."),
        field("gateway", Shape::Address, Optional, "Default router."),
        field("vlan", Shape::Integer(1, 4094), Optional, "VLAN number."),
        field(
            "dns",
            Shape::Address,
            Many,
            "DNS servers, the primary one first."
        ),
        field("ntp", Shape::Address, Many, "Time servers."),
        field("domain", Shape::Domain, Optional, "Domain of its devices."),
        reference("dhcp", Kind::Dhcp, Optional, "Who gives out its addresses."),
        reference(
            "provisioning",
            Kind::Provisioning,
            Optional,
            "Where its devices get their configuration."
        ),
    ],
    [optional(&POOL), ACKNOWLEDGED]
);

spec!(
    DHCP,
    "dhcp",
    "A DHCP service.",
    [name("Name of the service.")],
    [
        DESCRIPTION,
        field(
            "lease",
            Shape::Duration(false),
            Optional,
            "How long a lease lasts."
        )
    ],
    [many(&DHCP_SERVER), many(&DHCP_OPTION), ACKNOWLEDGED]
);

spec!(
    DNS,
    "dns",
    "A DNS zone.",
    [field(
        "name",
        Shape::Domain,
        Required,
        "Domain of the zone."
    )],
    [
        DESCRIPTION,
        field(
            "ttl",
            Shape::Duration(true),
            Optional,
            "How long answers may be kept."
        )
    ],
    [many(&DNS_SERVER), many(&RECORD), ACKNOWLEDGED]
);

spec!(
    PROVISIONING,
    "provisioning",
    "Where devices get their configuration.",
    [name("Name of the service.")],
    [
        DESCRIPTION,
        field(
            "url",
            Shape::Url(&["http", "https", "tftp", "ftp"]),
            Required,
            "Where devices fetch their files."
        ),
        field(
            "dhcp-option",
            Shape::Integer(1, 254),
            Optional,
            "DHCP option that tells devices the URL."
        ),
        reference("target", Kind::Target, Optional, "How it is filled."),
    ],
    [ACKNOWLEDGED]
);

spec!(
    USER,
    "user",
    "A user, by extension.",
    [field(
        "extension",
        Shape::Extension,
        Required,
        "Internal number."
    )],
    [
        DESCRIPTION,
        field("name", Shape::Text, Required, "Name on displays."),
        reference("pbx", Kind::Pbx, Required, "Home PBX."),
        field("email", Shape::Email, Optional, "Mail address."),
        field(
            "sip-password",
            Shape::Secret,
            Optional,
            "Password of the SIP account."
        ),
        field(
            "uses",
            Shape::Choice(choice::FEATURES),
            Many,
            "Features that the user uses."
        ),
    ],
    [ACKNOWLEDGED]
);

spec!(
    DEVICE,
    "device",
    "A telephone, gateway or client.",
    [name("Name of the device.")],
    [
        DESCRIPTION,
        field(
            "model",
            Shape::Text,
            Required,
            "Model by its name in the catalogue."
        ),
        field("mac", Shape::Mac, Optional, "Hardware address."),
        reference("user", Kind::User, Optional, "Who uses it."),
        reference("network", Kind::Network, Optional, "Where it is connected."),
        field("firmware", Shape::Version, Optional, "Firmware version."),
        field(
            "year",
            Shape::Integer(1990, 2100),
            Optional,
            "Year of production."
        ),
        field(
            "address",
            Shape::Address,
            Optional,
            "Address reserved for it."
        ),
        field(
            "transport",
            TRANSPORT,
            Optional,
            "What carries its signalling."
        ),
        PORT,
        field(
            "failover-by",
            Shape::Choice(choice::FAILOVER_BY),
            Optional,
            "How it learns of the failover PBX."
        ),
    ],
    [ACKNOWLEDGED]
);

spec!(
    TRUNK,
    "trunk",
    "A SIP trunk.",
    [name("Name of the trunk.")],
    [
        DESCRIPTION,
        field(
            "direction",
            Shape::Choice(choice::TRUNK_DIRECTIONS),
            Required,
            "Which way calls are set up."
        ),
        field(
            "provider",
            Shape::Host,
            Required,
            "Address or host name of the provider."
        ),
        reference(
            "register-to",
            Kind::Pbx,
            Many,
            "PBXs that the provider registers to."
        ),
        field(
            "transport",
            TRANSPORT,
            Optional,
            "What carries its signalling."
        ),
        PORT,
    ],
    [ACKNOWLEDGED]
);

spec!(
    CALL_GROUP,
    "call-group",
    "A call group.",
    [name("Name of the group.")],
    [
        DESCRIPTION,
        field(
            "strategy",
            Shape::Text,
            Required,
            "How calls are spread, such as `linear` or `call-all-32`."
        ),
        reference("member", Kind::User, Many, "Its users."),
        reference("on", Kind::Pbx, Optional, "Where it is configured."),
    ],
    [ACKNOWLEDGED]
);

pub(crate) static TARGET: Spec = Spec {
    name: "target",
    doc: "One place that a plugin configures.",
    arguments: &[name("Name of the target.")],
    fields: &[
        DESCRIPTION,
        field("plugin", Shape::Text, Required, "Name of the plugin."),
        field("endpoint", WEB, Optional, "Base URL of an HTTP interface."),
        field(
            "ca",
            Shape::Text,
            Optional,
            "A PEM file of certificates that are trusted at the endpoint beside those of the system.",
        ),
        field("root", Shape::Root, Optional, "A folder, or `ssh://…`."),
        field(
            "templates",
            Shape::Text,
            Optional,
            "A folder of templates that override the plugin's own.",
        ),
    ],
    nodes: &[
        optional(&AUTH),
        many(&COMMAND),
        optional(&LARGE_CHANGE),
        many(&KNOWN_DRIFT),
        ACKNOWLEDGED,
    ],
    open: true,
};
