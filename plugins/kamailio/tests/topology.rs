//! A small topology as this plugin sees it.

use serde_json::{Value, json};
use switchover_sdk::{
    CallGroup, Device, DeviceClass, Pbx, PbxRole, Role, Target, Transport, Trunk, TrunkDirection,
    User, View,
};

pub(crate) fn pbx(name: &str, address: &str, role: PbxRole) -> Pbx {
    Pbx {
        name: name.into(),
        role,
        hostname: format!("{name}.acme.example"),
        address: address.into(),
        wms: "3.86.30011".into(),
        locale: None,
        target: Some(format!("{name}-target")),
    }
}

pub(crate) fn user(extension: &str) -> User {
    User {
        extension: extension.into(),
        name: format!("User {extension}"),
        pbx: "pbx1".into(),
        email: None,
        sip_password: Some(format!("${{secret:user/{extension}/sip-password}}")),
    }
}

pub(crate) fn device(name: &str, transport: Transport, port: u16) -> Device {
    Device {
        name: name.into(),
        model: "WP480".into(),
        class: DeviceClass::Phone,
        template_family: "akuvox".into(),
        mac: None,
        user: None,
        network: None,
        address: None,
        firmware: None,
        transport,
        port,
        windows: None,
    }
}

pub(crate) fn group(name: &str, strategy: &str, members: &[&str]) -> CallGroup {
    CallGroup {
        name: name.into(),
        strategy: strategy.into(),
        members: members.iter().map(ToString::to_string).collect(),
        pbx: None,
    }
}

pub(crate) fn trunk(name: &str, provider: &str) -> Trunk {
    Trunk {
        name: name.into(),
        direction: TrunkDirection::Incoming,
        provider: provider.into(),
        register_to: vec!["pbx1".into(), "pbx2".into()],
        transport: Some(Transport::Udp),
        port: Some(5060),
    }
}

/// The main PBX of a pair with two users, their telephones, a call group of each kind and a trunk.
pub(crate) fn view() -> View {
    let mut view = View::empty("acme-hq");
    view.roles = vec![Role::Pbx("pbx1".into())];
    view.pbxs = vec![
        pbx("pbx1", "10.20.0.10", PbxRole::Main),
        pbx("pbx2", "10.20.1.10", PbxRole::Failover),
    ];
    view.users = vec![user("101"), user("102")];
    view.devices = vec![
        device("reception", Transport::Tcp, 443),
        device("sales", Transport::Tcp, 443),
        device("fax", Transport::Udp, 5060),
        device("gateway", Transport::Tls, 5061),
    ];
    view.call_groups = vec![
        group("sales", "linear", &["101", "102"]),
        group("everybody", "all", &["101", "102"]),
    ];
    view.trunks = vec![trunk("telco-a", "203.0.113.10")];
    view
}

pub(crate) fn target(settings: &Value) -> Target {
    Target::new("kamailio", settings)
}

pub(crate) fn plain_target() -> Target {
    target(&json!({}))
}

/// What else a target may say.
pub(crate) fn settings() -> Value {
    json!({
        "realm": "acme.example",
        "domains": ["acme.example", "voice.acme.example"],
        "rpc": "10.20.0.10:8080",
        "rpc-allow": ["10.20.0.0/16", "127.0.0.1"],
        "tls-certificate": "/etc/ssl/pbx1.pem",
        "tls-key": "/etc/ssl/private/pbx1.key",
        "ring-seconds": 15,
        "incoming": "sales",
    })
}
