//! Contents by their digest: what generations have in common is kept once.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::diff::{Body, Resource, hex};

/// Where contents are.
pub(super) const FOLDER: &str = "blobs";

/// The name of a content: its SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BlobRef(String);

impl BlobRef {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    pub(super) fn key(&self) -> String {
        format!("{FOLDER}/{}", self.0)
    }
}

impl TryFrom<String> for BlobRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.len() == 64 && text.bytes().all(digit) {
            true => Ok(Self(text)),
            false => Err("a SHA-256 in lower-case hexadecimal is expected".to_owned()),
        }
    }
}

/// The files of a topology: names relative to its folder, and texts. Secrets are references in them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// The file that the others are included from.
    pub main: String,
    /// Texts by name.
    pub files: BTreeMap<String, String>,
}

/// Everything that was wanted of a target, in its order. Secrets are references.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// The resources.
    pub resources: Vec<Wanted>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// Unique in its target.
    pub address: String,
    /// The plugin's kind of resource.
    pub kind: String,
    /// What it holds.
    pub body: Held,
    /// JSON pointers whose values are not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sensitive: Vec<String>,
    /// Addresses that have to be there before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<String>,
    /// What the plugin needs beside the content to make its steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What a resource holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// A JSON value.
    Object(Value),
    /// A file.
    Text(String),
    /// A file that is no text, in Base64.
    Bytes(String),
}

impl Contents {
    pub(crate) fn of(resources: &[Resource]) -> Self {
        let wanted = |resource: &Resource| Wanted {
            address: resource.address.clone(),
            kind: resource.kind.clone(),
            body: match &resource.body {
                Body::Object(value) => Held::Object(value.clone()),
                Body::File(bytes) => match str::from_utf8(bytes) {
                    Ok(text) => Held::Text(text.to_owned()),
                    Err(_) => Held::Bytes(STANDARD.encode(bytes)),
                },
            },
            sensitive: resource.sensitive.clone(),
            depends_on: resource.depends_on.clone(),
            hint: resource.hint.clone(),
        };
        Self {
            resources: resources.iter().map(wanted).collect(),
        }
    }

    /// The same as the engine works with it.
    ///
    /// # Errors
    /// Where bytes are not Base64.
    pub(crate) fn resources(&self) -> Result<Vec<Resource>, base64::DecodeError> {
        let resource = |wanted: &Wanted| {
            Ok(Resource {
                address: wanted.address.clone(),
                kind: wanted.kind.clone(),
                body: match &wanted.body {
                    Held::Object(value) => Body::Object(value.clone()),
                    Held::Text(text) => Body::File(text.clone().into_bytes()),
                    Held::Bytes(text) => Body::File(STANDARD.decode(text)?),
                },
                sensitive: wanted.sensitive.clone(),
                depends_on: wanted.depends_on.clone(),
                hint: wanted.hint.clone(),
            })
        };
        self.resources.iter().map(resource).collect()
    }
}
