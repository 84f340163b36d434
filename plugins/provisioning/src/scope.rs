//! Which devices get a file.

use std::collections::HashMap;

use switchover_sdk::{Device, DeviceClass, Network, ProvisioningService, Role, User, View};

/// A telephone or gateway that the target provisions, with what its file speaks of.
pub(crate) struct Provisioned<'a> {
    pub(crate) device: &'a Device,
    pub(crate) network: &'a Network,
    pub(crate) service: &'a ProvisioningService,
    /// None for a gateway, and for a telephone that belongs to nobody.
    pub(crate) user: Option<&'a User>,
}

impl Provisioned<'_> {
    /// `9c7514000101.cfg`; none for a device without a hardware address.
    pub(crate) fn file_name(&self) -> Option<String> {
        self.device
            .mac
            .as_deref()
            .and_then(mac_hex)
            .map(|hex| format!("{hex}.cfg"))
    }
}

/// The twelve hexadecimal digits of a hardware address, lower case; none where there are not twelve. What comes out is
/// fit for a file name, whatever went in.
pub(crate) fn mac_hex(mac: &str) -> Option<String> {
    let hex: String = mac
        .chars()
        .filter(char::is_ascii_hexdigit)
        .map(|digit| digit.to_ascii_lowercase())
        .collect();
    (hex.len() == 12).then_some(hex)
}

/// The provisioned devices, in the topology's order. Software clients are not provisioned by files.
pub(crate) fn devices(view: &View) -> impl Iterator<Item = Provisioned<'_>> {
    let mine = |name: &str| {
        view.roles
            .iter()
            .any(|role| matches!(role, Role::Provisioning(mine) if mine == name))
    };
    let services: HashMap<&str, &ProvisioningService> = view
        .provisioning
        .iter()
        .filter(|service| mine(&service.name))
        .map(|service| (service.name.as_str(), service))
        .collect();
    let networks: HashMap<&str, (&Network, &ProvisioningService)> = view
        .networks
        .iter()
        .filter_map(|network| {
            let service = services.get(network.provisioning.as_deref()?)?;
            Some((network.name.as_str(), (network, *service)))
        })
        .collect();
    let users: HashMap<&str, &User> = view
        .users
        .iter()
        .map(|user| (user.extension.as_str(), user))
        .collect();
    view.devices
        .iter()
        .filter(|device| device.class != DeviceClass::Client)
        .filter_map(move |device| {
            let (network, service) = *networks.get(device.network.as_deref()?)?;
            let user = device
                .user
                .as_deref()
                .and_then(|extension| users.get(extension).copied());
            Some(Provisioned {
                device,
                network,
                service,
                user,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::mac_hex;

    #[test]
    fn a_file_name_holds_nothing_but_the_digits() {
        assert_eq!(
            mac_hex("9c:75:14:00:01:0a").as_deref(),
            Some("9c751400010a")
        );
        assert_eq!(
            mac_hex("9C-75-14-00-01-0A").as_deref(),
            Some("9c751400010a")
        );
        assert_eq!(
            mac_hex("../9c:75:14:00:01:0a/").as_deref(),
            Some("9c751400010a")
        );
        assert_eq!(mac_hex("9c:75:14"), None);
        assert_eq!(mac_hex(""), None);
    }
}
