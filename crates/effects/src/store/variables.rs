//! What the variables `AWS_*` say. The client that they are for expects text that fits into a URL or a header, and
//! panics where it does not.

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use url::Url;

use super::StoreFault;

/// The builder with what the environment says.
pub(super) fn configured(
    mut builder: AmazonS3Builder,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<AmazonS3Builder, StoreFault> {
    for (name, value) in environment {
        let known = match name.starts_with("AWS_") {
            true => name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>().ok(),
            false => None,
        };
        let Some(key) = known else { continue };
        let is_credential = matches!(
            key,
            AmazonS3ConfigKey::AccessKeyId
                | AmazonS3ConfigKey::SecretAccessKey
                | AmazonS3ConfigKey::Token
        );
        // CI hands on a variable that is not set as an empty one. An empty credential stays, and the store refuses it:
        // without it the client would ask for the machine's own identity, which nobody meant.
        if value.is_empty() && !is_credential {
            continue;
        }
        let unusable = |problem| StoreFault::Variable {
            name: name.clone(),
            problem,
        };
        let is_region = matches!(
            key,
            AmazonS3ConfigKey::Region | AmazonS3ConfigKey::DefaultRegion
        );
        let value = if name.contains("ENDPOINT") {
            endpoint(&value).ok_or_else(|| unusable(NO_URL))?
        } else if is_region && !value.bytes().all(is_of_region) {
            return Err(unusable("is not a region, such as `eu-south-1`"));
        } else if is_credential && !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(unusable(
                "holds a space, a line break or another character that no key has",
            ));
        } else if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(unusable("holds a line break or another control character"));
        } else {
            value
        };
        builder = builder.with_config(key, value);
    }
    Ok(builder)
}

const NO_URL: &str = "is not the URL of a server, such as `https://s3.example.com`";

/// The URL without the slash at its end, after which paths are put.
fn endpoint(value: &str) -> Option<String> {
    let url = Url::parse(value).ok()?;
    let is_server = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none();
    is_server.then(|| url.as_str().trim_end_matches('/').to_owned())
}

const fn is_of_region(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}
