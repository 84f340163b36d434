//! Which PBX a target is, and what is configured on it.

use std::collections::HashSet;

use switchover_sdk::{
    CallGroup, Device, OptionValue, Pbx, PbxRole, Role, Trunk, TrunkDirection, User, View,
};

/// The code of the DHCP option that holds NTP servers.
const NTP_SERVERS: u8 = 42;

/// A PBX's part in the synchronisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything is configured here.
    Source,
    /// Overwritten from the source.
    Destination,
    /// No synchronisation touches it: it has its own users.
    Alone,
}

impl Part {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Alone => "alone",
        }
    }
}

/// The PBX that names the target.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    view: &'a View,
    pub(crate) pbx: &'a Pbx,
    pub(crate) part: Part,
}

impl<'a> Place<'a> {
    /// None where no PBX names the target.
    pub(crate) fn of(view: &'a View) -> Option<Self> {
        let pbx = pbxs(view).next()?;
        let part = match &view.sync {
            Some(sync) if sync.source == pbx.name => Part::Source,
            Some(sync) if sync.destination == pbx.name => Part::Destination,
            Some(_) | None => Part::Alone,
        };
        Some(Self { view, pbx, part })
    }

    pub(crate) fn users(self) -> impl Iterator<Item = &'a User> {
        let view = self.view;
        view.users.iter().filter(move |user| match self.part {
            Part::Source => true,
            Part::Destination => false,
            Part::Alone => user.pbx == self.pbx.name,
        })
    }

    /// Devices with a hardware address, each with it.
    pub(crate) fn devices(self) -> impl Iterator<Item = (&'a Device, &'a str)> {
        let own: HashSet<&str> = self.users().map(|user| user.extension.as_str()).collect();
        let view = self.view;
        view.devices.iter().filter_map(move |device| {
            let mac = device.mac.as_deref()?;
            let here = match self.part {
                Part::Source => true,
                Part::Destination => false,
                Part::Alone => device
                    .user
                    .as_deref()
                    .is_some_and(|user| own.contains(user)),
            };
            here.then_some((device, mac))
        })
    }

    /// Extensions of users with a device, whichever PBX they are homed on: telephones register on both.
    pub(crate) fn registering(self) -> impl Iterator<Item = &'a str> {
        let view = self.view;
        let with_device: HashSet<&str> = view
            .devices
            .iter()
            .filter_map(|device| device.user.as_deref())
            .collect();
        view.users
            .iter()
            .map(|user| user.extension.as_str())
            .filter(move |extension| with_device.contains(extension))
    }

    /// Seconds in which a user's devices are registered here, as far as it is documented of all of them: what they
    /// take to the failover PBX, or back to the main one.
    pub(crate) fn patience(self, extension: &str) -> Option<u32> {
        let window = |device: &Device| {
            let windows = device.windows?;
            let range = match self.pbx.role {
                PbxRole::Main => windows.back,
                PbxRole::Failover => windows.switch,
            };
            Some(range?.max)
        };
        let devices = self.view.devices.iter();
        let own = devices.filter(|device| device.user.as_deref() == Some(extension));
        own.map(window)
            .try_fold(0, |longest: u32, seconds| Some(longest.max(seconds?)))
    }

    /// Incoming trunks that have to be known here.
    pub(crate) fn trunks(self) -> impl Iterator<Item = &'a Trunk> {
        let view = self.view;
        view.trunks.iter().filter(move |trunk| {
            let here = match self.part {
                Part::Source => true,
                Part::Destination => false,
                Part::Alone => trunk.register_to.contains(&self.pbx.name),
            };
            here && trunk.direction == TrunkDirection::Incoming
        })
    }

    pub(crate) fn call_groups(self) -> impl Iterator<Item = &'a CallGroup> {
        let view = self.view;
        view.call_groups
            .iter()
            .filter(move |group| match (&group.pbx, self.part) {
                (_, Part::Destination) => false,
                (Some(pbx), _) => *pbx == self.pbx.name,
                (None, part) => part == Part::Source,
            })
    }

    /// Host names of the other members of the WMS network.
    pub(crate) fn members(self) -> impl Iterator<Item = &'a str> {
        let view = self.view;
        let others = view
            .wms_members
            .iter()
            .filter(move |member| member.name != self.pbx.name);
        others.filter_map(|member| {
            let pbx = || view.pbxs.iter().find(|pbx| pbx.name == member.name);
            let declared = member.hostname.as_deref();
            declared.or_else(|| Some(pbx()?.hostname.as_str()))
        })
    }

    /// The first NTP server of the networks that is not this PBX.
    pub(crate) fn ntp(self) -> Option<&'a str> {
        let options = self
            .view
            .networks
            .iter()
            .flat_map(|network| &network.options);
        options
            .filter(|option| option.code == NTP_SERVERS)
            .filter_map(|option| match &option.value {
                OptionValue::Addresses(addresses) => Some(addresses),
                _ => None,
            })
            .flatten()
            .map(String::as_str)
            .find(|address| *address != self.pbx.address)
    }
}

/// The PBXs that name the target.
pub(crate) fn pbxs(view: &View) -> impl Iterator<Item = &Pbx> {
    view.roles.iter().filter_map(|role| match role {
        Role::Pbx(name) => view.pbxs.iter().find(|pbx| pbx.name == *name),
        _ => None,
    })
}
