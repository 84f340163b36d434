//! Parts of a small topology, as plugins see them.

use switchover_sdk::{
    Device, DeviceClass, DhcpOption, Network, OptionValue, Role, Server, ServerRef, ServerRole,
    Transport,
};

/// A DHCP option without a name.
#[must_use]
pub fn option(code: u8, value: OptionValue) -> DhcpOption {
    DhcpOption {
        code,
        name: None,
        value,
    }
}

/// A list of texts.
#[must_use]
pub fn addresses(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

/// The value of an option that is a text.
#[must_use]
pub fn text(text: &str) -> OptionValue {
    OptionValue::Text(text.into())
}

/// A telephone in the network `voice`.
#[must_use]
pub fn device(name: &str, mac: &str, address: Option<&str>) -> Device {
    Device {
        name: name.into(),
        model: "WP480".into(),
        class: DeviceClass::Phone,
        template_family: "akuvox".into(),
        mac: Some(mac.into()),
        user: None,
        network: Some("voice".into()),
        address: address.map(Into::into),
        firmware: None,
        transport: Transport::Tls,
        port: 443,
        windows: None,
    }
}

/// A network of the service `dhcp-hq`, with nothing else said.
#[must_use]
pub fn network(name: &str, subnet: &str) -> Network {
    Network {
        name: name.into(),
        subnet: subnet.into(),
        gateway: None,
        vlan: None,
        pool: None,
        domain: None,
        dhcp: Some("dhcp-hq".into()),
        provisioning: None,
        options: Vec::new(),
        phone_options: Vec::new(),
        phone_ouis: Vec::new(),
    }
}

/// A DHCP server without a target.
#[must_use]
pub fn server(name: &str, address: &str, role: ServerRole) -> Server {
    Server {
        name: name.into(),
        address: address.into(),
        role,
        target: None,
    }
}

/// The place of a server in `dhcp-hq`.
#[must_use]
pub fn serves(server: &str) -> Role {
    Role::DhcpServer(ServerRef {
        service: "dhcp-hq".into(),
        server: server.into(),
    })
}
