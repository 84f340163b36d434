//! What the environment says of spans.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::Url;

use super::TelemetryError;

/// The protocol's own default.
const COLLECTOR: &str = "http://localhost:4318";
const TIMEOUT: Duration = Duration::from_secs(10);

/// What must be known here; the exporter reads the rest itself.
#[derive(Debug)]
pub(super) struct Settings {
    /// The collector without path and credentials, for people.
    pub(super) collector: String,
    /// For one request.
    pub(super) timeout: Duration,
    /// Trusted beside those of the system.
    pub(super) certificates: Vec<CertificateDer<'static>>,
    /// W3C trace context: `traceparent` and `tracestate`, where there are any.
    pub(super) parent: HashMap<String, String>,
}

impl Settings {
    /// None where no spans are asked for. `variable` gives those that are set and not empty.
    pub(super) fn of(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, TelemetryError> {
        // Of two variables the one that is about spans alone wins.
        let first = |names: [&'static str; 2]| {
            let mut names = names.into_iter();
            names.find_map(|name| Some((name, variable(name)?)))
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let endpoint = first([
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ]);
        let exporter = "OTEL_TRACES_EXPORTER";
        match variable(exporter).as_deref() {
            Some("none") => return Ok(None),
            Some("otlp") => {}
            Some(other) => return Err(unsupported(exporter, other)),
            // Other programs would look for a collector on this host; this one does not look for what may not be there.
            None if endpoint.is_none() => return Ok(None),
            None => {}
        }
        let protocol = first([
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ]);
        if let Some((variable, value)) = protocol
            && value != "http/protobuf"
        {
            return Err(unsupported(variable, &value));
        }
        let compression = first([
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        ]);
        if let Some((variable, value)) = compression
            && value != "none"
        {
            return Err(unsupported(variable, &value));
        }
        let (named_by, endpoint) =
            endpoint.unwrap_or_else(|| ("OTEL_EXPORTER_OTLP_ENDPOINT", COLLECTOR.to_owned()));
        let collector =
            collector(&endpoint).ok_or(TelemetryError::Endpoint { variable: named_by })?;
        let timeout = first([
            "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ]);
        let timeout = timeout.and_then(|(_, milliseconds)| milliseconds.parse().ok());
        let certificates = first([
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
        ]);
        let parent = [("traceparent", "TRACEPARENT"), ("tracestate", "TRACESTATE")];
        let parent = parent
            .into_iter()
            .filter_map(|(header, name)| Some((header.to_owned(), variable(name)?)));
        Ok(Some(Self {
            collector,
            timeout: timeout.map_or(TIMEOUT, Duration::from_millis),
            certificates: match certificates {
                Some((variable, path)) => read(variable, &path)?,
                None => Vec::new(),
            },
            parent: parent.collect(),
        }))
    }
}

fn unsupported(variable: &'static str, value: &str) -> TelemetryError {
    TelemetryError::Unsupported {
        variable,
        value: value.escape_debug().take(40).collect(),
    }
}

/// Scheme, host and port.
fn collector(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let port = url.port_or_known_default()?;
    let scheme = url.scheme();
    matches!(scheme, "http" | "https").then(|| format!("{scheme}://{host}:{port}"))
}

fn read(
    variable: &'static str,
    path: &str,
) -> Result<Vec<CertificateDer<'static>>, TelemetryError> {
    let failed = |source| TelemetryError::Certificates {
        variable,
        path: path.to_owned(),
        source,
    };
    let text = fs::read(path).map_err(|error| failed(error.into()))?;
    let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(failed("there is none in it".into())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(failed(error.to_string().into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(set: &[(&str, &str)]) -> Result<Option<Settings>, TelemetryError> {
        let set: HashMap<&str, &str> = set.iter().copied().collect();
        Settings::of(|name| set.get(name).map(|value| (*value).to_owned()))
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://u:p@c.example/x");

    #[test]
    fn nothing_is_sent_unless_it_is_asked_for() {
        for set in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "a"), ("TRACEPARENT", "b")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert!(settings(set).unwrap().is_none(), "{set:?}");
        }
    }

    #[test]
    fn the_variable_that_is_about_spans_wins() {
        let found = settings(&[ENDPOINT]).unwrap().unwrap();
        assert_eq!(found.collector, "https://c.example:443");
        assert_eq!(found.timeout, TIMEOUT);
        assert_eq!(found.parent, HashMap::new());

        let local = settings(&[("OTEL_TRACES_EXPORTER", "otlp")]).unwrap();
        assert_eq!(local.unwrap().collector, "http://localhost:4318");

        let found = settings(&[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:7/v1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "250"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf"),
            ("TRACEPARENT", "a"),
        ]);
        let found = found.unwrap().unwrap();
        assert_eq!(found.collector, "http://[::1]:7");
        assert_eq!(found.timeout, Duration::from_millis(250));
        assert_eq!(found.parent["traceparent"], "a");
    }

    #[test]
    fn what_cannot_be_done_is_said_without_credentials() {
        let told = |more: &[(&str, &str)]| {
            let set: Vec<_> = std::iter::once(ENDPOINT)
                .chain(more.iter().copied())
                .collect();
            settings(&set).unwrap_err().to_string()
        };
        for (variable, value) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
        ] {
            let told = told(&[(variable, value)]);
            assert!(told.contains(variable) && told.contains(value), "{told}");
        }
        for wrong in [
            "secret@c:4318",
            "grpc://secret@c",
            "http://",
            "file:///secret",
        ] {
            let told = told(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", wrong)]);
            assert!(!told.contains("secret"), "{told}");
            assert!(
                told.contains("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
                "{told}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, "no certificate").unwrap();
        for path in [file.as_path(), folder.path()] {
            let path = path.display().to_string();
            assert!(told(&[("OTEL_EXPORTER_OTLP_CERTIFICATE", &path)]).contains(&path));
        }
    }
}
