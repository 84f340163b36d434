//! The topology as one target may see it: only what bears on the target, defaults applied, catalogue facts filled in.
//!
//! What every DHCP or DNS plugin would have to derive alike (options, records, the transport of a model) is derived
//! here once.

pub(crate) mod offers;
mod options;
mod records;

use std::collections::BTreeSet;
use std::time::Duration;

use switchover_catalogue as catalogue;
use switchover_effects::placeholder::escape_literals;
use switchover_plugin_host::wit;
use switchover_topology::model::{self, Device, Network, PbxRole, Target, WmsRole};
use switchover_topology::{Diagnostic, Severity, Topology};

use crate::plan::Wave;
use crate::secrets::{RunSecrets, sip_password_name};

/// RFC 2131 leaves the lease to the server; eight hours outlive any failover and a working day's absence.
const DEFAULT_LEASE: u32 = 8 * 60 * 60;

/// Says in a view that nobody documents how a device signals; its transport then means nothing.
const UNKNOWN_PORT: u16 = 0;

/// A place in the topology that names the target.
#[derive(Debug, Clone, Copy)]
enum Role<'a> {
    Pbx(&'a model::Pbx),
    Dhcp {
        service: &'a model::Dhcp,
        server: &'a model::Server,
    },
    Dns {
        zone: &'a model::Dns,
        server: &'a model::Server,
    },
    Provisioning(&'a model::Provisioning),
}

/// Where a target stands in a topology.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    topology: &'a Topology,
    target: &'a Target,
    roles: Vec<Role<'a>>,
}

impl<'a> Scope<'a> {
    /// The roles of a target, in file order of their kinds.
    pub(crate) fn of(topology: &'a Topology, target: &'a Target) -> Self {
        let named = |place: &Option<switchover_topology::Spanned<String>>| {
            place
                .as_ref()
                .is_some_and(|name| name.value == target.name.value)
        };
        let mut roles = Vec::new();
        roles.extend(
            topology
                .pbxs
                .iter()
                .filter(|pbx| named(&pbx.target))
                .map(Role::Pbx),
        );
        for service in &topology.dhcp {
            let servers = service
                .servers
                .iter()
                .filter(|server| named(&server.target));
            roles.extend(servers.map(|server| Role::Dhcp { service, server }));
        }
        for zone in &topology.dns {
            let servers = zone.servers.iter().filter(|server| named(&server.target));
            roles.extend(servers.map(|server| Role::Dns { zone, server }));
        }
        let provisioning = topology
            .provisioning
            .iter()
            .filter(|service| named(&service.target));
        roles.extend(provisioning.map(Role::Provisioning));
        Self {
            topology,
            target,
            roles,
        }
    }

    /// Nothing in the topology names the target.
    pub(crate) const fn is_empty(&self) -> bool {
        self.roles.is_empty()
    }

    /// The latest turn among the roles: what else the target does must wait for it.
    pub(crate) fn wave(&self) -> Wave {
        let wave_of = |role: &Role<'_>| match role {
            Role::Pbx(pbx) if pbx.role.value == PbxRole::Main => Wave::MainPbx,
            Role::Pbx(_) => Wave::StandbyPbx,
            Role::Dns { .. } => Wave::Dns,
            Role::Provisioning(_) => Wave::Provisioning,
            Role::Dhcp { .. } => Wave::Dhcp,
        };
        self.roles.iter().map(wave_of).max().unwrap_or(Wave::Dhcp)
    }

    fn has_pbx_role(&self) -> bool {
        self.roles.iter().any(|role| matches!(role, Role::Pbx(_)))
    }

    fn serves_dhcp(&self, name: &str) -> bool {
        self.roles
            .iter()
            .any(|role| matches!(role, Role::Dhcp { service, .. } if service.name.value == name))
    }

    fn provisions(&self, name: &str) -> bool {
        self.roles
            .iter()
            .any(|role| matches!(role, Role::Provisioning(service) if service.name.value == name))
    }

    fn networks(&self) -> Vec<&'a Network> {
        let concerned = |network: &&Network| {
            self.has_pbx_role()
                || network
                    .dhcp
                    .as_ref()
                    .is_some_and(|name| self.serves_dhcp(name))
                || network
                    .provisioning
                    .as_ref()
                    .is_some_and(|name| self.provisions(name))
        };
        self.topology.networks.iter().filter(concerned).collect()
    }

    fn devices(&self, networks: &BTreeSet<&str>) -> Vec<&'a Device> {
        let concerned = |device: &&Device| {
            self.has_pbx_role()
                || device
                    .network
                    .as_ref()
                    .is_some_and(|name| networks.contains(name.as_str()))
        };
        self.topology.devices.iter().filter(concerned).collect()
    }

    /// Secrets that may stand in this target's files and requests.
    pub(crate) fn secret_names(&self) -> BTreeSet<String> {
        let networks: BTreeSet<&str> = self
            .networks()
            .iter()
            .map(|network| network.name.as_str())
            .collect();
        let users: BTreeSet<&str> = self.users(&self.devices(&networks));
        let users = users
            .iter()
            .filter_map(|name| self.topology.users.get(name));
        users
            .filter(|user| user.sip_password.is_some())
            .map(sip_password_name)
            .collect()
    }

    /// Names of the users whose telephones are concerned; with a PBX, all of them.
    fn users(&self, devices: &[&'a Device]) -> BTreeSet<&'a str> {
        if self.has_pbx_role() {
            return self
                .topology
                .users
                .iter()
                .map(|user| user.name.as_str())
                .collect();
        }
        devices
            .iter()
            .filter_map(|device| device.user.as_ref())
            .map(|name| name.as_str())
            .collect()
    }

    /// The view of this target, or what keeps a device from being configured.
    pub(crate) fn view(&self, secrets: &RunSecrets) -> Result<wit::View, Vec<Diagnostic>> {
        let topology = self.topology;
        let networks = self.networks();
        let network_names: BTreeSet<&str> = networks
            .iter()
            .map(|network| network.name.as_str())
            .collect();
        let devices = self.devices(&network_names);
        let users = self.users(&devices);

        let mut faults = Vec::new();
        let mut seen = Vec::with_capacity(devices.len());
        for device in &devices {
            match self.device(device) {
                Ok(device) => seen.push(device),
                Err(fault) => faults.push(*fault),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }

        let user_concerned = |user: &&model::User| users.contains(user.name.as_str());
        let dhcp_concerned =
            |service: &&model::Dhcp| self.has_pbx_role() || self.serves_dhcp(&service.name);
        let provisioning_concerned = |service: &&model::Provisioning| {
            self.provisions(&service.name)
                || networks
                    .iter()
                    .any(|network| network.provisioning.as_deref() == Some(&service.name.value))
        };
        let zones = self.roles.iter().filter_map(|role| match role {
            Role::Dns { zone, .. } => Some(*zone),
            _ => None,
        });
        let mut zone_names = BTreeSet::new();

        Ok(wit::View {
            site: self.site(),
            roles: self.roles.iter().map(role).collect(),
            pbxs: topology.pbxs.iter().map(pbx).collect(),
            wms_members: topology
                .wms_network
                .iter()
                .flat_map(|network| &network.members)
                .map(wms_member)
                .collect(),
            sync: topology.sync.as_ref().map(|sync| wit::Sync {
                source: text(&sync.from),
                destination: text(&sync.to),
                every_seconds: seconds(sync.every.value),
            }),
            networks: networks
                .iter()
                .map(|network| self.network(network, &devices))
                .collect(),
            dhcp: topology
                .dhcp
                .iter()
                .filter(dhcp_concerned)
                .map(dhcp)
                .collect(),
            zones: zones
                .filter(|zone| zone_names.insert(zone.name.as_str()))
                .map(|zone| self.zone(zone))
                .collect(),
            provisioning: topology
                .provisioning
                .iter()
                .filter(provisioning_concerned)
                .map(provisioning)
                .collect(),
            users: topology
                .users
                .iter()
                .filter(user_concerned)
                .map(|one| user(one, secrets))
                .collect(),
            devices: seen,
            trunks: if self.has_pbx_role() {
                topology.trunks.iter().map(trunk).collect()
            } else {
                Vec::new()
            },
            call_groups: if self.has_pbx_role() {
                topology.call_groups.iter().map(call_group).collect()
            } else {
                Vec::new()
            },
        })
    }

    fn site(&self) -> wit::Site {
        let site = self.topology.site.as_ref();
        wit::Site {
            name: site.map_or_else(String::new, |site| text(&site.name)),
            mode: match site.map(|site| site.mode.value) {
                Some(model::Mode::LoadSharing) => wit::Mode::LoadSharing,
                Some(model::Mode::HotStandby) | None => wit::Mode::HotStandby,
            },
        }
    }

    fn network(&self, network: &Network, devices: &[&Device]) -> wit::Network {
        let here = |device: &&&Device| device.network.as_deref() == Some(&network.name.value);
        let ouis: BTreeSet<String> = devices
            .iter()
            .filter(here)
            .filter_map(|device| device.mac.as_ref())
            .map(|mac| {
                mac.value
                    .to_string()
                    .chars()
                    .take("9c:75:14".len())
                    .collect()
            })
            .collect();
        wit::Network {
            name: text(&network.name),
            subnet: network.subnet.trunc().to_string(),
            gateway: network
                .gateway
                .as_ref()
                .map(|gateway| gateway.value.to_string()),
            vlan: network.vlan.as_ref().map(|vlan| vlan.value),
            pool: network.pool.as_ref().map(|pool| wit::Pool {
                first: pool.first.value.to_string(),
                last: pool.last.value.to_string(),
            }),
            domain: network.domain.as_ref().map(|domain| text(domain)),
            dhcp: network.dhcp.as_ref().map(|name| text(name)),
            provisioning: network.provisioning.as_ref().map(|name| text(name)),
            options: options::for_everybody(self.topology, network),
            phone_options: options::for_phones(self.topology, network),
            phone_ouis: ouis.into_iter().collect(),
        }
    }

    fn zone(&self, zone: &model::Dns) -> wit::Zone {
        wit::Zone {
            name: text(&zone.name),
            servers: servers(&zone.servers, wit::ServerRole::Secondary),
            ttl_seconds: zone
                .ttl
                .as_ref()
                .map_or(records::DEFAULT_TTL, |ttl| seconds(ttl.value)),
            records: records::of_zone(self.topology, zone),
        }
    }

    /// The WMS versions of the pair, the main PBX's first.
    fn versions(&self) -> Vec<&'a catalogue::DottedVersion> {
        let of_role = |role| {
            let pbxs = self.topology.pbxs.iter();
            pbxs.filter(move |pbx| pbx.role.value == role)
                .map(|pbx| &pbx.wms.value)
        };
        of_role(PbxRole::Main)
            .chain(of_role(PbxRole::Failover))
            .collect()
    }

    /// Whether a provisioning file can be written for devices of this model: the catalogue knows its format, or the
    /// target's settings name one (`families "MODEL=FAMILY"`).
    fn writes_file_of(&self, model: &catalogue::Model) -> bool {
        let named = |text: &str| {
            text.split_once('=')
                .is_some_and(|(of, _)| catalogue::model(of).is_some_and(|of| of.name == model.name))
        };
        let in_settings = |setting: &model::Setting| match &setting.value {
            serde_json::Value::String(text) => named(text),
            serde_json::Value::Array(texts) => {
                texts.iter().filter_map(|text| text.as_str()).any(named)
            }
            _ => false,
        };
        model.templates.is_some() || self.target.settings.values().any(in_settings)
    }

    /// Model, transport and port come from the catalogue, for the WMS versions of both PBXs, because both serve the
    /// device; the topology may say otherwise. What neither says is refused rather than guessed, unless no file
    /// could hold it anyway: nobody can declare how a model signals that failover does not even carry.
    fn device(&self, device: &Device) -> Result<wit::Device, Box<Diagnostic>> {
        let refuse = |message: String, help: &str| {
            Box::new(Diagnostic {
                code: "SW003".to_owned(),
                name: "bad-value".to_owned(),
                severity: Severity::Error,
                message,
                help: Some(help.to_owned()),
                span: Some(device.model.span),
                label: None,
                related: Vec::new(),
                acknowledged: None,
            })
        };
        let model = catalogue::model(&device.model).ok_or_else(|| {
            let message = format!("model `{}` is not in the catalogue", device.model.value);
            let nearest = catalogue::nearest_model(&device.model)
                .map(|model| format!("did you mean `{model}`?"));
            refuse(
                message,
                nearest
                    .as_deref()
                    .unwrap_or("models are named as in the vendor's guide, such as `WP480`"),
            )
        })?;
        let versions = self.versions();
        let year = device.year.as_ref().map(|year| year.value);
        let on_both = catalogue::signalling_on_all(model, versions.iter().copied(), year);
        // Where no PBX is declared yet, as after an import, what the newest documents say stands for it.
        let documented = match versions.first() {
            Some(_) => on_both.clone(),
            None => catalogue::newest_signalling(model),
        };
        let transport = match (&device.transport, &documented) {
            (Some(transport), _) => Some(transport.value),
            (None, Some(signalling)) => signalling.transports.first().copied(),
            (None, None) => None,
        };
        let port = device
            .port
            .as_ref()
            .map(|port| port.value)
            .or(documented.as_ref().map(|signalling| signalling.port));
        let signalling = match (transport, port) {
            (None, None) if !self.writes_file_of(model) => {
                Some((catalogue::Transport::Udp, UNKNOWN_PORT))
            }
            (transport, port) => transport.zip(port),
        };
        let Some((transport, port)) = signalling else {
            let version = versions
                .first()
                .map_or_else(String::new, |wms| format!(" on WMS {wms}"));
            return Err(refuse(
                format!("no source documents how `{}` signals{version}", model.name),
                "declare `transport=` and `port=` on the device",
            ));
        };
        Ok(wit::Device {
            name: text(&device.name),
            model: model.name.to_owned(),
            class: match model.class {
                catalogue::DeviceClass::Phone => wit::DeviceClass::Phone,
                catalogue::DeviceClass::Gateway => wit::DeviceClass::Gateway,
                catalogue::DeviceClass::Client => wit::DeviceClass::Client,
            },
            template_family: model
                .templates
                .map_or("", |templates| templates.family.as_str())
                .to_owned(),
            mac: device.mac.as_ref().map(|mac| mac.value.to_string()),
            user: device.user.as_ref().map(|name| text(name)),
            network: device.network.as_ref().map(|name| text(name)),
            address: device
                .address
                .as_ref()
                .map(|address| address.value.to_string()),
            firmware: device
                .firmware
                .as_ref()
                .map(|firmware| firmware.value.to_string()),
            transport: signalling_transport(transport),
            port,
            windows: on_both.map(|documented| wit::Windows {
                switch: documented.switch.map(seconds_range),
                back: documented.r#return.map(seconds_range),
            }),
        })
    }
}

/// Text of the topology as it crosses to a plugin: a literal `${` must not read as a placeholder.
fn text(value: &str) -> String {
    escape_literals(value).into_owned()
}

fn seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

const fn signalling_transport(transport: catalogue::Transport) -> wit::Transport {
    match transport {
        catalogue::Transport::Udp => wit::Transport::Udp,
        catalogue::Transport::Tcp => wit::Transport::Tcp,
        catalogue::Transport::Tls => wit::Transport::Tls,
    }
}

const fn seconds_range(range: catalogue::SecondsRange) -> wit::SecondsRange {
    wit::SecondsRange {
        min: range.min,
        max: range.max,
    }
}

fn role(role: &Role<'_>) -> wit::Role {
    let server = |service: &str, server: &model::Server| wit::ServerRef {
        service: text(service),
        server: text(&server.name),
    };
    match role {
        Role::Pbx(pbx) => wit::Role::Pbx(text(&pbx.name)),
        Role::Dhcp {
            service,
            server: one,
        } => wit::Role::DhcpServer(server(&service.name, one)),
        Role::Dns { zone, server: one } => wit::Role::DnsServer(server(&zone.name, one)),
        Role::Provisioning(service) => wit::Role::Provisioning(text(&service.name)),
    }
}

fn pbx(pbx: &model::Pbx) -> wit::Pbx {
    wit::Pbx {
        name: text(&pbx.name),
        role: match pbx.role.value {
            PbxRole::Main => wit::PbxRole::Main,
            PbxRole::Failover => wit::PbxRole::Failover,
        },
        hostname: text(&pbx.hostname),
        address: pbx.address.value.to_string(),
        wms: pbx.wms.value.to_string(),
        locale: pbx.locale.as_ref().map(|locale| wit::Locale {
            language: text(&locale.language),
            region: text(&locale.region),
        }),
        target: pbx.target.as_ref().map(|name| text(name)),
    }
}

fn wms_member(member: &model::WmsMember) -> wit::WmsMember {
    wit::WmsMember {
        name: text(&member.name),
        role: match member.role.value {
            WmsRole::Server => wit::WmsRole::Server,
            WmsRole::Client => wit::WmsRole::Client,
        },
        hostname: member.hostname.as_ref().map(|name| text(name)),
    }
}

/// The first server is the primary unless another says that it is.
pub(crate) fn servers(servers: &[model::Server], otherwise: wit::ServerRole) -> Vec<wit::Server> {
    let declared = |role: model::ServerRole| match role {
        model::ServerRole::Primary => wit::ServerRole::Primary,
        model::ServerRole::Standby => wit::ServerRole::Standby,
        model::ServerRole::Secondary => wit::ServerRole::Secondary,
    };
    let some_primary = servers.iter().any(|server| {
        server
            .role
            .as_ref()
            .is_some_and(|role| role.value == model::ServerRole::Primary)
    });
    let server = |(position, server): (usize, &model::Server)| wit::Server {
        name: text(&server.name),
        address: server.address.value.to_string(),
        role: match &server.role {
            Some(role) => declared(role.value),
            None if position == 0 && !some_primary => wit::ServerRole::Primary,
            None => otherwise,
        },
        target: server.target.as_ref().map(|name| text(name)),
    };
    servers.iter().enumerate().map(server).collect()
}

fn dhcp(service: &model::Dhcp) -> wit::DhcpService {
    wit::DhcpService {
        name: text(&service.name),
        servers: servers(&service.servers, wit::ServerRole::Standby),
        lease_seconds: service
            .lease
            .as_ref()
            .map_or(DEFAULT_LEASE, |lease| seconds(lease.value)),
    }
}

fn provisioning(service: &model::Provisioning) -> wit::ProvisioningService {
    wit::ProvisioningService {
        name: text(&service.name),
        url: text(service.url.as_str()),
        dhcp_option: service.dhcp_option.as_ref().map_or(66, |code| code.value),
    }
}

fn user(user: &model::User, secrets: &RunSecrets) -> wit::User {
    wit::User {
        extension: text(user.extension.as_str()),
        name: text(&user.display_name),
        pbx: text(&user.pbx),
        email: user.email.as_ref().map(|address| text(address)),
        sip_password: user
            .sip_password
            .as_ref()
            .map(|_| format!("${{secret:{}}}", secrets.name_of(&sip_password_name(user)))),
    }
}

fn trunk(trunk: &model::Trunk) -> wit::Trunk {
    wit::Trunk {
        name: text(&trunk.name),
        direction: match trunk.direction.value {
            model::TrunkDirection::Incoming => wit::TrunkDirection::Incoming,
            model::TrunkDirection::Outgoing => wit::TrunkDirection::Outgoing,
        },
        provider: text(&trunk.provider),
        register_to: trunk.register_to.iter().map(|name| text(name)).collect(),
        transport: trunk
            .transport
            .as_ref()
            .map(|transport| signalling_transport(transport.value)),
        port: trunk.port.as_ref().map(|port| port.value),
    }
}

fn call_group(group: &model::CallGroup) -> wit::CallGroup {
    wit::CallGroup {
        name: text(&group.name),
        strategy: text(&group.strategy),
        members: group.members.iter().map(|name| text(name)).collect(),
        pbx: group.on.as_ref().map(|name| text(name)),
    }
}

#[cfg(test)]
mod tests;
