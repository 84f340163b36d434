//! What only this plugin can know about a topology.

use std::collections::{BTreeMap, BTreeSet};

use switchover_sdk::{Finding, Target, View};

use crate::context::breaks_line;
use crate::rules::{PROV001, PROV002, PROV003, PROV004, PROV005};
use crate::scope::{self, Provisioned};
use crate::settings::Settings;
use crate::template;

/// Every finding, in the topology's order within a code.
pub(crate) fn all(view: &View, target: &Target, settings: &Settings) -> Vec<Finding> {
    let devices: Vec<Provisioned<'_>> = scope::devices(view).collect();
    if devices.is_empty() {
        return Vec::new();
    }
    let mut findings = control_characters(view, &devices);
    findings.extend(
        devices
            .iter()
            .filter(|item| item.file_name().is_none())
            .map(without_mac),
    );
    findings.extend(without_template(&devices, settings));
    findings.extend(unused_families(&devices, target, settings));
    findings.extend(without_password(&devices));
    findings
}

/// PROV001: a value that a file would hold, and that would not stay on its line.
fn control_characters(view: &View, devices: &[Provisioned<'_>]) -> Vec<Finding> {
    let mut places: Vec<(String, &str)> =
        vec![(format!("site/{}", view.site.name), &view.site.name)];
    for pbx in &view.pbxs {
        places.push((format!("pbx/{}", pbx.name), &pbx.name));
        places.push((format!("pbx/{}/hostname", pbx.name), &pbx.hostname));
    }
    for Provisioned {
        device,
        network,
        user,
        ..
    } in devices
    {
        places.push((format!("network/{}", network.name), &network.name));
        places.extend(
            network
                .domain
                .iter()
                .map(|text| (format!("network/{}/domain", network.name), text.as_str())),
        );
        if let Some(user) = user {
            places.push((format!("user/{}", user.extension), &user.extension));
            places.push((format!("user/{}/name", user.extension), &user.name));
            places.extend(
                user.email
                    .iter()
                    .map(|text| (format!("user/{}/email", user.extension), text.as_str())),
            );
        }
        places.push((format!("device/{}", device.name), &device.name));
    }
    let mut seen = BTreeSet::new();
    places
        .into_iter()
        .filter(|(path, text)| text.contains(breaks_line) && seen.insert(path.clone()))
        .map(|(path, text)| {
            let shown = text.escape_debug();
            let message = format!("`{shown}` holds a line break or another control character");
            PROV001.at(path, message).with_help(
                "provisioning files have one value a line: write it without that character",
            )
        })
        .collect()
}

/// PROV002: the file is named by the hardware address.
fn without_mac(item: &Provisioned<'_>) -> Finding {
    let name = &item.device.name;
    PROV002
        .at(
            format!("device/{name}"),
            format!(
                "device `{name}` has no hardware address, so no provisioning file is written for it"
            ),
        )
        .with_help("add its `mac`")
}

/// PROV003: nobody has said what to write for this model. A warning: the other devices' files are none the worse.
fn without_template<'a>(
    devices: &'a [Provisioned<'_>],
    settings: &'a Settings,
) -> impl Iterator<Item = Finding> + 'a {
    devices.iter().filter(|item| template::name(settings.family(item.device)).is_none()).map(|item| {
        let device = item.device;
        let known: Vec<&str> = template::families().collect();
        let message = format!(
            "the file format of model {} is not known, so no provisioning file is written for device `{}`",
            device.model, device.name,
        );
        PROV003.at(format!("device/{}/model", device.name), message)
            .with_help(format!(
                "if you know it, add `families \"{}=FAMILY\"` to the target, with one of: {}",
                device.model,
                known.join(", "),
            ))
    })
}

/// PROV005: most likely a model under a name that is not the catalogue's.
fn unused_families(
    devices: &[Provisioned<'_>],
    target: &Target,
    settings: &Settings,
) -> Vec<Finding> {
    let models: BTreeSet<&str> = devices
        .iter()
        .map(|item| item.device.model.as_str())
        .collect();
    settings
        .families()
        .filter(|(model, _)| !models.contains(model))
        .map(|(model, _)| {
            let known: Vec<&str> = models.iter().copied().collect();
            PROV005
                .at(
                    format!("target/{}/families", target.name),
                    format!("no device that this target provisions is a `{model}`"),
                )
                .with_help(format!(
                    "models here, by their names in the catalogue: {}",
                    known.join(", ")
                ))
        })
        .collect()
}

/// PROV004: one note a service, not one a device: where passwords are managed on the PBX it holds for everybody.
fn without_password(devices: &[Provisioned<'_>]) -> Vec<Finding> {
    let mut users: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    for item in devices {
        if let Some(user) = item.user {
            users
                .entry(&item.service.name)
                .or_default()
                .insert(&user.extension, user.sip_password.is_some());
        }
    }
    users
        .into_iter()
        .filter_map(|(service, users)| {
            let without = users.values().filter(|has_password| !**has_password).count();
            (without > 0).then(|| {
                let of = users.len();
                PROV004.at(format!("provisioning/{service}"),
                    format!("{without} of {of} users with a device have no `sip-password`, so their files hold none"),
                )
                .with_help("add `sip-password=(secret)\"env:NAME\"`, or leave passwords to the PBX")
            })
        })
        .collect()
}
