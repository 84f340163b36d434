//! What the plugin says of itself, and the settings of a target.

use serde::Deserialize;
use switchover_sdk::{Manifest, Pattern, Reach, ResourceKind, Rule, ServerSupport, UndoSupport};

use crate::rules;
use crate::shape::kind;

/// A target's own settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) sip_passwords: Compared,
    pub(crate) trunks: Compared,
    pub(crate) call_groups: Compared,
    pub(crate) members: Compared,
    /// Whether every extension with a telephone must be registered here.
    pub(crate) verify_registrations: bool,
    /// Seconds in which telephones may register after a change where no source speaks of their model.
    pub(crate) registration_patience: u32,
    pub(crate) ntp: Option<String>,
    pub(crate) language_field: String,
    pub(crate) region_field: String,
    pub(crate) dialplan: Option<String>,
    pub(crate) license: Option<String>,
    pub(crate) provision: Option<bool>,
    pub(crate) alternate_port: Option<u16>,
    /// Records asked for at once; a PBX may give fewer.
    pub(crate) page_size: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sip_passwords: Compared::Compared,
            trunks: Compared::Compared,
            call_groups: Compared::Compared,
            members: Compared::Compared,
            verify_registrations: false,
            registration_patience: 300,
            ntp: None,
            language_field: "language".into(),
            region_field: "region".into(),
            dialplan: None,
            license: None,
            provision: None,
            alternate_port: None,
            page_size: 100,
        }
    }
}

/// Whether something is held against the topology at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Compared {
    Compared,
    Ignored,
}

impl Compared {
    pub(crate) fn is_on(self) -> bool {
        self == Self::Compared
    }
}

/// Paths of the API.
pub(crate) mod path {
    pub(crate) const VERSION: &str = "/api/v1/PBX/version";
    pub(crate) const SETTINGS: &str = "/api/v1/PBX/settings";
    pub(crate) const NTP: &str = "/api/v1/PBX/settings/ntp";
    pub(crate) const USERS: &str = "/api/v1/PBX/Colleagues";
    pub(crate) const DEVICES: &str = "/api/v1/devices";
    pub(crate) const DISCONNECT: &str = "/api/v1/devices/disconnect";
    pub(crate) const CONNECT: &str = "/api/v1/Devices";
    pub(crate) const TRUNKS: &str = "/api/v1/Trunks/Sip";
    pub(crate) const CALL_GROUPS: &str = "/api/v1/Dialplan/CallGroups";
    pub(crate) const MEMBERS: &str = "/api/v1/network/pbxes";
    pub(crate) const REGISTRATIONS: &str = "/api/v1/PBX/Users/Sip/Registrations";
}

/// Keys of answers that hold secrets of the PBX.
const SENSITIVE_KEYS: [&str; 2] = ["password", "sipPassword"];

const SETTINGS_SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "sip-passwords": {
      "enum": ["compared", "ignored"],
      "default": "compared",
      "description": "`compared`: SIP passwords that the topology declares are written where the PBX tells another one; `ignored`: the PBX keeps its own, for a WMS that does not tell them"
    },
    "trunks": {
      "enum": ["compared", "ignored"],
      "default": "compared",
      "description": "whether an incoming trunk that is not on the PBX under its name is told; no request is documented that would make it"
    },
    "call-groups": {
      "enum": ["compared", "ignored"],
      "default": "compared",
      "description": "whether a call group that is missing or has another strategy is told; the strategy in the topology must then be the name that WMS uses"
    },
    "members": {
      "enum": ["compared", "ignored"],
      "default": "compared",
      "description": "whether a plan is refused while another member of the WMS network is not known to the PBX by its host name"
    },
    "verify-registrations": {
      "type": "boolean",
      "default": false,
      "description": "whether every extension that has a device must be registered on this PBX; say true once the telephones are there, since an apply that waits for them in vain is undone"
    },
    "registration-patience": {
      "type": "integer",
      "minimum": 1,
      "maximum": 3600,
      "default": 300,
      "description": "seconds in which a device may register after a change where no source says how long its model takes; for all others, the documented time is waited for. 300 is the longest that is documented for any model"
    },
    "ntp": {
      "type": "string",
      "minLength": 1,
      "description": "the PBX's NTP server, if it is not the first of the networks' NTP servers"
    },
    "language-field": {
      "type": "string",
      "minLength": 1,
      "default": "language",
      "description": "the field of `PBX/settings` that holds the language"
    },
    "region-field": {
      "type": "string",
      "minLength": 1,
      "default": "region",
      "description": "the field of `PBX/settings` that holds the region"
    },
    "dialplan": {
      "type": "string",
      "minLength": 1,
      "description": "the dialplan of users that are created; the PBX's default where absent"
    },
    "license": {
      "type": "string",
      "minLength": 1,
      "description": "the license type of users that are created; the PBX's default where absent"
    },
    "provision": {
      "type": "boolean",
      "description": "whether the PBX provisions devices by itself; sent with every device that is added or changed, and never told by the PBX"
    },
    "alternate-port": {
      "type": "integer",
      "minimum": 1,
      "maximum": 65535,
      "description": "the alternative port of devices; sent with every device that is added or changed, and never told by the PBX"
    },
    "page-size": {
      "type": "integer",
      "minimum": 1,
      "maximum": 1000,
      "default": 100,
      "description": "records of a list that are asked for at once"
    }
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
                kind::PART,
                "the PBX's part in the synchronisation; decides what is configured on it",
            ),
            resource(kind::LOCALE, "language and region of the PBX"),
            resource(kind::NTP, "NTP server of the PBX"),
            resource(kind::USER, "a user by extension"),
            resource(kind::EMAIL, "the mail address of a user"),
            resource(kind::SIP_PASSWORD, "the SIP password of a user"),
            resource(
                kind::DEVICE,
                "a telephone or gateway by its hardware address",
            ),
            resource(kind::CONNECTION, "the user to whom a device is connected"),
            resource(
                kind::REGISTRATION,
                "the registration of an extension; compared only",
            ),
        ],
        servers: vec![ServerSupport {
            product: "Wildix PBX with WMS".into(),
            versions: "3.86 to 6.0".into(),
        }],
        findings: Rule::declare(rules::ALL),
        settings_schema: SETTINGS_SCHEMA.into(),
        reach: vec![Reach::Http],
        reads: reads(),
        writes: writes(),
        undo: UndoSupport::Plugin,
        sensitive_keys: SENSITIVE_KEYS.map(Into::into).into(),
        ..Manifest::new(
            "wildix",
            env!("CARGO_PKG_VERSION"),
            "users, devices, language, region and NTP of a pair of Wildix PBXs",
        )
    }
}

fn reads() -> Vec<Pattern> {
    let single = [
        path::VERSION,
        path::SETTINGS,
        path::NTP,
        path::REGISTRATIONS,
    ];
    let lists = [
        path::USERS,
        path::DEVICES,
        path::TRUNKS,
        path::CALL_GROUPS,
        path::MEMBERS,
    ];
    let mut reads: Vec<Pattern> = single.map(|path| Pattern::http("GET", path)).into();
    reads.extend(lists.map(|path| Pattern::http("GET", format!("{path}?count=*&start=*"))));
    reads.push(Pattern::http(
        "GET",
        format!(
            "{}?count=*&start=*&searchFields=extension&search=*",
            path::USERS
        ),
    ));
    reads
}

fn writes() -> Vec<Pattern> {
    let below = |path: &str| format!("{path}/*");
    vec![
        Pattern::http("POST", path::USERS),
        Pattern::http("PUT", below(path::USERS)),
        Pattern::http("DELETE", below(path::USERS)),
        Pattern::http("POST", path::DEVICES),
        Pattern::http("PUT", below(path::DEVICES)),
        Pattern::http("DELETE", below(path::DEVICES)),
        Pattern::http("POST", format!("{}/*/connect/", path::CONNECT)),
        Pattern::http("PUT", path::SETTINGS),
        Pattern::http("PUT", path::NTP),
    ]
}
