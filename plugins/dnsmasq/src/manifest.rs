//! What the plugin says of itself, and the settings of a target.

use serde::Deserialize;
use switchover_sdk::probe::Probes;
use switchover_sdk::{
    CommandUse, Manifest, Pattern, ProbeKind, Reach, ResourceKind, Rule, ServerSupport, UndoSupport,
};

use crate::entry::kind;
use crate::rules;

/// A target's own settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// Name of the file below the target's root.
    #[serde(default = "default_file")]
    pub(crate) file: String,
    /// Whether `local-ttl` is written, which dnsmasq accepts once in all of its configuration.
    #[serde(default = "yes")]
    pub(crate) local_ttl: bool,
    #[serde(default)]
    pub(crate) probe: Probes,
}

pub(crate) fn default_file() -> String {
    "switchover.conf".into()
}

fn yes() -> bool {
    true
}

/// Checks the file that is about to be written.
pub(crate) const TEST: &str = "test";
/// Makes dnsmasq read its configuration again.
pub(crate) const RELOAD: &str = "reload";

const SETTINGS_SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "probe": {
      "oneOf": [
        { "$ref": "#/$defs/probe" },
        { "type": "array", "items": { "$ref": "#/$defs/probe" } }
      ],
      "description": "`\"dhcp\"`: a change counts only once one device of each network is offered its address and options, else it is taken back. The question is a relay's: it needs port 67 of the machine that applies. `\"dns\"`: it also has to answer with the records that changed"
    },
    "file": {
      "type": "string",
      "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.conf$",
      "default": "switchover.conf",
      "description": "name of the file below the root; the root is the folder that dnsmasq's `conf-dir` names"
    },
    "local-ttl": {
      "type": "boolean",
      "default": true,
      "description": "write `local-ttl`, the time to live of records that have none of their own; say false where another file sets it, since dnsmasq refuses a second one"
    }
  },
  "$defs": {
    "probe": { "enum": ["dhcp", "dns"] }
  }
}"##;

pub(crate) fn manifest() -> Manifest {
    let resource = |name: &str, summary: &str| ResourceKind {
        name: name.into(),
        summary: summary.into(),
    };
    Manifest {
        resources: vec![
            resource(
                kind::SERVER,
                "a setting of the server as a whole: `local-ttl`",
            ),
            resource(kind::RANGE, "the pool and lease time of a network"),
            resource(
                kind::OUI,
                "first bytes of hardware addresses that mark a network's telephones",
            ),
            resource(kind::OPTION, "one option for every client of a network"),
            resource(
                kind::PHONE_OPTION,
                "one option for the telephones of a network",
            ),
            resource(kind::HOST, "the address and name of one device"),
            resource(kind::RECORD, "one DNS record"),
            resource(
                kind::LINE,
                "a line of the file that this plugin did not write",
            ),
        ],
        servers: vec![ServerSupport {
            product: "dnsmasq".into(),
            versions: "2.90 and later".into(),
        }],
        findings: Rule::declare(rules::ALL),
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Files],
        // The folder is listed for an import only.
        reads: vec![
            Pattern::File("*.conf".into()),
            Pattern::Folder(String::new()),
            Pattern::Probe(ProbeKind::DhcpDiscover),
            Pattern::Probe(ProbeKind::DnsQuery),
        ],
        writes: vec![Pattern::File("*.conf".into())],
        commands: vec![
            CommandUse::optional(
                TEST,
                "checks a file before it is put in place: `dnsmasq --test --conf-file={file}`",
            ),
            CommandUse::optional(
                RELOAD,
                "restarts dnsmasq, such as `systemctl restart dnsmasq`; SIGHUP does not make it read this file again",
            ),
        ],
        undo: UndoSupport::Native,
        adopts: true,
        ..Manifest::new(
            "dnsmasq",
            env!("CARGO_PKG_VERSION"),
            "DHCP ranges, options and hosts, and DNS records of dnsmasq, in a file of their own",
        )
    }
}
