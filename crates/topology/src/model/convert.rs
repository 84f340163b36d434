//! Elements → the model, and back for everything that shows it.

use super::*;
use crate::element::{Element, Scalar, Value};
use crate::schema;

/// A type of the model that is one node in the document.
trait Model: Sized {
    /// None where something required is not there; that has been reported then.
    fn read(element: &Element) -> Option<Self>;
    fn write(&self) -> Element;
}

/// How the fields of the model are taken from an element. The outer option is none where the node cannot be built.
mod take {
    use super::*;

    pub(super) fn required<T: Value>(element: &Element, key: &str) -> Option<Spanned<T>> {
        let value = element.value(key)?;
        T::from_scalar(&value.value).map(|of| Spanned::new(of, value.span))
    }

    #[expect(clippy::option_option, reason = "absent is not the same as impossible")]
    pub(super) fn optional<T: Value>(element: &Element, key: &str) -> Option<Option<Spanned<T>>> {
        Some(required(element, key))
    }

    pub(super) fn many<T: Value>(element: &Element, key: &str) -> Option<Vec<Spanned<T>>> {
        let values = element.values_of(key);
        Some(
            values
                .filter_map(|value| {
                    T::from_scalar(&value.value).map(|of| Spanned::new(of, value.span))
                })
                .collect(),
        )
    }

    pub(super) fn node<M: Model>(element: &Element, name: &str) -> Option<M> {
        element.nodes_of(name).next().and_then(M::read)
    }

    #[expect(clippy::option_option, reason = "absent is not the same as impossible")]
    pub(super) fn maybe<M: Model>(element: &Element, name: &str) -> Option<Option<M>> {
        Some(node(element, name))
    }

    pub(super) fn nodes<M: Model>(element: &Element, name: &str) -> Option<Vec<M>> {
        Some(element.nodes_of(name).filter_map(M::read).collect())
    }

    pub(super) fn named<M: Model + Node>(element: &Element, name: &str) -> Option<Named<M>> {
        let mut named = Named::default();
        for node in element.nodes_of(name).filter_map(M::read) {
            // A second one of the same name has been reported.
            let _ = named.insert(node);
        }
        Some(named)
    }
}

/// The other way.
mod give {
    use super::*;

    pub(super) fn required<T: Value>(element: &mut Element, key: &'static str, value: &Spanned<T>) {
        element
            .values
            .push((key, Spanned::new(value.value.to_scalar(), value.span)));
    }

    pub(super) fn optional<T: Value>(
        element: &mut Element,
        key: &'static str,
        value: &Option<Spanned<T>>,
    ) {
        value.iter().for_each(|value| required(element, key, value));
    }

    pub(super) fn many<T: Value>(element: &mut Element, key: &'static str, values: &[Spanned<T>]) {
        values
            .iter()
            .for_each(|value| required(element, key, value));
    }

    pub(super) fn node<M: Model>(element: &mut Element, _: &'static str, node: &M) {
        element.nodes.push(node.write());
    }

    pub(super) fn maybe<M: Model>(element: &mut Element, _: &'static str, node: &Option<M>) {
        element.nodes.extend(node.iter().map(M::write));
    }

    pub(super) fn nodes<M: Model>(element: &mut Element, _: &'static str, nodes: &[M]) {
        element.nodes.extend(nodes.iter().map(M::write));
    }

    pub(super) fn named<M: Model + Node>(element: &mut Element, _: &'static str, nodes: &Named<M>) {
        element.nodes.extend(nodes.iter().map(M::write));
    }
}

/// Binds the fields of a type to the keys of its node, both ways.
macro_rules! model {
    ($type:ident = $spec:ident { $($field:ident: $how:ident $key:literal),* $(,)? }) => {
        impl Model for $type {
            fn read(element: &Element) -> Option<Self> {
                Some(Self { span: element.span, $($field: take::$how(element, $key)?),* })
            }

            fn write(&self) -> Element {
                let mut element = Element::new(&schema::$spec, self.span);
                $(give::$how(&mut element, $key, &self.$field);)*
                element
            }
        }
    };
}

model!(Acknowledge = ACKNOWLEDGE { code: required "code", reason: required "reason", until: optional "until" });
model!(Objective = OBJECTIVE { switch: optional "switch", r#return: optional "return" });
model!(LargeChange = LARGE_CHANGE { percent: optional "percent", removals: optional "removals" });
model!(Retention = RETENTION { generations: optional "generations", younger_than: optional "younger-than" });
model!(KnownDrift = KNOWN_DRIFT { address: required "address", reason: required "reason", until: optional "until" });
model!(Platform = PLATFORM {
    kind: required "kind",
    cores: optional "cores",
    threads: optional "threads",
    cpu: optional "cpu",
});
model!(Locale = LOCALE { language: required "language", region: required "region" });
model!(WmsMember = WMS_MEMBER { name: required "name", role: required "role", hostname: optional "hostname" });
model!(Pool = POOL { first: required "first", last: required "last" });
// DHCP and DNS servers hold the same; which roles they may have was checked when they were read.
model!(Server = DHCP_SERVER {
    name: required "name",
    address: required "address",
    role: optional "role",
    failure_domain: optional "failure-domain",
    target: optional "target",
});
model!(DhcpOption = DHCP_OPTION { code: required "code", values: many "values" });
model!(Record = RECORD { name: required "name", rtype: required "type", values: many "values" });
model!(Command = COMMAND { name: required "name", argv: many "argv" });

model!(Site = SITE {
    name: required "name",
    mode: required "mode",
    description: optional "description",
    objective: maybe "objective",
    large_change: maybe "large-change",
    retention: maybe "retention",
    state: optional "state",
    require_tls: optional "require-tls",
    uses: many "uses",
    acknowledge: nodes "acknowledge",
});
model!(Pbx = PBX {
    name: required "name",
    description: optional "description",
    role: required "role",
    hostname: required "hostname",
    address: required "address",
    wms: required "wms",
    platform: node "platform",
    users: optional "users",
    locale: maybe "locale",
    failure_domain: optional "failure-domain",
    target: optional "target",
    acknowledge: nodes "acknowledge",
});
model!(WmsNetwork = WMS_NETWORK {
    description: optional "description",
    members: nodes "member",
    acknowledge: nodes "acknowledge",
});
model!(Sync = SYNC {
    description: optional "description",
    from: required "from",
    to: required "to",
    every: required "every",
    acknowledge: nodes "acknowledge",
});
model!(Network = NETWORK {
    name: required "name",
    description: optional "description",
    subnet: required "subnet",
    gateway: optional "gateway",
    vlan: optional "vlan",
    pool: maybe "pool",
    dns: many "dns",
    ntp: many "ntp",
    domain: optional "domain",
    dhcp: optional "dhcp",
    provisioning: optional "provisioning",
    acknowledge: nodes "acknowledge",
});
model!(Dhcp = DHCP {
    name: required "name",
    description: optional "description",
    servers: named "server",
    lease: optional "lease",
    options: nodes "option",
    acknowledge: nodes "acknowledge",
});
model!(Dns = DNS {
    name: required "name",
    description: optional "description",
    servers: named "server",
    ttl: optional "ttl",
    records: nodes "record",
    acknowledge: nodes "acknowledge",
});
model!(Provisioning = PROVISIONING {
    name: required "name",
    description: optional "description",
    url: required "url",
    dhcp_option: optional "dhcp-option",
    target: optional "target",
    acknowledge: nodes "acknowledge",
});
model!(Device = DEVICE {
    name: required "name",
    description: optional "description",
    model: required "model",
    mac: optional "mac",
    user: optional "user",
    network: optional "network",
    firmware: optional "firmware",
    year: optional "year",
    address: optional "address",
    transport: optional "transport",
    port: optional "port",
    failover_by: optional "failover-by",
    acknowledge: nodes "acknowledge",
});
model!(Trunk = TRUNK {
    name: required "name",
    description: optional "description",
    direction: required "direction",
    provider: required "provider",
    register_to: many "register-to",
    transport: optional "transport",
    port: optional "port",
    acknowledge: nodes "acknowledge",
});
model!(CallGroup = CALL_GROUP {
    name: required "name",
    description: optional "description",
    strategy: required "strategy",
    members: many "member",
    on: optional "on",
    acknowledge: nodes "acknowledge",
});

impl Model for User {
    fn read(element: &Element) -> Option<Self> {
        let extension: Spanned<Extension> = take::required(element, "extension")?;
        Some(Self {
            span: element.span,
            name: Spanned::new(extension.value.as_str().to_owned(), extension.span),
            extension: extension.value,
            description: take::optional(element, "description")?,
            display_name: take::required(element, "name")?,
            pbx: take::required(element, "pbx")?,
            email: take::optional(element, "email")?,
            sip_password: take::optional(element, "sip-password")?,
            uses: take::many(element, "uses")?,
            acknowledge: take::nodes(element, "acknowledge")?,
        })
    }

    fn write(&self) -> Element {
        let mut element = Element::new(&schema::USER, self.span);
        give::required(
            &mut element,
            "extension",
            &Spanned::new(self.extension.clone(), self.name.span),
        );
        give::optional(&mut element, "description", &self.description);
        give::required(&mut element, "name", &self.display_name);
        give::required(&mut element, "pbx", &self.pbx);
        give::optional(&mut element, "email", &self.email);
        give::optional(&mut element, "sip-password", &self.sip_password);
        give::many(&mut element, "uses", &self.uses);
        give::nodes(&mut element, "acknowledge", &self.acknowledge);
        element
    }
}

impl Model for Auth {
    fn read(element: &Element) -> Option<Self> {
        let scheme: Spanned<String> = take::required(element, "scheme")?;
        match scheme.value.as_str() {
            "bearer" => Some(Self::Bearer {
                token: take::required(element, "token")?,
            }),
            "basic" => {
                let (user, password) = (
                    take::required(element, "user")?,
                    take::required(element, "password")?,
                );
                Some(Self::Basic { user, password })
            }
            "s2s" => Some(Self::Signed {
                app_id: take::required(element, "app-id")?,
                app_name: take::required(element, "app-name")?,
                secret: take::required(element, "secret")?,
            }),
            _ => None,
        }
    }

    fn write(&self) -> Element {
        let scheme = |name: &str, span| Spanned::new(Scalar::Text(name.into()), span);
        match self {
            Self::Bearer { token } => {
                let mut element = Element::new(&schema::AUTH, token.span);
                element
                    .values
                    .push(("scheme", scheme("bearer", token.span)));
                give::required(&mut element, "token", token);
                element
            }
            Self::Basic { user, password } => {
                let mut element = Element::new(&schema::AUTH, user.span);
                element.values.push(("scheme", scheme("basic", user.span)));
                give::required(&mut element, "user", user);
                give::required(&mut element, "password", password);
                element
            }
            Self::Signed {
                app_id,
                app_name,
                secret,
            } => {
                let mut element = Element::new(&schema::AUTH, app_id.span);
                element.values.push(("scheme", scheme("s2s", app_id.span)));
                give::required(&mut element, "app-id", app_id);
                give::required(&mut element, "app-name", app_name);
                give::required(&mut element, "secret", secret);
                element
            }
        }
    }
}

impl Model for Target {
    fn read(element: &Element) -> Option<Self> {
        Some(Self {
            span: element.span,
            name: take::required(element, "name")?,
            description: take::optional(element, "description")?,
            plugin: take::required(element, "plugin")?,
            endpoint: take::optional(element, "endpoint")?,
            auth: take::maybe(element, "auth")?,
            ca: take::optional(element, "ca")?,
            root: take::optional(element, "root")?,
            templates: take::optional(element, "templates")?,
            commands: take::nodes(element, "command")?,
            large_change: take::maybe(element, "large-change")?,
            known_drift: take::nodes(element, "known-drift")?,
            settings: element.settings.clone(),
            acknowledge: take::nodes(element, "acknowledge")?,
        })
    }

    fn write(&self) -> Element {
        let mut element = Element::new(&schema::TARGET, self.span);
        give::required(&mut element, "name", &self.name);
        give::optional(&mut element, "description", &self.description);
        give::required(&mut element, "plugin", &self.plugin);
        give::optional(&mut element, "endpoint", &self.endpoint);
        give::maybe(&mut element, "auth", &self.auth);
        give::optional(&mut element, "ca", &self.ca);
        give::optional(&mut element, "root", &self.root);
        give::optional(&mut element, "templates", &self.templates);
        give::nodes(&mut element, "command", &self.commands);
        give::maybe(&mut element, "large-change", &self.large_change);
        give::nodes(&mut element, "known-drift", &self.known_drift);
        element.settings = self.settings.clone();
        give::nodes(&mut element, "acknowledge", &self.acknowledge);
        element
    }
}

/// Builds the model from what is whole. Of several nodes with one name the first counts. A target counts even if a part
/// of it was refused: the rest of it can be checked against its plugin all the same.
pub(crate) fn build(nodes: Vec<(Kind, Element)>) -> Topology {
    fn once<M: Model>(place: &mut Option<M>, element: &Element) {
        if place.is_none() {
            *place = M::read(element);
        }
    }
    fn add<M: Model + Node>(place: &mut Named<M>, element: &Element) {
        if let Some(node) = M::read(element) {
            // A second one of the same name has been reported.
            let _ = place.insert(node);
        }
    }
    let mut topology = Topology::default();
    let many = |kind| nodes.iter().filter(|(of, _)| *of == kind).count();
    topology.users.reserve(many(Kind::User));
    topology.devices.reserve(many(Kind::Device));
    let counts = |kind: Kind, element: &Element| !element.broken || kind == Kind::Target;
    for (kind, element) in nodes
        .into_iter()
        .filter(|(kind, element)| counts(*kind, element))
    {
        let element = &element;
        match kind {
            Kind::Site => once(&mut topology.site, element),
            Kind::Pbx => add(&mut topology.pbxs, element),
            Kind::WmsNetwork => once(&mut topology.wms_network, element),
            Kind::Sync => once(&mut topology.sync, element),
            Kind::Network => add(&mut topology.networks, element),
            Kind::Dhcp => add(&mut topology.dhcp, element),
            Kind::Dns => add(&mut topology.dns, element),
            Kind::Provisioning => add(&mut topology.provisioning, element),
            Kind::User => add(&mut topology.users, element),
            Kind::Device => add(&mut topology.devices, element),
            Kind::Trunk => add(&mut topology.trunks, element),
            Kind::CallGroup => add(&mut topology.call_groups, element),
            Kind::Target => add(&mut topology.targets, element),
        }
    }
    topology
}

/// The nodes of a kind, in file order.
pub(crate) fn elements(topology: &Topology, kind: Kind) -> Vec<Element> {
    fn all<'a, M: Model + 'a>(nodes: impl IntoIterator<Item = &'a M>) -> Vec<Element> {
        nodes.into_iter().map(M::write).collect()
    }
    match kind {
        Kind::Site => all(&topology.site),
        Kind::Pbx => all(&topology.pbxs),
        Kind::WmsNetwork => all(&topology.wms_network),
        Kind::Sync => all(&topology.sync),
        Kind::Network => all(&topology.networks),
        Kind::Dhcp => all(&topology.dhcp),
        Kind::Dns => all(&topology.dns),
        Kind::Provisioning => all(&topology.provisioning),
        Kind::User => all(&topology.users),
        Kind::Device => all(&topology.devices),
        Kind::Trunk => all(&topology.trunks),
        Kind::CallGroup => all(&topology.call_groups),
        Kind::Target => all(&topology.targets),
    }
}
