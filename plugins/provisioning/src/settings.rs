//! A target's own settings.

use serde::Deserialize;
use switchover_sdk::{Device, Failure, Target, parse_settings};

/// RFC 3261 leaves the range of `register-seconds` open; below half a minute a registrar drowns, above a day a PBX
/// keeps ghosts.
pub(crate) const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "register-seconds": {
      "type": "integer",
      "minimum": 30,
      "maximum": 86400,
      "description": "seconds for which a device asks its registrations to last; its own default where absent"
    },
    "families": {
      "description": "MODEL=FAMILY: which template writes the files of a model, if not the catalogue's",
      "oneOf": [
        { "$ref": "#/$defs/family" },
        { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/family" } }
      ]
    }
  },
  "$defs": {
    "family": { "type": "string", "pattern": "^[^=]+=(akuvox|yealink|gateway)$" }
  }
}"##;

/// What a `target` node may say to this plugin.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Settings {
    /// None: not written, so the device's own default.
    pub(crate) register_seconds: Option<u32>,
    /// The vendor says of few models who builds them. A site that knows better says so here.
    #[serde(default)]
    families: Families,
}

/// One argument of a node is a value, several are an array.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Families {
    One(String),
    Many(Vec<String>),
}

impl Default for Families {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Settings {
    pub(crate) fn of(target: &Target) -> Result<Self, Failure> {
        parse_settings(target)
    }

    /// Model and family of each entry.
    pub(crate) fn families(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = match &self.families {
            Families::One(entry) => std::slice::from_ref(entry),
            Families::Many(entries) => entries,
        };
        entries.iter().filter_map(|entry| entry.split_once('='))
    }

    /// The family whose template writes this device's file: the site's word, else the catalogue's.
    pub(crate) fn family<'a>(&'a self, device: &'a Device) -> &'a str {
        self.families()
            .find(|(model, _)| *model == device.model)
            .map_or(device.template_family.as_str(), |(_, family)| family)
    }
}
