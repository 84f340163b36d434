//! Which models a topology names.

use std::collections::HashMap;

use switchover_catalogue::{DeviceClass, Model, model};
use switchover_topology::Topology;
use switchover_topology::model::Device;

/// The models of a topology's devices. Each spelling is looked up once: thousands of devices share a few.
pub(crate) struct Models<'a>(HashMap<&'a str, Option<&'static Model>>);

impl<'a> Models<'a> {
    pub(crate) fn of(topology: &'a Topology) -> Self {
        let mut known = HashMap::new();
        for device in &topology.devices {
            let name = device.model.value.as_str();
            known.entry(name).or_insert_with(|| model(name));
        }
        Self(known)
    }

    /// None where the catalogue does not know it.
    pub(crate) fn model(&self, device: &Device) -> Option<&'static Model> {
        self.0.get(device.model.value.as_str()).copied().flatten()
    }

    pub(crate) fn class(&self, device: &Device) -> Option<DeviceClass> {
        self.model(device).map(|model| model.class)
    }
}
