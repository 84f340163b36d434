//! What the plugin says of itself, and the settings of a target.

use serde::Deserialize;
use serde_json::{Value, json};
use switchover_sdk::{Failure, Manifest, Pattern, Reach, ResourceKind, ServerSupport, UndoSupport};

use crate::configuration::Configuration;
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
}

fn yes() -> bool {
    true
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

/// What is known about the servers of one service knowing of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum HighAvailability {
    /// Nothing: a second active server is refused.
    #[default]
    None,
    /// Somebody else configured it; held against what the server says before anything is changed.
    Present,
}

impl HighAvailability {
    /// # Errors
    /// The target says that high availability is there, and it is not.
    pub(crate) fn hold_against(self, configuration: &Configuration) -> Result<(), Failure> {
        if self == Self::Present && !configuration.has_high_availability() {
            return Err(Failure::new(
                "no-high-availability",
                "the target says `high-availability \"present\"`, but kea runs without a `high-availability` hook",
            )
            .with_help(
                "configure libdhcp_ha.so on this server first; without it two servers hand out the same addresses",
            ));
        }
        Ok(())
    }
}

pub(crate) const CONFIG_GET: &str = "config-get";
pub(crate) const VERSION_GET: &str = "version-get";
pub(crate) const CONFIG_TEST: &str = "config-test";
pub(crate) const CONFIG_SET: &str = "config-set";
pub(crate) const CONFIG_WRITE: &str = "config-write";

/// Every command goes there, below the endpoint.
pub(crate) const PATH: &str = "/";

const SETTINGS_SCHEMA: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
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
      "enum": ["none", "present"],
      "default": "none",
      "description": "`present` says that a `high-availability` hook is already configured on this server; it is checked before a change and never touched"
    }
  }
}"#;

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
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Http],
        reads: vec![commands(&[CONFIG_GET, VERSION_GET])],
        writes: vec![commands(&[CONFIG_TEST, CONFIG_SET, CONFIG_WRITE])],
        undo: UndoSupport::Plugin,
        sensitive_keys: SENSITIVE_KEYS.map(Into::into).into(),
        ..Manifest::new(
            "kea",
            env!("CARGO_PKG_VERSION"),
            "subnets, pools, reservations and options of ISC Kea, and a class for the telephones of each network",
        )
    }
}

fn commands(names: &[&str]) -> Pattern {
    let names: Vec<Value> = names.iter().map(|name| json!(name)).collect();
    Pattern::http_with_body("POST", PATH, [("/command", names.as_slice())])
}
