//! A small topology as this plugin sees it.

use serde_json::{Value, json};
use switchover_sdk::{
    CallGroup, Device, DeviceClass, DhcpOption, Locale, Network, OptionValue, Pbx, PbxRole, Role,
    Sync, Target, Transport, Trunk, TrunkDirection, User, View, WmsMember, WmsRole,
};

pub(crate) fn pbx(name: &str, role: PbxRole, address: &str) -> Pbx {
    Pbx {
        name: name.into(),
        role,
        hostname: format!("{name}.acme.example"),
        address: address.into(),
        wms: "3.86.30011".into(),
        locale: Some(Locale {
            language: "it".into(),
            region: "IT".into(),
        }),
        target: None,
    }
}

pub(crate) fn user(extension: &str, name: &str) -> User {
    User {
        extension: extension.into(),
        name: name.into(),
        pbx: "pbx1".into(),
        email: None,
        sip_password: None,
    }
}

pub(crate) fn device(name: &str, mac: &str, user: Option<&str>) -> Device {
    Device {
        name: name.into(),
        model: "WP480".into(),
        class: DeviceClass::Phone,
        template_family: "akuvox".into(),
        mac: Some(mac.into()),
        user: user.map(Into::into),
        network: Some("voice".into()),
        address: None,
        firmware: None,
        transport: Transport::Tcp,
        port: 443,
        windows: None,
    }
}

fn member(name: &str, role: WmsRole, hostname: Option<&str>) -> WmsMember {
    WmsMember {
        name: name.into(),
        role,
        hostname: hostname.map(Into::into),
    }
}

/// A pair with two users, a telephone each, and one more device; seen from `name`.
pub(crate) fn view_of(name: &str) -> View {
    let mut view = View::empty("acme-hq");
    view.roles = vec![Role::Pbx(name.into())];
    view.pbxs = vec![
        pbx("pbx1", PbxRole::Main, "10.20.0.10"),
        pbx("pbx2", PbxRole::Failover, "10.20.1.10"),
    ];
    view.sync = Some(Sync {
        source: "pbx1".into(),
        destination: "pbx2".into(),
        every_seconds: 7200,
    });
    view.wms_members = vec![
        member("pbx1", WmsRole::Server, None),
        member("pbx2", WmsRole::Client, None),
        member("rome", WmsRole::Client, Some("PBX.Rome.acme.example")),
    ];
    view.networks = vec![Network {
        name: "voice".into(),
        subnet: "10.20.30.0/24".into(),
        gateway: None,
        vlan: None,
        pool: None,
        domain: None,
        dhcp: None,
        provisioning: None,
        options: vec![DhcpOption {
            code: 42,
            name: Some("ntp-servers".into()),
            value: OptionValue::Addresses(vec!["10.20.0.10".into(), "10.20.0.1".into()]),
        }],
        phone_options: Vec::new(),
        phone_ouis: Vec::new(),
    }];
    let mut reception = user("101", "Reception");
    reception.email = Some("reception@acme.example".into());
    reception.sip_password = Some("${secret:user/101/sip-password}".into());
    view.users = vec![reception, user("102", "Sales")];
    view.devices = vec![
        device("reception", "9c:75:14:00:01:01", Some("101")),
        device("sales", "9c:75:14:00:01:02", Some("102")),
        device("fax-gw", "9c:75:14:00:02:01", None),
    ];
    view.trunks = vec![
        trunk("telco-a", TrunkDirection::Incoming),
        trunk("telco-b", TrunkDirection::Outgoing),
    ];
    view.call_groups = vec![CallGroup {
        name: "sales".into(),
        strategy: "linear".into(),
        members: vec!["101".into(), "102".into()],
        pbx: None,
    }];
    view
}

pub(crate) fn trunk(name: &str, direction: TrunkDirection) -> Trunk {
    Trunk {
        name: name.into(),
        direction,
        provider: "203.0.113.10".into(),
        register_to: vec!["pbx1".into(), "pbx2".into()],
        transport: None,
        port: None,
    }
}

/// Seen from the source of the synchronisation.
pub(crate) fn view() -> View {
    view_of("pbx1")
}

pub(crate) fn target(settings: &Value) -> Target {
    Target::new("wms-main", settings)
}

pub(crate) fn plain_target() -> Target {
    target(&json!({}))
}
