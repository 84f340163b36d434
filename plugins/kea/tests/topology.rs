//! A small topology as this plugin sees it.

use serde_json::{Value, json};
use switchover_sdk::{DhcpService, Network, OptionValue, Pool, ServerRole, Target, View};

pub(crate) use switchover_testing::{addresses, device, network, option, server, serves, text};

/// One network with a pool, options for everybody and for telephones, and three devices, two of them reserved.
pub(crate) fn view() -> View {
    let mut view = View::empty("acme-hq");
    view.roles = vec![serves("dhcp1")];
    view.dhcp = vec![DhcpService {
        name: "dhcp-hq".into(),
        servers: vec![
            server("dhcp1", "10.20.30.5", ServerRole::Primary),
            server("dhcp2", "10.20.30.5", ServerRole::Standby),
        ],
        lease_seconds: 28_800,
    }];
    view.networks = vec![Network {
        pool: Some(Pool {
            first: "10.20.30.100".into(),
            last: "10.20.30.220".into(),
        }),
        options: vec![
            option(3, OptionValue::Addresses(addresses(&["10.20.30.1"]))),
            option(
                6,
                OptionValue::Addresses(addresses(&["10.20.0.53", "10.20.0.54"])),
            ),
            option(15, text("acme.example")),
            option(42, OptionValue::Addresses(addresses(&["10.20.0.1"]))),
        ],
        phone_options: vec![
            option(66, text("https://prov.acme.example/")),
            option(
                120,
                OptionValue::SipAddresses(addresses(&["10.20.0.10", "10.20.1.10"])),
            ),
            option(132, OptionValue::Uint16(130)),
            option(160, text("a,b c")),
        ],
        phone_ouis: vec!["00:11:22".into(), "9c:75:14".into()],
        ..network("voice", "10.20.30.0/24")
    }];
    view.devices = vec![
        device("reception", "9c:75:14:00:01:01", Some("10.20.30.11")),
        device("sales", "9c:75:14:00:01:02", None),
        device("Fax Gateway", "9c:75:14:00:02:01", Some("10.20.30.12")),
    ];
    view
}

/// The same with a target for each of the two servers, seen by the one of that name.
pub(crate) fn pair(server: &str) -> View {
    let mut view = view();
    view.roles = vec![serves(server)];
    for (server, address) in view.dhcp[0]
        .servers
        .iter_mut()
        .zip(["10.20.30.5", "10.20.30.6"])
    {
        server.address = address.into();
        server.target = Some(format!("{}-target", server.name));
    }
    view
}

pub(crate) fn target(settings: &Value) -> Target {
    Target::new("kea1", settings)
}

pub(crate) fn plain_target() -> Target {
    target(&json!({}))
}
