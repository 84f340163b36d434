use std::collections::HashMap;

use switchover_catalogue::{
    DeviceClass, Edition, Model, Signalling, Support, Verdict, first_supporting, model,
    nearest_model, signalling_made_in, signalling_on_all, support, support_earlier,
};
use switchover_topology::Topology;
use switchover_topology::model::{Device, Pbx};

use crate::finding::Finding;
use crate::requirements::main_first;

/// Models that are not known for which the nearest one is looked for: each is a look at all models.
const MOST_LOOKED_UP: usize = 100;

/// The devices of a topology with what is documented for each. Every spelling of a model is looked up once for each
/// year: thousands of devices share a few.
#[derive(Debug)]
pub(crate) struct Fleet<'a> {
    pub(crate) topology: &'a Topology,
    devices: Vec<(&'a Device, usize)>,
    known: Vec<Known<'a>>,
}

/// What the catalogue knows of devices of one model made in one year.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    /// None where it does not know the model.
    pub(crate) model: Option<&'static Model>,
    /// A model that may have been meant, where it does not: of the first such ones.
    pub(crate) nearest: Option<&'static str>,
    /// On each WMS version of the pair, that of the main PBX first.
    pub(crate) on: Vec<On<'a>>,
    /// How it speaks to both PBXs.
    pub(crate) signalling: Option<Signalling>,
}

/// What is documented of a model on a WMS version.
#[derive(Debug)]
pub(crate) struct On<'a> {
    /// The first PBX that runs it.
    pub(crate) pbx: &'a Pbx,
    pub(crate) signalling: Option<Signalling>,
    pub(crate) support: Option<Support>,
    /// What an earlier edition says, where the one in force says nothing.
    pub(crate) earlier: Option<(Support, &'static Edition)>,
}

impl On<'_> {
    /// What is said of support, by the edition in force or else by an earlier one.
    pub(crate) fn said(&self) -> Option<Support> {
        self.support
            .or_else(|| self.earlier.map(|(support, _)| support))
    }

    /// The support line, where it says that failover does not carry a device made in this year.
    pub(crate) fn unsupported(&self, year: Option<u16>) -> Option<Support> {
        self.said().filter(|support| {
            support.verdict == Verdict::Unsupported && support.made.contain(year) == Some(true)
        })
    }

    /// A finding that rests on [`On::said`].
    pub(crate) fn bears_on(&self, finding: Finding) -> Finding {
        match self.earlier {
            None => finding,
            Some((_, edition)) => finding.not_repeated(edition, &self.pbx.wms.value),
        }
    }
}

impl<'a> Fleet<'a> {
    pub(crate) fn of(topology: &'a Topology) -> Self {
        let versions = versions(topology);
        let mut places: HashMap<(&str, Option<u16>), usize> = HashMap::new();
        let mut known: Vec<Known<'_>> = Vec::new();
        let mut looked_up = 0;
        let devices = topology
            .devices
            .iter()
            .map(|device| {
                let key = (device.model.value.as_str(), year(device));
                let place = *places.entry(key).or_insert_with(|| {
                    let mut new = Known::of(key.0, key.1, &versions);
                    if new.model.is_none() && looked_up < MOST_LOOKED_UP {
                        looked_up += 1;
                        new.nearest = nearest_model(key.0);
                    }
                    known.push(new);
                    known.len() - 1
                });
                (device, place)
            })
            .collect();
        Self {
            topology,
            devices,
            known,
        }
    }

    /// Every device with what is known of it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a Device, &Known<'a>)> {
        self.devices
            .iter()
            .map(|(device, place)| (*device, &self.known[*place]))
    }
}

impl<'a> Known<'a> {
    fn of(name: &str, year: Option<u16>, versions: &[&'a Pbx]) -> Self {
        let model = model(name);
        let on = |pbx: &&'a Pbx| On {
            pbx,
            signalling: model.and_then(|model| signalling_made_in(model, &pbx.wms, year)),
            support: model.and_then(|model| support(model, &pbx.wms)),
            earlier: model.and_then(|model| support_earlier(model, &pbx.wms)),
        };
        Self {
            model,
            nearest: None,
            on: versions.iter().map(on).collect(),
            signalling: model.and_then(|model| {
                let versions = versions.iter().map(|pbx| &pbx.wms.value);
                signalling_on_all(model, versions, year)
            }),
        }
    }

    /// The versions whose edition in force speaks of support before those where only an earlier one does.
    pub(crate) fn in_force_first(&self) -> impl Iterator<Item = &On<'a>> {
        let in_force = self.on.iter().filter(|on| on.earlier.is_none());
        in_force.chain(self.on.iter().filter(|on| on.earlier.is_some()))
    }

    /// Whether failover does not carry a device made in this year on a version of the pair.
    pub(crate) fn goes_down(&self, year: Option<u16>) -> bool {
        self.on
            .iter()
            .any(|on| on.unsupported(year).is_some() || (self.is_client() && self.comes_later(on)))
    }

    /// Whether it is software on a computer or mobile phone.
    pub(crate) fn is_client(&self) -> bool {
        self.model
            .is_some_and(|model| model.class == DeviceClass::Client)
    }

    /// Whether a later edition has the model among what failover carries, so that an update is what it needs.
    pub(crate) fn comes_later(&self, on: &On<'_>) -> bool {
        let carried = |support: Support| support.verdict == Verdict::Supported;
        !on.support.is_some_and(carried)
            && self
                .model
                .and_then(first_supporting)
                .is_some_and(|edition| !edition.from.reached_by(&on.pbx.wms))
    }
}

pub(crate) fn year(device: &Device) -> Option<u16> {
    device.year.as_ref().map(|year| year.value)
}

/// One PBX for each version.
fn versions(topology: &Topology) -> Vec<&Pbx> {
    let mut distinct: Vec<&Pbx> = Vec::new();
    for pbx in main_first(topology) {
        if !distinct.iter().any(|seen| seen.wms.value == pbx.wms.value) {
            distinct.push(pbx);
        }
    }
    distinct
}
