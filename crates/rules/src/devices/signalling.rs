//! How devices speak to the PBXs.

use switchover_catalogue::{Port, Transport};
use switchover_topology::model::{Device, Kind};
use switchover_topology::{Severity, Span};

use super::fleet::{Fleet, Known, On};
use super::{LIMITATIONS, TABLE, guide_386, guide_later};
use crate::finding::Finding;
use crate::registry::{Check, Rule};
use crate::requirements::SINCE_3_86;

pub(crate) const SW204: Rule = Rule {
    code: "SW204",
    name: "signalling-contradicts-table",
    severity: Severity::Error,
    summary: "a device's transport or port is not one that the guide's table has for its model",
    sources: &[guide_386(TABLE), guide_later(TABLE)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW204.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Pbx, Kind::Device],
    check: Check::Fleet(contradictions),
};

pub(crate) const SW205: Rule = Rule {
    code: "SW205",
    name: "signalling-not-encrypted",
    severity: Severity::Warning,
    summary: "a device's signalling is not encrypted; an error where the site sets `require-tls`",
    sources: &[guide_386(LIMITATIONS), guide_386(TABLE), guide_later(TABLE)],
    wms: SINCE_3_86,
    explanation: include_str!("../../explanations/SW205.md"),
    acknowledgeable: true,
    looks_at: &[Kind::Site, Kind::Pbx, Kind::Device],
    check: Check::Fleet(in_clear_text),
};

/// `tcp`, `tcp or tls`.
fn list(transports: &[Transport]) -> String {
    let words: Vec<&str> = transports
        .iter()
        .map(|transport| transport.as_str())
        .collect();
    words.join(" or ")
}

fn contradictions(fleet: &Fleet<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (device, known) in fleet.iter() {
        if device.transport.is_some() {
            findings.extend(known.on.iter().find_map(|on| transport(device, on)));
        }
        if device.port.is_some() {
            findings.extend(known.on.iter().find_map(|on| port(device, on)));
        }
    }
    findings
}

fn transport(device: &Device, on: &On<'_>) -> Option<Finding> {
    let (declared, table) = device.transport.as_ref().zip(on.signalling.as_ref())?;
    let (name, model, wms) = (&device.name.value, &device.model.value, &on.pbx.wms.value);
    let documented = list(&table.transports);
    (!table.transports.contains(&declared.value)).then(|| {
        let message = format!(
            "`{name}` is to use {}, but a {model} speaks {documented} on WMS {wms}",
            declared.value
        );
        contradiction(device, declared.span, message)
            .label(format!("the table has {documented}"))
            .help(format!(
                "leave `transport` out of `{name}`, or correct its model"
            ))
    })
}

fn port(device: &Device, on: &On<'_>) -> Option<Finding> {
    let (declared, table) = device.port.as_ref().zip(on.signalling.as_ref())?;
    let (name, model, wms) = (&device.name.value, &device.model.value, &on.pbx.wms.value);
    let port = table.documented_port;
    let documented = match port {
        Port::Fixed(number) => format!("port {number} only"),
        Port::Secure(number) => format!("port {number}, or another secure port"),
    };
    (!port.allows(declared.value)).then(|| {
        let message = format!(
            "`{name}` is to use port {}, but a {model} uses {documented} on WMS {wms}",
            declared.value
        );
        contradiction(device, declared.span, message)
            .label(format!("the table has {}", port.number()))
            .help(format!(
                "leave `port` out of `{name}`, or correct its model"
            ))
    })
}

fn contradiction(device: &Device, span: Span, message: String) -> Finding {
    Finding::new(&SW204, device.span, span, message).related(device.model.span, "the model")
}

/// What carries the signalling: what is declared, else what the table has first.
fn used(device: &Device, known: &Known<'_>) -> Option<(Transport, Span)> {
    match &device.transport {
        Some(declared) => Some((declared.value, declared.span)),
        None => {
            let first = known.signalling.as_ref()?.transports.first()?;
            Some((*first, device.model.span))
        }
    }
}

/// The WMS versions that a model is documented for: `3.86`, `3.86 and 5.01`.
fn documented_for(known: &Known<'_>) -> String {
    let documented = known.on.iter().filter(|on| on.signalling.is_some());
    let versions: Vec<&str> = documented.map(|on| on.pbx.wms.value.as_str()).collect();
    versions.join(" and ")
}

fn in_clear_text(fleet: &Fleet<'_>) -> Vec<Finding> {
    let required = fleet
        .topology
        .site
        .as_ref()
        .and_then(|site| site.require_tls.as_ref())
        .filter(|required| required.value);
    fleet
        .iter()
        .filter_map(|(device, known)| {
            let (transport, span) = used(device, known)?;
            (transport != Transport::Tls).then(|| {
                let finding = clear_text(device, known, transport, span);
                match required {
                    Some(required) => finding
                        .severity(Severity::Error)
                        .related(required.span, "the site requires TLS"),
                    None => finding,
                }
            })
        })
        .collect()
}

fn clear_text(device: &Device, known: &Known<'_>, transport: Transport, span: Span) -> Finding {
    let (name, model) = (&device.name.value, &device.model.value);
    let message = format!("signalling of `{name}` is not encrypted: it goes over {transport}");
    let finding = Finding::new(&SW205, device.span, span, message);
    let Some(table) = &known.signalling else {
        return finding
            .label(format!("{transport} is not encrypted"))
            .help(format!(
                "use `transport=\"tls\"` where the {model} speaks it, or acknowledge SW205 in `{name}` or in `defaults \"device\"` with the reason"
            ));
    };
    let all = list(&table.transports);
    let finding = finding.label(format!("{all} on WMS {}", documented_for(known)));
    if table.transports.contains(&Transport::Tls) {
        return finding.help(format!(
            "use `transport=\"tls\"` where this {model} speaks it: the table has {all}"
        ));
    }
    finding.help(format!(
        "put it where nobody can listen and acknowledge SW205 in `{name}` or in `defaults \"device\"`; or use a model that speaks tls"
    ))
}
