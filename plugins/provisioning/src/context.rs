//! What a template sees.
//!
//! No text in here holds a line break or another control character: a template that prints a value on a line of its own
//! prints one line, whatever the value.

use serde::Serialize;
use serde_json::Value;
use switchover_sdk::{
    DeviceClass, Failure, Mode, Network, OptionValue, Pbx, PbxRole, Transport, User, View,
};

use crate::scope::{Provisioned, mac_hex};

/// Option codes of RFC 2132.
const DOMAIN_NAME_SERVERS: u8 = 6;
const NTP_SERVERS: u8 = 42;

#[derive(Serialize)]
struct Context<'a> {
    site: &'a str,
    device: DeviceContext<'a>,
    /// Null for a device that belongs to nobody.
    user: Option<UserContext<'a>>,
    /// In the order in which the device should prefer them.
    pbxs: Vec<PbxContext<'a>>,
    network: NetworkContext<'a>,
    provisioning: ProvisioningContext<'a>,
    /// Null: the device's own default.
    register_seconds: Option<u32>,
    /// How often to send something on a silent flow, so that what is in between keeps it open.
    keepalive_seconds: u32,
}

#[derive(Serialize)]
struct DeviceContext<'a> {
    name: &'a str,
    model: &'a str,
    class: &'static str,
    /// With colons.
    mac: Option<&'a str>,
    /// Without.
    mac_hex: Option<String>,
    address: Option<&'a str>,
    firmware: Option<&'a str>,
    /// `udp`, `tcp` or `tls`; holds for both PBXs, as does the port.
    transport: &'static str,
    port: u16,
}

#[derive(Serialize)]
struct UserContext<'a> {
    extension: &'a str,
    name: &'a str,
    email: Option<&'a str>,
    /// A reference that the engine replaces while it writes the file; null where the topology declares none.
    sip_password: Option<&'a str>,
}

#[derive(Serialize)]
struct PbxContext<'a> {
    name: &'a str,
    role: &'static str,
    hostname: &'a str,
    address: &'a str,
}

#[derive(Serialize)]
struct NetworkContext<'a> {
    name: &'a str,
    subnet: &'a str,
    gateway: Option<&'a str>,
    vlan: Option<u16>,
    domain: Option<&'a str>,
    dns: Vec<&'a str>,
    ntp: Vec<&'a str>,
}

#[derive(Serialize)]
struct ProvisioningContext<'a> {
    url: &'a str,
    dhcp_option: u8,
}

/// The context for one device's template.
pub(crate) fn of(
    view: &View,
    item: &Provisioned<'_>,
    register_seconds: Option<u32>,
) -> Result<Value, Failure> {
    let pbxs = preferred(view, item.user);
    if pbxs.is_empty() {
        return Err(Failure::new(
            "no-pbx",
            "the topology has no PBX that a device could register on",
        )
        .with_help(
            "declare the pair: one `pbx` with role=\"main\" and one with role=\"failover\"",
        ));
    }
    let Provisioned {
        device,
        network,
        service,
        user,
    } = item;
    let context = Context {
        site: &view.site.name,
        device: DeviceContext {
            name: &device.name,
            model: &device.model,
            class: class(device.class),
            mac: device.mac.as_deref(),
            mac_hex: device.mac.as_deref().and_then(mac_hex),
            address: device.address.as_deref(),
            firmware: device.firmware.as_deref(),
            transport: transport(device.transport),
            port: device.port,
        },
        user: user.map(|user| UserContext {
            extension: &user.extension,
            name: &user.name,
            email: user.email.as_deref(),
            sip_password: user.sip_password.as_deref(),
        }),
        pbxs: pbxs
            .into_iter()
            .map(|pbx| PbxContext {
                name: &pbx.name,
                role: role(pbx.role),
                hostname: &pbx.hostname,
                address: &pbx.address,
            })
            .collect(),
        network: NetworkContext {
            name: &network.name,
            subnet: &network.subnet,
            gateway: network.gateway.as_deref(),
            vlan: network.vlan,
            domain: network.domain.as_deref(),
            dns: addresses(network, DOMAIN_NAME_SERVERS),
            ntp: addresses(network, NTP_SERVERS),
        },
        provisioning: ProvisioningContext {
            url: &service.url,
            dhcp_option: service.dhcp_option,
        },
        register_seconds,
        keepalive_seconds: keepalive_seconds(device.transport),
    };
    let mut context = serde_json::to_value(context)
        .map_err(|error| Failure::new("context", format!("no template context: {error}")))?;
    keep_to_one_line(&mut context);
    Ok(context)
}

/// The PBXs of the pair in the order in which a device should prefer them: the main one first. Where the pair shares
/// the load, the main one for a user is the one that carries them.
fn preferred<'a>(view: &'a View, user: Option<&User>) -> Vec<&'a Pbx> {
    let home = match view.site.mode {
        Mode::LoadSharing => user.map(|user| user.pbx.as_str()),
        Mode::HotStandby => None,
    };
    let mut pbxs: Vec<&Pbx> = view.pbxs.iter().collect();
    pbxs.sort_by_key(|pbx| (home != Some(pbx.name.as_str()), pbx.role != PbxRole::Main));
    pbxs
}

/// The addresses in an option that the network's telephones get.
fn addresses(network: &Network, code: u8) -> Vec<&str> {
    network
        .phone_options
        .iter()
        .chain(&network.options)
        .find(|option| option.code == code)
        .and_then(|option| match &option.value {
            OptionValue::Addresses(addresses) => {
                Some(addresses.iter().map(String::as_str).collect())
            }
            _ => None,
        })
        .unwrap_or_default()
}

/// RFC 5626 section 4.4.1 wants 24 to 29 s over UDP and 95 to 120 s over TCP and TLS. The lower ends: a binding that is
/// refreshed too early costs a packet, one that is refreshed too late costs calls.
const fn keepalive_seconds(transport: Transport) -> u32 {
    match transport {
        Transport::Udp => 24,
        Transport::Tcp | Transport::Tls => 95,
    }
}

/// Whether the character would end a line, or is not one that a line of text may hold.
pub(crate) fn breaks_line(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Puts a space in place of each such character. Not nothing: taking one out of `$\n{` would make a reference of it.
fn keep_to_one_line(value: &mut Value) {
    match value {
        Value::String(text) if text.contains(breaks_line) => *text = text.replace(breaks_line, " "),
        Value::Array(items) => items.iter_mut().for_each(keep_to_one_line),
        Value::Object(map) => map.values_mut().for_each(keep_to_one_line),
        _ => {}
    }
}

const fn class(class: DeviceClass) -> &'static str {
    match class {
        DeviceClass::Phone => "phone",
        DeviceClass::Gateway => "gateway",
        DeviceClass::Client => "client",
    }
}

const fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
        Transport::Tls => "tls",
    }
}

const fn role(role: PbxRole) -> &'static str {
    match role {
        PbxRole::Main => "main",
        PbxRole::Failover => "failover",
    }
}
