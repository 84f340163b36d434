//! What the plugin says of itself, and the settings of a target.

use std::net::SocketAddrV4;

use serde::Deserialize;
use serde_json::json;
use switchover_sdk::probe::Probes;
use switchover_sdk::{
    CommandUse, Manifest, Pattern, ProbeKind, Reach, ResourceKind, Rule, ServerSupport, UndoSupport,
};

use crate::entry::kind;
use crate::procedure::{DELETE, SET, VERSION};
use crate::rules;

/// A target's own settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// Name of the plugin's own file below the target's root.
    pub(crate) file: String,
    /// Name of the file that includes it, which is read and never written.
    pub(crate) main: String,
    /// None: the PBX's host name.
    pub(crate) realm: Option<String>,
    pub(crate) domains: Words,
    pub(crate) rpc: SocketAddrV4,
    pub(crate) rpc_allow: Words,
    pub(crate) tls_certificate: String,
    pub(crate) tls_key: String,
    pub(crate) ring_seconds: u32,
    /// An extension or a call group.
    pub(crate) incoming: Option<String>,
    pub(crate) probe: Probes,
}

/// One argument of a node is a value, several are an array.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Words {
    One(String),
    Many(Vec<String>),
}

impl Words {
    pub(crate) fn as_slice(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            file: "switchover.cfg".into(),
            main: "kamailio.cfg".into(),
            realm: None,
            domains: Words::Many(Vec::new()),
            rpc: SocketAddrV4::new([127, 0, 0, 1].into(), 5065),
            rpc_allow: Words::One("127.0.0.1".into()),
            tls_certificate: "/etc/kamailio/kamailio-selfsigned.pem".into(),
            tls_key: "/etc/kamailio/kamailio-selfsigned.key".into(),
            ring_seconds: 20,
            incoming: None,
            probe: Probes::default(),
        }
    }
}

/// Checks a file as a whole configuration.
pub(crate) const TEST: &str = "test";
/// Makes Kamailio read its configuration again.
pub(crate) const RESTART: &str = "restart";

/// Where JSON-RPC is served. Kamailio's `xhttp` takes any path; this is the usual one.
pub(crate) const RPC_PATH: &str = "/RPC";

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
      "description": "`\"sip\"`: a change counts only once Kamailio answers OPTIONS at each of its ports over UDP and TCP, `\"sips\"`: over TLS, where its certificate is checked; else it is taken back"
    },
    "file": {
      "type": "string",
      "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.cfg$",
      "default": "switchover.cfg",
      "description": "name of the plugin's own file below the root; the root is usually `/etc/kamailio`"
    },
    "main": {
      "type": "string",
      "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]*\\.cfg$",
      "default": "kamailio.cfg",
      "description": "name of the file below the root that Kamailio is started with; it must include `file` and call `route(SWITCHOVER)`, and is read but never written"
    },
    "realm": {
      "type": "string",
      "pattern": "^[A-Za-z0-9._-]+$",
      "description": "realm of digest authentication; the PBX's host name where absent"
    },
    "domains": {
      "description": "more names under which telephones ask this server, beside the host names of both PBXs",
      "oneOf": [
        { "$ref": "#/$defs/domain" },
        { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/domain" } }
      ]
    },
    "rpc": {
      "type": "string",
      "pattern": "^[0-9.]+:[0-9]{1,5}$",
      "default": "127.0.0.1:5065",
      "description": "address and TCP port at which Kamailio serves JSON-RPC; the target's `endpoint` has to lead there"
    },
    "rpc-allow": {
      "default": "127.0.0.1",
      "description": "addresses and subnets from which JSON-RPC is taken; it has no password, and whoever may use it can read and change everything",
      "oneOf": [
        { "$ref": "#/$defs/subnet" },
        { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/subnet" } }
      ]
    },
    "tls-certificate": {
      "type": "string",
      "pattern": "^/[^'\"\\\\\\s]+$",
      "default": "/etc/kamailio/kamailio-selfsigned.pem",
      "description": "path of the certificate with its chain, where telephones use TLS"
    },
    "tls-key": {
      "type": "string",
      "pattern": "^/[^'\"\\\\\\s]+$",
      "default": "/etc/kamailio/kamailio-selfsigned.key",
      "description": "path of the certificate's key"
    },
    "ring-seconds": {
      "type": "integer", "minimum": 1, "maximum": 600, "default": 20,
      "description": "how long a member of a call group rings before the next one does"
    },
    "incoming": {
      "type": "string",
      "description": "extension or call group that gets calls of a trunk to a number that is neither; such calls are refused where absent"
    }
  },
  "$defs": {
    "probe": { "enum": ["sip", "sips"] },
    "domain": { "type": "string", "pattern": "^[A-Za-z0-9._-]+$" },
    "subnet": { "type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+(/[0-9]+)?$" }
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
                kind::LISTENER,
                "a transport, address and port that is listened on",
            ),
            resource(kind::ALIAS, "a name under which this server is asked"),
            resource(kind::SETTING, "a setting of the server as a whole"),
            resource(
                kind::ROUTING,
                "how requests are handled, the same everywhere",
            ),
            resource(kind::USER, "an extension and its password"),
            resource(
                kind::CALL_GROUP,
                "a call group: its members and how they are rung",
            ),
            resource(
                kind::TRUNK,
                "an incoming trunk, known by the address of its provider",
            ),
            resource(
                kind::LINE,
                "a line of the file that this plugin did not write",
            ),
        ],
        servers: vec![ServerSupport {
            product: "Kamailio".into(),
            versions: "5.6 and later".into(),
        }],
        findings: Rule::declare(rules::ALL),
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Files, Reach::Http],
        reads: vec![
            Pattern::File("*.cfg".into()),
            calls(&[VERSION]),
            Pattern::Probe(ProbeKind::SipOptions),
        ],
        writes: vec![Pattern::File("*.cfg".into()), calls(&[SET, DELETE])],
        commands: vec![
            CommandUse::optional(
                TEST,
                "checks a file, the new one by itself and then all of the configuration: `kamailio -c -f {file}`",
            ),
            CommandUse::optional(
                RESTART,
                "restarts Kamailio, such as `systemctl restart kamailio`; run where something else than users, call groups and trunks changes",
            ),
        ],
        undo: UndoSupport::Plugin,
        ..Manifest::new(
            "kamailio",
            env!("CARGO_PKG_VERSION"),
            "a PBX of the pair by Kamailio: registrar, call groups and incoming trunks",
        )
    }
}

/// JSON-RPC of these methods.
fn calls(methods: &[&str]) -> Pattern {
    let methods: Vec<_> = methods.iter().map(|method| json!(method)).collect();
    Pattern::http_with_body("POST", RPC_PATH, [("/method", methods.as_slice())])
}
