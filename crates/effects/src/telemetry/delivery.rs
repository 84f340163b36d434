//! How many spans there were, how many of them the collector took, and what kept it from the others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor};

#[derive(Debug, Default)]
pub(super) struct Delivery {
    ended: AtomicU64,
    taken: AtomicU64,
    problem: Mutex<Option<String>>,
}

impl Delivery {
    /// How many spans were to be sent, and how many the collector took.
    pub(super) fn counts(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.ended), read(&self.taken))
    }

    /// What kept spans from the collector, as far as it is known.
    pub(super) fn problem(&self) -> String {
        let problem = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        // Without one they wait in a queue, or found it full.
        problem
            .clone()
            .unwrap_or_else(|| "it takes them too slowly".to_owned())
    }

    pub(super) fn failed(&self, problem: String) {
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(problem);
    }
}

/// Counts spans on their way to the thread that sends them.
#[derive(Debug)]
pub(super) struct Counted {
    queue: BatchSpanProcessor,
    delivery: Arc<Delivery>,
}

impl Counted {
    pub(super) fn new(exporter: impl SpanExporter + 'static, delivery: &Arc<Delivery>) -> Self {
        Self {
            queue: BatchSpanProcessor::builder(exporter).build(),
            delivery: Arc::clone(delivery),
        }
    }
}

impl SpanProcessor for Counted {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.queue.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() {
            self.delivery.ended.fetch_add(1, Ordering::Relaxed);
        }
        self.queue.on_end(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.queue.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.queue.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.queue.set_resource(resource);
    }
}

/// Notes how the sending went.
#[derive(Debug)]
pub(super) struct Watched<E> {
    exporter: E,
    delivery: Arc<Delivery>,
}

impl<E> Watched<E> {
    pub(super) fn new(exporter: E, delivery: &Arc<Delivery>) -> Self {
        Self {
            exporter,
            delivery: Arc::clone(delivery),
        }
    }
}

impl<E: SpanExporter> SpanExporter for Watched<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len() as u64;
        let sent = self.exporter.export(batch).await;
        match &sent {
            Ok(()) => {
                self.delivery.taken.fetch_add(count, Ordering::Relaxed);
            }
            Err(error) => {
                let mut problem = self
                    .delivery
                    .problem
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                // Whoever sends knows better.
                problem.get_or_insert_with(|| error.to_string());
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
