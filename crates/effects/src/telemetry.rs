//! Spans for a collector that speaks OTLP (OpenTelemetry's protocol, as protobuf over HTTP).
//!
//! The environment alone says whether and where to, by the variables that every OpenTelemetry SDK reads
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>). Where it does not, nothing is
//! set up, and a span costs one comparison. Spans are sent by a thread of their own; what a collector does or fails to do
//! never fails a command, and delays its end by [`BOUND`] at most.

mod delivery;
mod sender;
mod settings;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

use delivery::{Counted, Delivery, Watched};
use sender::Sender;
use settings::Settings;

/// How long the end of a command waits for a collector.
pub const BOUND: Duration = Duration::from_secs(2);

/// Only spans of these crates are sent: not those of the libraries that send them.
const OURS: &str = "switchover";

/// The name of the service where the environment has none.
const SERVICE: &str = "switchover";

/// Spans cannot be sent. The command goes on.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum TelemetryError {
    #[error("no spans are sent: `{variable}` asks for `{value}`")]
    #[diagnostic(
        code(switchover::telemetry::unsupported),
        help("spans are sent by OTLP as `http/protobuf`; most collectors take that at port 4318")
    )]
    Unsupported {
        variable: &'static str,
        value: String,
    },
    // It may hold credentials.
    #[error("no spans are sent: `{variable}` is not the URL of a collector")]
    #[diagnostic(
        code(switchover::telemetry::endpoint),
        help("such as `http://collector.acme.example:4318`")
    )]
    Endpoint { variable: &'static str },
    #[error("no spans are sent: failed to read the certificates in `{path}`")]
    #[diagnostic(
        code(switchover::telemetry::certificates),
        help("`{variable}` names a file of certificates in PEM")
    )]
    Certificates {
        variable: &'static str,
        path: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("no spans are sent")]
    #[diagnostic(code(switchover::telemetry::exporter))]
    Exporter(#[source] ExporterBuildError),
    #[error("{lost} of {ended} spans did not reach the collector at {collector}: {why}")]
    #[diagnostic(
        code(switchover::telemetry::lost),
        help("nothing else was affected by that")
    )]
    Lost {
        lost: u64,
        ended: u64,
        collector: String,
        why: String,
    },
}

/// Sends this process's spans, until it is [ended](Telemetry::end).
#[derive(Debug)]
pub struct Telemetry {
    provider: SdkTracerProvider,
    delivery: Arc<Delivery>,
    collector: String,
    /// Whose work the whole process is a part of.
    parent: HashMap<String, String>,
}

impl Telemetry {
    /// Has every span from now on sent to where the environment says; none where it says nothing. Once a process.
    ///
    /// # Errors
    /// Where what the environment says cannot be done.
    pub fn start() -> Result<Option<Self>, TelemetryError> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(settings) = Settings::of(variable)? else {
            return Ok(None);
        };
        let delivery = Arc::new(Delivery::default());
        let sender = Sender::new(settings.certificates, settings.timeout, &delivery);
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(sender)
            .build()
            .map_err(TelemetryError::Exporter)?;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(Counted::new(Watched::new(exporter, &delivery), &delivery))
            .with_resource(resource())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer(SERVICE))
            .with_location(false)
            .with_target(false)
            .with_threads(false)
            .with_level(false)
            .with_tracked_inactivity(false);
        let ours = Targets::new().with_target(OURS, LevelFilter::INFO);
        let subscriber = tracing_subscriber::registry().with(ours).with(layer);
        // Somebody who set up another one wants that one.
        if tracing::subscriber::set_global_default(subscriber).is_err() {
            return Ok(None);
        }
        Ok(Some(Self {
            provider,
            delivery,
            collector: settings.collector,
            parent: settings.parent,
        }))
    }

    /// Makes a span a part of what this process was started for, as `TRACEPARENT` has it.
    pub fn place(&self, span: &Span) {
        let parent = TraceContextPropagator::new().extract(&self.parent);
        // It fails for spans that nobody takes.
        let _ = span.set_parent(parent);
    }

    /// Sends what is left, for [`BOUND`] at most. Every span must be closed by then.
    ///
    /// # Errors
    /// Where not all spans reached the collector.
    pub fn end(self) -> Result<(), TelemetryError> {
        // How that went is what was delivered.
        let _ = self.provider.shutdown_with_timeout(BOUND);
        let (ended, taken) = self.delivery.counts();
        if taken >= ended {
            return Ok(());
        }
        Err(TelemetryError::Lost {
            lost: ended - taken,
            ended,
            collector: self.collector,
            why: self.delivery.problem(),
        })
    }
}

/// Who is told of, as the environment says beside what is known here.
fn resource() -> Resource {
    let named = Resource::builder().build();
    let name = named.get(&Key::from_static_str("service.name"));
    let unnamed = name.is_none_or(|name| name.as_str().starts_with("unknown_service"));
    let mut resource = Resource::builder();
    if unnamed {
        resource = resource.with_service_name(SERVICE);
    }
    let version = env!("CARGO_PKG_VERSION");
    resource
        .with_attribute(KeyValue::new("service.version", version))
        .build()
}
