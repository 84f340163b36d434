//! Who is asking: a simple token, or a signature between servers.

use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

const APP_ID: &str = "x-app-id";

/// An application that may sign its requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S2sKey {
    /// What comes in `X-APP-ID`.
    pub app_id: String,
    /// What comes as `iss`.
    pub app_name: String,
    /// What both sides know.
    pub secret: String,
}

/// Who may ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    pub(super) tokens: Vec<String>,
    pub(super) s2s: Option<S2sKey>,
}

/// A request as far as a signature covers it.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

#[derive(Deserialize)]
struct Claims {
    iat: u64,
    exp: u64,
    sign: Sign,
}

#[derive(Deserialize)]
struct Sign {
    alg: String,
    headers: Vec<String>,
    hash: String,
}

/// A token may be valid for a day at most.
const LONGEST: u64 = 24 * 60 * 60;

impl Keys {
    /// # Errors
    /// Why the request is not answered.
    pub(super) fn admit(&self, request: &Signed<'_>, signatures: bool) -> Result<(), String> {
        let bearer = request
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .ok_or("authentication is required")?;
        let Some(app_id) = request.headers.get(APP_ID) else {
            let known = self.tokens.iter().any(|token| token == bearer);
            return known.then_some(()).ok_or_else(|| "invalid token".into());
        };
        let key = self.s2s.as_ref().filter(|_| signatures);
        let key = key.ok_or("signed requests are not taken")?;
        if app_id.as_bytes() != key.app_id.as_bytes() {
            return Err("unknown application".into());
        }
        key.verify(bearer, request)
    }
}

impl S2sKey {
    fn verify(&self, token: &str, request: &Signed<'_>) -> Result<(), String> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.set_issuer(&[&self.app_name]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        let key = DecodingKey::from_secret(self.secret.as_bytes());
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
            .map_err(|error| format!("invalid signature: {error}"))?
            .claims;
        if claims.exp.saturating_sub(claims.iat) > LONGEST {
            return Err("the token is valid for too long".into());
        }
        if claims.sign.alg != "sha256" {
            return Err(format!("unknown algorithm `{}`", claims.sign.alg));
        }
        let named = |wanted: &str| {
            let mut names = claims.sign.headers.iter();
            names.any(|name| name.eq_ignore_ascii_case(wanted))
        };
        if !named("Host") || !named(APP_ID) {
            return Err("`Host` and `X-APP-ID` must be signed".into());
        }
        let mut headers = Vec::new();
        for name in &claims.sign.headers {
            let value = request
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok());
            let value = value.ok_or_else(|| format!("the signed header `{name}` is missing"))?;
            // The port is no part of the host's name.
            let value = match name.eq_ignore_ascii_case(HOST.as_str()) {
                true => value.split(':').next().unwrap_or(value),
                false => value,
            };
            headers.push((name.clone(), value.to_owned()));
        }
        let body = match request.method {
            "GET" | "DELETE" => Value::Null,
            _ => serde_json::from_slice(request.body).unwrap_or(Value::Null),
        };
        let text = canonical_request(request.method, request.path, &headers, request.query, &body);
        let hash: String = Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match hash == claims.sign.hash {
            true => Ok(()),
            false => Err("the signature does not fit the request".into()),
        }
    }
}

/// The text over which a signature's hash goes: method, path, headers, query and body, the last three with their keys
/// in lower case, in order, as `key:value;`.
#[must_use]
pub fn canonical_request(
    method: &str,
    path: &str,
    headers: &[(String, String)],
    query: &[(String, String)],
    body: &Value,
) -> String {
    let texts = |pairs: &[(String, String)]| {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.clone(), Value::String(value.clone())));
        canonical(&Value::Object(pairs.collect()))
    };
    format!(
        "{method}{path}{}{}{}",
        texts(headers),
        texts(query),
        canonical(body)
    )
}

/// What the vendor's own client cuts off both ends of a text.
const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\0', '\u{b}'];

/// Of a scalar its text; of an object or list its members.
fn canonical(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim_matches(BLANKS).to_owned(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| format!("{at}:{};", canonical(item)))
            .collect(),
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(key, value)| (key.to_lowercase(), canonical(value)))
                .collect();
            members.sort();
            members
                .iter()
                .map(|(key, value)| format!("{key}:{value};"))
                .collect()
        }
    }
}
