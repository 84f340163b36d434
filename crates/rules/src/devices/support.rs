//! Whether failover carries a device at all.

use switchover_catalogue::{
    Document, Model, Source, Verdict, WP480_OF_2015_2016, Years, edition, first_supporting,
};
use switchover_topology::Severity;
use switchover_topology::model::{Device, Kind};

use super::fleet::{Fleet, Known, On, year};
use super::{FEATURES, LIMITATIONS, guide_386, guide_later};
use crate::finding::{Finding, not_repeated};
use crate::registry::{Check, Rule};
use crate::requirements::SINCE_3_86;

pub(crate) const SW201: Rule = Rule {
    code: "SW201",
    name: "unsupported-model",
    severity: Severity::Error,
    summary: "failover does not carry devices of this model",
    sources: &[guide_386(LIMITATIONS)],
    wms: "3.86 to 4.X",
    explanation: include_str!("../../explanations/SW201.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(unsupported),
};

pub(crate) const SW202: Rule = Rule {
    code: "SW202",
    name: "firmware-too-old",
    severity: Severity::Error,
    summary: "a device's firmware is older than failover needs on its model",
    sources: &[guide_386(FEATURES), guide_later(FEATURES)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW202.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(firmware),
};

pub(crate) const SW203: Rule = Rule {
    code: "SW203",
    name: "client-not-yet-supported",
    severity: Severity::Error,
    summary: "failover carries this client only from a later WMS, or a later version of the client, on",
    sources: &[guide_386(FEATURES), guide_later(FEATURES)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW203.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(clients),
};

pub(crate) const SW208: Rule = Rule {
    code: "SW208",
    name: "unknown-model",
    severity: Severity::Error,
    summary: "a device's model is not in the catalogue, so nothing can be said about it",
    sources: &[Source {
        document: Document::Practice,
        section: "what is not known is not planned with",
    }],
    wms: "any",
    explanation: include_str!("../../explanations/SW208.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Device],
    check: Check::Fleet(unknown),
};

pub(crate) const SW214: Rule = Rule {
    code: "SW214",
    name: "production-year-unknown",
    severity: Severity::Warning,
    summary: "a device declares no year of production, and what the guide says of its model depends on it",
    sources: &[guide_386(LIMITATIONS)],
    wms: "3.86 to 4.X",
    explanation: include_str!("../../explanations/SW214.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(without_year),
};

fn unsupported(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet
        .iter()
        .filter_map(|(device, known)| {
            let made = year(device);
            // A client that only has to wait for a later WMS is another rule's.
            let (on, support) = known
                .in_force_first()
                .filter(|on| !(known.is_client() && known.comes_later(on)))
                .find_map(|on| on.unsupported(made).map(|support| (on, support)))?;
            Some(not_carried(device, on, support.made))
        })
        .collect()
}

fn not_carried(device: &Device, on: &On<'_>, made: Years) -> Finding {
    let (name, model) = (&device.name.value, &device.model.value);
    let of = match &device.year {
        Some(year) if made != Years::ANY => format!("{model} made in {}", year.value),
        _ => model.clone(),
    };
    let message = format!(
        "`{name}` goes down with its PBX: failover does not carry {}",
        article(&of)
    );
    let version = match on.support {
        Some(_) => "the version that says so",
        None => "the guide for this version does not say so",
    };
    let finding = Finding::new(&SW201, device.span, device.model.span, message)
        .label("not supported by failover")
        .related(on.pbx.wms.span, version);
    let finding = on.bears_on(finding);
    let finding = match &device.year {
        Some(year) if made != Years::ANY => {
            finding.related(year.span, format!("not supported if made in {made}"))
        }
        _ => finding,
    };
    finding.help(format!(
        "replace it with a model that fails over, or acknowledge SW201 in `{name}` to accept that it goes down"
    ))
}

/// With the name in it as a person would read it out: a W-AIR, an iOS client.
fn article(name: &str) -> String {
    let vowel = name.starts_with(|letter: char| "aeioAEIO".contains(letter));
    format!("{} {name}", if vowel { "an" } else { "a" })
}

fn firmware(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet
        .iter()
        .filter(|(_, known)| !known.is_client())
        .filter_map(|(device, known)| {
            let firmware = device.firmware.as_ref()?;
            let (on, minimum) = below_minimum(device, known)?;
            let (name, model) = (&device.name.value, known.model?.name);
            let message = format!(
                "`{name}` runs firmware {}, but {} fails over from {minimum} on",
                firmware.value,
                article(model)
            );
            Some(
                Finding::new(&SW202, device.span, firmware.span, message)
                    .label(format!("older than {minimum}"))
                    .related(
                        device.model.span,
                        format!("the model, on WMS {}", on.pbx.wms.value),
                    )
                    .help(format!("update `{name}` to firmware {minimum} or later")),
            )
        })
        .collect()
}

/// The oldest version that suffices, where the declared one does not; for the first WMS version that asks for it.
fn below_minimum<'k, 'a>(
    device: &Device,
    known: &'k Known<'a>,
) -> Option<(&'k On<'a>, switchover_catalogue::Release)> {
    let firmware = &device.firmware.as_ref()?.value;
    known.on.iter().find_map(|on| {
        let support = on
            .support
            .filter(|support| support.verdict == Verdict::Supported)?;
        let minimum = support.minimum?;
        (!minimum.reached_by(firmware)).then_some((on, minimum))
    })
}

fn clients(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet
        .iter()
        .filter(|(_, known)| known.is_client())
        .filter_map(|(device, known)| {
            let model = known.model?;
            // What is too old for failover altogether is another rule's.
            let early = known
                .on
                .iter()
                .find(|on| edition(&on.pbx.wms).is_some() && known.comes_later(on));
            match early {
                Some(on) => Some(too_early(device, model, on)),
                None => below_minimum(device, known).and_then(|(on, minimum)| {
                    let version = device.firmware.as_ref()?;
                    let name = &device.name.value;
                    let message = format!(
                        "`{name}` is version {} of the {}, which fails over from {minimum} on",
                        version.value, model.name
                    );
                    Some(
                        Finding::new(&SW203, device.span, version.span, message)
                            .label(format!("older than {minimum}"))
                            .related(
                                device.model.span,
                                format!("the client, on WMS {}", on.pbx.wms.value),
                            )
                            .help(format!("update it to {minimum} or later")),
                    )
                }),
            }
        })
        .collect()
}

fn too_early(device: &Device, model: &Model, on: &On<'_>) -> Finding {
    let (name, wms) = (&device.name.value, &on.pbx.wms.value);
    let later = first_supporting(model).map_or("a later version", |edition| edition.name);
    let message = format!(
        "`{name}` goes down with its PBX: WMS {wms} does not fail over the client {}, WMS {later} does",
        model.name
    );
    Finding::new(&SW203, device.span, device.model.span, message)
        .label("not on this version")
        .related(on.pbx.wms.span, format!("`{}` runs it", on.pbx.name.value))
        .help(format!(
            "update the PBXs to WMS {later}, or acknowledge SW203 in `{name}` and give its user a telephone as well"
        ))
}

fn unknown(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet
        .iter()
        .filter(|(_, known)| known.model.is_none())
        .map(|(device, known)| {
            let message = format!("model `{}` is not in the catalogue", device.model.value);
            let help = known.nearest.map_or_else(
                || "models are named as in the vendor's guide, such as `WP480`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            Finding::new(&SW208, device.span, device.model.span, message)
                .label("whether and how it fails over is not known")
                .help(help)
        })
        .collect()
}

fn without_year(fleet: &Fleet<'_>) -> Vec<Finding> {
    fleet
        .iter()
        .filter(|(device, _)| device.year.is_none())
        .filter_map(|(device, known)| {
            let depends = known.in_force_first().find_map(|on| depends(known, on))?;
            let (name, model) = (&device.name.value, &device.model.value);
            let message = format!("`{name}` declares no year, and {depends}");
            Some(
                Finding::new(&SW214, device.span, device.model.span, message)
                    .label("the year of production decides")
                    .help(format!(
                        "declare `year` of `{name}`: the type plate of the {model} has it"
                    )),
            )
        })
        .collect()
}

/// What depends on the year.
fn depends(known: &Known<'_>, on: &On<'_>) -> Option<String> {
    let model = known.model?;
    let wms = &on.pbx.wms.value;
    let support = on
        .said()
        .filter(|support| support.made != Years::ANY)
        .map(|support| {
            let elsewhere = match on.earlier {
                None => format!(" on WMS {wms}"),
                Some((_, edition)) => not_repeated(edition, wms),
            };
            format!(
                "{} made in {} does not fail over{elsewhere}",
                article(model.name),
                support.made
            )
        });
    support.or_else(|| {
        let limitation = &WP480_OF_2015_2016;
        let concerned = match limitation.trigger {
            switchover_catalogue::Trigger::Made { models, .. } => models.contains(&model.name),
            _ => false,
        };
        // Elsewhere it would ask for the year of every telephone for a limitation that may be none.
        let years = limitation
            .trigger
            .years()
            .filter(|_| concerned && limitation.documented_for(wms))?;
        Some(format!(
            "calls to one made in {}–{} cannot be completed normally while it is on the failover PBX (WMS {wms})",
            years.start(),
            years.end()
        ))
    })
}
