use percent_encoding::percent_decode;
use url::Url;

use super::HttpError;

/// Layers of percent-encoding that are looked through: servers behind servers decode more than once.
const DECODE_LAYERS: usize = 4;

/// A URL that paths can be put behind.
pub(super) fn check_base(mut base: Url) -> Result<Url, HttpError> {
    let problem = if !matches!(base.scheme(), "http" | "https") {
        "is neither http nor https"
    } else if base.host().is_none() {
        "names no host"
    } else if !base.username().is_empty() || base.password().is_some() {
        "holds credentials"
    } else if base.query().is_some() || base.fragment().is_some() {
        "holds more than a path behind the host"
    } else {
        let path = base.path().trim_end_matches('/').to_owned();
        base.set_path(&path);
        return Ok(base);
    };
    // Credentials are not repeated.
    let _ = base.set_username("");
    let _ = base.set_password(None);
    base.set_query(None);
    base.set_fragment(None);
    Err(HttpError::Endpoint {
        endpoint: base.to_string(),
        problem,
    })
}

/// The URL of `path` below `base`; what is wrong with the path where it could mean another place.
pub(super) fn join(base: &Url, path: &str) -> Result<Url, &'static str> {
    if !path.starts_with('/') {
        return Err("does not start with `/`");
    }
    if let Some(byte) = path.bytes().find(|byte| !byte.is_ascii_graphic()) {
        return Err(match byte {
            b' ' => "holds a space",
            byte if byte.is_ascii_control() => "holds a control character",
            _ => "holds a character beyond ASCII that is not percent-encoded",
        });
    }
    if path.contains('#') {
        return Err("holds a fragment");
    }
    if path.contains('\\') {
        return Err("holds a backslash");
    }
    let (resource, _) = path.split_once('?').unwrap_or((path, ""));
    check_resource(resource)?;

    let text = format!("{}{path}", base.as_str().trim_end_matches('/'));
    let url = Url::parse(&text).map_err(|_| "makes no URL")?;
    // Whatever the parser normalises was not looked at above.
    let same_place = url.origin() == base.origin()
        && url.username().is_empty()
        && url.path() == format!("{}{resource}", base.path().trim_end_matches('/'));
    if same_place {
        Ok(url)
    } else {
        Err("is not written as it would be sent")
    }
}

fn check_resource(resource: &str) -> Result<(), &'static str> {
    if resource.contains("//") {
        return Err("holds an empty segment");
    }
    let mut decoded = resource.as_bytes().to_vec();
    for layer in 0..=DECODE_LAYERS {
        if decoded.iter().any(u8::is_ascii_control) {
            return Err("holds an encoded control character");
        }
        // Some servers cut parameters (`..;x`) off a segment before they look at it.
        let is_dots = |segment: &[u8]| {
            matches!(
                segment.split(|&byte| byte == b';').next(),
                Some(b"." | b"..")
            )
        };
        if decoded
            .split(|&byte| byte == b'/' || byte == b'\\')
            .any(is_dots)
        {
            return Err("holds a `.` or `..` segment");
        }
        let next: Vec<u8> = percent_decode(&decoded).collect();
        if next == decoded {
            return Ok(());
        }
        if layer == 0 && next.contains(&b'\\') {
            return Err("holds an encoded backslash");
        }
        decoded = next;
    }
    Err("is percent-encoded again and again")
}
