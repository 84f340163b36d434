//! Requests signed for a WMS, from server to server: an HS256 token (RFC 7519) that holds a hash of the request.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use reqwest::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use crate::secrets::Secret;

/// The header that names the application.
pub(super) const APP_ID: HeaderName = HeaderName::from_static("x-app-id");

/// How long a request may be on its way, clocks that differ included.
const LIFETIME: u64 = 300;

/// An application that both sides know.
#[derive(Debug, Clone)]
pub struct Application {
    /// What is sent as `X-APP-ID`.
    pub id: String,
    /// The `iss` of a token.
    pub name: String,
    /// The key of its signatures.
    pub secret: Secret,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: u64,
    exp: u64,
    sign: Sign<'a>,
}

#[derive(Serialize)]
struct Sign<'a> {
    alg: &'a str,
    headers: [&'a str; 2],
    hash: String,
}

impl Application {
    /// The token for one request, sent `now`, in seconds since 1970. None where the library cannot sign.
    pub(super) fn token(
        &self,
        method: &Method,
        url: &Url,
        body: &[u8],
        now: u64,
    ) -> Option<Secret> {
        let text = |text: &str| Value::String(text.to_owned());
        let headers = [
            (APP_ID.as_str().to_owned(), text(&self.id)),
            (HOST.as_str().to_owned(), text(url.host_str()?)),
        ];
        let query = url
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), text(&value)));
        let body = match *method {
            // What has no body has no members.
            Method::GET | Method::DELETE => Value::Null,
            _ => serde_json::from_slice(body).unwrap_or(Value::Null),
        };
        let signed = format!(
            "{method}{}{}{}{}",
            url.path(),
            canonical(&Value::Object(headers.into_iter().collect())),
            canonical(&Value::Object(query.collect())),
            canonical(&body)
        );
        let claims = Claims {
            iss: &self.name,
            iat: now,
            exp: now + LIFETIME,
            sign: Sign {
                alg: "sha256",
                headers: ["X-APP-ID", "Host"],
                hash: format!("{:x}", Sha256::digest(signed)),
            },
        };
        let key = EncodingKey::from_secret(self.secret.expose().as_bytes());
        encode(&Header::new(Algorithm::HS256), &claims, &key)
            .ok()
            .map(Secret::new)
    }

    /// Puts who is asking into the headers. None where it does not fit there.
    pub(super) fn present(&self, token: &Secret, headers: &mut HeaderMap) -> Option<()> {
        let bearer = format!("Bearer {}", token.expose());
        let mut bearer = HeaderValue::from_str(&bearer).ok()?;
        bearer.set_sensitive(true);
        headers.insert(reqwest::header::AUTHORIZATION, bearer);
        headers.insert(APP_ID, HeaderValue::from_str(&self.id).ok()?);
        Some(())
    }
}

/// Of an object `key:value;` for each member, keys in lower case and in order; of a list the same, by position; of a
/// truth value 0 or 1; of everything else its text, without the blanks that the vendor's PHP client strips around it.
fn canonical(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(truth) => u8::from(*truth).to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text
            .trim_matches([' ', '\t', '\n', '\r', '\0', '\x0b'])
            .to_owned(),
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_stand_in_the_order_of_their_keys_in_lower_case() {
        let value = json!({
            "Name": " Reception\n", "enabled": true, "Limits": { "b": 2, "A": null }, "groups": ["x", { "y": false }]
        });
        assert_eq!(
            canonical(&value),
            "enabled:1;groups:0:x;1:y:0;;;limits:a:;b:2;;name:Reception;"
        );
    }

    #[test]
    fn a_token_signs_all_of_a_request() {
        let application = Application {
            id: "app".to_owned(),
            name: "switchover".to_owned(),
            secret: Secret::new("key".to_owned()),
        };
        let token = |method: &Method, url: &str, body: &str| {
            let url = url.parse().unwrap();
            let token = application.token(method, &url, body.as_bytes(), 1_000);
            token.unwrap().expose().to_owned()
        };
        let one = token(&Method::POST, "https://pbx/api/v1/x?a=1", "{\"b\":1}");
        assert_eq!(
            one,
            token(&Method::POST, "https://pbx/api/v1/x?a=1", "{ \"B\": 1 }")
        );
        for other in [
            token(&Method::PUT, "https://pbx/api/v1/x?a=1", "{\"b\":1}"),
            token(&Method::POST, "https://pbx/api/v1/y?a=1", "{\"b\":1}"),
            token(&Method::POST, "https://pbx/api/v1/x?a=2", "{\"b\":1}"),
            token(&Method::POST, "https://other/api/v1/x?a=1", "{\"b\":1}"),
            token(&Method::POST, "https://pbx/api/v1/x?a=1", "{\"b\":2}"),
        ] {
            assert_ne!(one, other);
        }
    }
}
