//! What the plugin says of itself, and the settings of a target.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use switchover_sdk::probe::Probes;
use switchover_sdk::{
    Manifest, Pattern, ProbeKind, Reach, ResourceKind, Rule, ServerSupport, UndoSupport,
};

use crate::rules;
use crate::shape::kind;

/// A target's own settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    #[serde(default)]
    pub(crate) control: Control,
    /// Whether Kea writes its configuration file after a change, so that the change outlives a restart.
    #[serde(default = "yes")]
    pub(crate) persist: bool,
    #[serde(default)]
    pub(crate) high_availability: HighAvailability,
    /// Where both servers take each other's commands.
    #[serde(default = "default_port")]
    pub(crate) ha_port: u16,
    #[serde(default)]
    pub(crate) ha_listener: Listener,
    /// What the peers say to each other's control agents, where those ask.
    pub(crate) ha_user: Option<String>,
    pub(crate) ha_password_file: Option<String>,
    #[serde(default = "default_delay")]
    pub(crate) ha_heartbeat_delay_ms: u64,
    #[serde(default = "default_max_response_delay")]
    pub(crate) ha_max_response_delay_ms: u64,
    #[serde(default = "default_delay")]
    pub(crate) ha_max_ack_delay_ms: u64,
    #[serde(default = "default_max_unacked_clients")]
    pub(crate) ha_max_unacked_clients: u64,
    /// Folder of the server's hook libraries; empty for a server that finds them by their names.
    #[serde(default = "default_hooks_path")]
    pub(crate) hooks_path: String,
    #[serde(default)]
    pub(crate) probe: Probes,
}

fn yes() -> bool {
    true
}

fn default_port() -> u16 {
    8000
}

fn default_delay() -> u64 {
    10_000
}

fn default_max_response_delay() -> u64 {
    60_000
}

fn default_max_unacked_clients() -> u64 {
    10
}

fn default_hooks_path() -> String {
    "/usr/lib/x86_64-linux-gnu/kea/hooks".into()
}

/// Who answers at the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Control {
    /// The control agent, which forwards a command to the services that it names.
    #[default]
    Agent,
    /// The HTTP control socket of the DHCPv4 server itself.
    Direct,
}

/// Who makes the servers of one service know of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HighAvailability {
    /// This plugin, where a service has two servers with a target each.
    #[default]
    Managed,
    /// Somebody else configured it; held against what the server says before anything is changed.
    Present,
}

/// Where a peer's commands arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Listener {
    /// At the control agent, or the HTTP control socket of the server.
    #[default]
    Control,
    /// At a port that the hook opens for itself.
    Dedicated,
}

pub(crate) const CONFIG_GET: &str = "config-get";
pub(crate) const VERSION_GET: &str = "version-get";
pub(crate) const CONFIG_TEST: &str = "config-test";
pub(crate) const CONFIG_SET: &str = "config-set";
pub(crate) const CONFIG_WRITE: &str = "config-write";

/// Every command goes there, below the endpoint.
pub(crate) const PATH: &str = "/";

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
      "description": "`\"dhcp\"`: a change counts only once one device of each network is offered its address and options, else it is taken back. The question is a relay's: it needs port 67 of the machine that applies; a standby is not asked"
    },
    "control": {
      "enum": ["agent", "direct"],
      "default": "agent",
      "description": "who answers at the endpoint: the control agent, or the server's own HTTP control socket (Kea 2.7.2 and later)"
    },
    "persist": {
      "type": "boolean",
      "default": true,
      "description": "write Kea's configuration file after a change (config-write); comments and formatting of that file are lost"
    },
    "high-availability": {
      "enum": ["managed", "present"],
      "default": "managed",
      "description": "`managed`: a service whose two servers have a target each gets a hot-standby pair. `present`: a `high-availability` hook is configured on this server by somebody else; it is checked before a change and never touched"
    },
    "ha-port": {
      "type": "integer", "minimum": 1, "maximum": 65535, "default": 8000,
      "description": "port at which both servers take each other's commands, at their addresses in the `dhcp` node; the same in both targets"
    },
    "ha-listener": {
      "enum": ["control", "dedicated"],
      "default": "control",
      "description": "what listens at `ha-port`: the control agent or the server's own HTTP control socket; or a listener of the hook itself, for which the port must be free and multi-threading on"
    },
    "ha-user": {
      "type": "string", "minLength": 1,
      "description": "user that the peers name to each other where the control agents ask for one"
    },
    "ha-password-file": {
      "type": "string", "minLength": 1,
      "description": "path, on both servers, of a file with the password of `ha-user`; the password itself is never read or sent"
    },
    "ha-heartbeat-delay-ms": {
      "type": "integer", "minimum": 1, "maximum": 4294967295, "default": 10000,
      "description": "silence after which a peer asks the other for a sign of life (`heartbeat-delay`)"
    },
    "ha-max-response-delay-ms": {
      "type": "integer", "minimum": 1, "maximum": 4294967295, "default": 60000,
      "description": "silence after which the connection to the peer is taken to be lost (`max-response-delay`)"
    },
    "ha-max-ack-delay-ms": {
      "type": "integer", "minimum": 1, "maximum": 4294967295, "default": 10000,
      "description": "time for which a client may wait for the peer before it counts as unanswered (`max-ack-delay`)"
    },
    "ha-max-unacked-clients": {
      "type": "integer", "minimum": 0, "maximum": 4294967295, "default": 10,
      "description": "unanswered clients after which the standby takes over; 0: as soon as the connection is lost (`max-unacked-clients`)"
    },
    "hooks-path": {
      "type": "string",
      "default": "/usr/lib/x86_64-linux-gnu/kea/hooks",
      "description": "folder of the server's hook libraries; the default is Debian's on 64-bit PCs. Empty: the libraries are named without a folder, which Kea takes since 2.7.9"
    }
  },
  "$defs": {
    "probe": { "enum": ["dhcp"] }
  }
}"##;

/// Keys of Kea's configuration that hold secrets: of lease and host databases, of the control sockets' clients, of the
/// peers of high availability, of RADIUS servers.
const SENSITIVE_KEYS: [&str; 3] = ["password", "basic-auth-password", "secret"];

pub(crate) fn manifest() -> Manifest {
    let resource = |name: &str, summary: &str| ResourceKind {
        name: name.into(),
        summary: summary.into(),
    };
    Manifest {
        resources: vec![
            resource(
                kind::SUBNET,
                "a subnet: its pools, lease time and required classes",
            ),
            resource(kind::OPTION, "one option for every client of a subnet"),
            resource(
                kind::RESERVATION,
                "the address and host name of one device in a subnet",
            ),
            resource(
                kind::CLASS,
                "a client class and its options, such as those of a network's telephones",
            ),
            resource(
                kind::OPTION_DEF,
                "the type of an option that Kea does not know by itself",
            ),
            resource(kind::HOOK, "a hook library that is loaded"),
            resource(
                kind::HIGH_AVAILABILITY,
                "the hot-standby pair that this server is one of",
            ),
        ],
        servers: vec![
            ServerSupport {
                product: "ISC Kea DHCPv4, through the control agent".into(),
                versions: "2.2 and later".into(),
            },
            ServerSupport {
                product: "ISC Kea DHCPv4, through its HTTP control socket".into(),
                versions: "2.7.2 and later".into(),
            },
        ],
        findings: Rule::declare(rules::ALL),
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Http],
        reads: vec![
            commands(&[CONFIG_GET, VERSION_GET]),
            Pattern::Probe(ProbeKind::DhcpDiscover),
        ],
        writes: vec![commands(&[CONFIG_TEST, CONFIG_SET, CONFIG_WRITE])],
        undo: UndoSupport::Plugin,
        sensitive_keys: SENSITIVE_KEYS.map(Into::into).into(),
        adopts: true,
        ..Manifest::new(
            "kea",
            env!("CARGO_PKG_VERSION"),
            "subnets, pools, reservations and options of ISC Kea, a class for the telephones of each network, and hot-standby pairs",
        )
    }
}

fn commands(names: &[&str]) -> Pattern {
    let names: Vec<Value> = names.iter().map(|name| json!(name)).collect();
    Pattern::http_with_body("POST", PATH, [("/command", names.as_slice())])
}
