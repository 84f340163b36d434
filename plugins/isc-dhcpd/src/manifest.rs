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
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// Name of the plugin's own file below the target's root.
    pub(crate) file: String,
    /// Name of the file that includes it, which is read and never written.
    pub(crate) main: String,
    pub(crate) failover_port: u16,
    /// How long a server may extend a lease without asking its peer.
    pub(crate) mclt_seconds: u32,
    /// How many of 256 clients the primary answers first.
    pub(crate) split: u16,
    pub(crate) max_response_delay_seconds: u32,
    pub(crate) max_unacked_updates: u32,
    pub(crate) load_balance_max_seconds: u32,
    pub(crate) probe: Probes,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            file: "switchover.conf".into(),
            main: "dhcpd.conf".into(),
            failover_port: 647,
            mclt_seconds: 3600,
            split: 128,
            max_response_delay_seconds: 60,
            max_unacked_updates: 10,
            load_balance_max_seconds: 3,
            probe: Probes::default(),
        }
    }
}

/// Checks a file as a whole configuration.
pub(crate) const TEST: &str = "test";
/// Makes dhcpd read its configuration again.
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
      "description": "`\"dhcp\"`: a change counts only once one device of each network is offered its address and options, else it is taken back. The question is a relay's: it needs port 67 of the machine that applies"
    },
    "file": {
      "type": "string",
      "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.conf$",
      "default": "switchover.conf",
      "description": "name of the plugin's own file below the root; the root is usually `/etc/dhcp`"
    },
    "main": {
      "type": "string",
      "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.conf$",
      "default": "dhcpd.conf",
      "description": "name of the file below the root that dhcpd is started with; it must include `file`, and is read but never written"
    },
    "failover-port": {
      "type": "integer", "minimum": 1, "maximum": 65535, "default": 647,
      "description": "TCP port of both failover peers"
    },
    "mclt-seconds": {
      "type": "integer", "minimum": 1, "maximum": 4294967295, "default": 3600,
      "description": "how long a server may extend a lease without asking its peer (`mclt`, on the primary)"
    },
    "split": {
      "type": "integer", "minimum": 0, "maximum": 256, "default": 128,
      "description": "how many of 256 clients the primary answers first (`split`, on the primary); 256: all of them"
    },
    "max-response-delay-seconds": {
      "type": "integer", "minimum": 1, "maximum": 4294967295, "default": 60,
      "description": "silence after which the peer is taken to be away (`max-response-delay`)"
    },
    "max-unacked-updates": {
      "type": "integer", "minimum": 1, "maximum": 4294967295, "default": 10,
      "description": "updates sent to the peer before its answer is waited for (`max-unacked-updates`)"
    },
    "load-balance-max-seconds": {
      "type": "integer", "minimum": 1, "maximum": 255, "default": 3,
      "description": "how long a client has waited for one server when the other answers in its place (`load balance max seconds`)"
    }
  },
  "$defs": {
    "probe": { "enum": ["dhcp"] }
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
                kind::OPTION_DEF,
                "the name and type of an option that dhcpd does not know by itself",
            ),
            resource(
                kind::FAILOVER,
                "the failover peer of a DHCP service, seen from this server",
            ),
            resource(kind::SUBNET, "a subnet: its pools and lease times"),
            resource(kind::OPTION, "one option for every client of a subnet"),
            resource(
                kind::PHONES,
                "first bytes of hardware addresses that mark a subnet's telephones",
            ),
            resource(
                kind::PHONE_OPTION,
                "one option for the telephones of a subnet",
            ),
            resource(kind::HOST, "the address and host name of one device"),
            resource(
                kind::STATEMENT,
                "a statement that this plugin did not write",
            ),
        ],
        servers: vec![ServerSupport {
            product: "ISC dhcpd".into(),
            versions: "4.4 and later".into(),
        }],
        findings: Rule::declare(rules::ALL),
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Files],
        reads: vec![
            Pattern::File("*.conf".into()),
            Pattern::Probe(ProbeKind::DhcpDiscover),
        ],
        writes: vec![Pattern::File("*.conf".into())],
        commands: vec![
            CommandUse::optional(
                TEST,
                "checks a file, the new one by itself and then all of the configuration: `dhcpd -t -cf {file}`",
            ),
            CommandUse::optional(
                RELOAD,
                "restarts dhcpd, such as `systemctl restart isc-dhcp-server`; it cannot read its configuration again otherwise",
            ),
        ],
        undo: UndoSupport::Native,
        adopts: true,
        ..Manifest::new(
            "isc-dhcpd",
            env!("CARGO_PKG_VERSION"),
            "subnets, pools, hosts, options and failover peers of ISC dhcpd, in a file of their own",
        )
    }
}
