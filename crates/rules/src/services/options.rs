//! What devices are told by DHCP.

use switchover_catalogue::{DhcpValueType, Document, Source, dhcp_option, rfc};
use switchover_topology::model::{Kind, Provisioning};
use switchover_topology::{Severity, Spanned, Topology};

use super::SERVICE;
use crate::finding::Finding;
use crate::registry::{Check, Rule};

pub(crate) const SW409: Rule = Rule {
    code: "SW409",
    name: "provisioning-option-means-something-else",
    severity: Severity::Error,
    summary: "the DHCP option that is to hold the provisioning URL means something else",
    sources: &[
        rfc(2132, "9.4"),
        Source {
            document: Document::Practice,
            section: "one option, one meaning",
        },
    ],
    explanation: include_str!("../../explanations/SW409.md"),
    looks_at: &[Kind::Provisioning],
    check: Check::Topology(misused),
    ..SERVICE
};

/// Options of a documented type that telephones read a URL from: vendor information, server name, file name.
const HOLD_A_URL: [u8; 3] = [43, 66, 67];

fn misused(topology: &Topology) -> Vec<Finding> {
    let services = topology.provisioning.iter();
    services
        .filter_map(|service| {
            let code = service.dhcp_option.as_ref()?;
            meaning(code.value).map(|meaning| found(service, code, &meaning))
        })
        .collect()
}

/// What clients take the option for, where that is not the address of their files.
fn meaning(code: u8) -> Option<String> {
    if HOLD_A_URL.contains(&code) {
        return None;
    }
    if let Some(known) = dhcp_option(code) {
        let holds = match known.value {
            DhcpValueType::Text => "a text of another meaning",
            DhcpValueType::Address | DhcpValueType::Addresses => "addresses",
            DhcpValueType::SipServers => "SIP servers",
            DhcpValueType::Uint8 | DhcpValueType::Uint16 | DhcpValueType::Uint32 => "a number",
            DhcpValueType::Hex => "bytes of a structure",
        };
        return Some(format!("is `{}` and holds {holds}", known.name));
    }
    // RFC 2132, section 9, RFC 2132, section 9.14, and RFC 3046: the protocol's own.
    let own = matches!(code, 50..=59 | 61 | 82);
    own.then(|| "is the protocol's own".to_owned())
}

fn found(service: &Provisioning, code: &Spanned<u8>, meaning: &str) -> Finding {
    let name = &service.name.value;
    let message = format!(
        "the URL of `{name}` cannot go into DHCP option {}, which {meaning}",
        code.value
    );
    Finding::new(&SW409, service.span, code.span, message)
        .label("means something else")
        .help("use 66 (`tftp-server-name`), or the option that the vendor reads, such as 160")
}
