//! What the plugin says of itself, and the settings of a target.

use serde::Deserialize;
use switchover_sdk::{
    Manifest, Pattern, ProbeKind, Reach, ResourceKind, Rule, ServerSupport, UndoSupport,
};

use crate::rrset::KIND;
use crate::rules;

/// A target's own settings. Its `server` and `tsig` are the engine's.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// Whether a change counts only once the zone's secondary servers have it.
    #[serde(default = "yes")]
    pub(crate) await_secondaries: bool,
}

fn yes() -> bool {
    true
}

const SETTINGS_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "await-secondaries": {
      "type": "boolean",
      "default": true,
      "description": "a change counts only once the zone's secondary servers have its serial and answer with it (30 s at most), else it is taken back; say #false while one of them is out of order"
    }
  }
}"#;

pub(crate) fn manifest() -> Manifest {
    let server = |product: &str, versions: &str| ServerSupport {
        product: product.into(),
        versions: versions.into(),
    };
    Manifest {
        resources: vec![ResourceKind {
            name: KIND.into(),
            summary: "all records of one name and one type".into(),
        }],
        servers: vec![
            server("BIND", "9.18 and later"),
            server("Knot DNS", "3.2 and later"),
            server(
                "PowerDNS Authoritative Server",
                "4.7 and later, with `dnsupdate=yes`",
            ),
        ],
        findings: Rule::declare(rules::ALL),
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Dns],
        reads: vec![
            Pattern::Zone("*".into()),
            Pattern::Probe(ProbeKind::DnsQuery),
        ],
        writes: vec![Pattern::Zone("*".into())],
        undo: UndoSupport::Plugin,
        ..Manifest::new(
            "rfc2136",
            env!("CARGO_PKG_VERSION"),
            "records of a DNS zone, read by AXFR and changed by updates signed with TSIG",
        )
    }
}
