//! What should exist.

use std::collections::BTreeMap;

use switchover_sdk::{Failure, Resource, View};

use crate::manifest::Settings;
use crate::place::Place;
use crate::shape;

/// # Errors
/// No PBX names the target.
pub(crate) fn desired(view: &View, settings: &Settings) -> Result<Vec<Resource>, Failure> {
    let place = Place::of(view).ok_or_else(|| {
        Failure::new("no-pbx", "no `pbx` node names this target")
            .with_help("name the target from the `pbx` whose WMS answers at the target's endpoint")
    })?;
    let pbx = place.pbx;
    // One address stands for one thing, even in a topology that says something twice.
    let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
    let mut add = |resource: Resource| {
        resources
            .entry(resource.address.clone())
            .or_insert(resource);
    };
    add(shape::part(place.part.word()));
    if let Some(locale) = &pbx.locale {
        add(shape::locale(&locale.language, &locale.region));
    }
    if let Some(server) = settings.ntp.as_deref().or(place.ntp()) {
        add(shape::ntp(server));
    }
    for user in place.users() {
        add(shape::user(&user.extension, &user.name));
        if let Some(email) = user.email.as_deref().filter(|email| !email.is_empty()) {
            add(shape::email(&user.extension, email));
        }
        if let Some(password) = &user.sip_password
            && settings.sip_passwords.is_on()
        {
            add(shape::sip_password(&user.extension, password));
        }
    }
    for (device, mac) in place.devices() {
        let mac = shape::mac(mac);
        add(shape::device(&mac, &device.name).hint(&device.model));
        if let Some(extension) = &device.user {
            let user = shape::address(shape::kind::USER, extension);
            add(shape::connection(&mac, extension).depends_on([user]));
        }
    }
    if settings.verify_registrations {
        for extension in place.registering() {
            let registration = shape::registration(extension);
            add(match place.patience(extension) {
                Some(seconds) => registration.hint(seconds.to_string()),
                None => registration,
            });
        }
    }
    Ok(resources.into_values().collect())
}
