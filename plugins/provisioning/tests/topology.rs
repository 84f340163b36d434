//! A small site: three telephones, a gateway and a software client.

use serde_json::json;
use switchover_sdk::{
    Device, DeviceClass, DhcpOption, Network, OptionValue, Pbx, PbxRole, ProvisioningService, Role,
    Target, Transport, User, View,
};

fn pbx(name: &str, role: PbxRole, address: &str) -> Pbx {
    Pbx {
        name: name.into(),
        role,
        hostname: format!("{name}.acme.example"),
        address: address.into(),
        wms: "3.86.30011".into(),
        locale: None,
        target: None,
    }
}

pub(crate) fn network(name: &str, service: Option<&str>) -> Network {
    let option = |code, name: &str, addresses: &[&str]| DhcpOption {
        code,
        name: Some(name.into()),
        value: OptionValue::Addresses(addresses.iter().map(|&address| address.into()).collect()),
    };
    Network {
        name: name.into(),
        subnet: "10.20.30.0/24".into(),
        gateway: Some("10.20.30.1".into()),
        vlan: Some(130),
        pool: None,
        domain: Some("acme.example".into()),
        dhcp: None,
        provisioning: service.map(Into::into),
        options: vec![
            option(6, "domain-name-servers", &["10.20.0.53", "10.20.0.54"]),
            option(42, "ntp-servers", &["10.20.0.1"]),
        ],
        phone_options: Vec::new(),
        phone_ouis: vec!["9c:75:14".into()],
    }
}

pub(crate) fn service(name: &str) -> ProvisioningService {
    ProvisioningService {
        name: name.into(),
        url: format!("https://{name}.acme.example/"),
        dhcp_option: 66,
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

fn device(name: &str, model: &str, family: &str, mac: &str) -> Device {
    Device {
        name: name.into(),
        model: model.into(),
        class: DeviceClass::Phone,
        template_family: family.into(),
        mac: Some(mac.into()),
        user: None,
        network: Some("voice".into()),
        address: None,
        firmware: None,
        transport: Transport::Tcp,
        port: 443,
        windows: None,
    }
}

pub(crate) fn site() -> View {
    View {
        roles: vec![Role::Provisioning("prov".into())],
        // The failover PBX first: the order of the file must not matter.
        pbxs: vec![
            pbx("pbx2", PbxRole::Failover, "10.20.1.10"),
            pbx("pbx1", PbxRole::Main, "10.20.0.10"),
        ],
        networks: vec![network("voice", Some("prov")), network("data", None)],
        provisioning: vec![service("prov")],
        users: vec![
            User {
                sip_password: Some("${secret:user/101/sip-password}".into()),
                ..user("101", "Reception")
            },
            user("102", "Sales"),
        ],
        devices: vec![
            Device {
                user: Some("101".into()),
                ..device("reception", "WP480", "akuvox", "9c:75:14:00:01:01")
            },
            Device {
                user: Some("102".into()),
                transport: Transport::Tls,
                ..device("sales", "WP600AXX", "yealink", "9c:75:14:00:01:02")
            },
            device("lobby", "WP410", "akuvox", "9c:75:14:00:01:03"),
            Device {
                class: DeviceClass::Gateway,
                transport: Transport::Udp,
                port: 5060,
                ..device("fax", "W02FXSR2", "gateway", "9c:75:14:00:02:01")
            },
            Device {
                class: DeviceClass::Client,
                mac: None,
                ..device("mobile", "Android", "", "")
            },
        ],
        ..View::empty("acme-hq")
    }
}

pub(crate) fn target() -> Target {
    Target::new("files", &json!({}))
}
