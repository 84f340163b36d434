//! Work in spans that say how it ended. What they hold are names, numbers and codes: never a secret, never a body.

use miette::Diagnostic;
use tracing::{Instrument as _, Span};

/// A span for [`within`], with these fields.
macro_rules! span {
    ($name:literal $(, $($fields:tt)+)?) => {
        tracing::info_span!(
            $name,
            $($($fields)+,)?
            outcome = tracing::field::Empty,
            "error.type" = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        )
    };
}

pub(crate) use span;

/// Does work in a span of its own. Of an error it notes the code alone: a text may quote a server.
pub(crate) async fn within<T, E: Diagnostic>(
    span: Span,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let done = work.instrument(span.clone()).await;
    match &done {
        Ok(_) => {
            span.record("outcome", "done");
        }
        Err(error) => failed(&span, error),
    }
    done
}

/// A count as collectors read one: what has no sign would reach them as a text.
pub(crate) fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn failed(span: &Span, error: &dyn Diagnostic) {
    span.record("outcome", "failed");
    span.record("otel.status_code", "ERROR");
    if let Some(code) = code(error) {
        span.record("error.type", code);
    }
}

/// Of the error, or of what is behind it where that alone has one.
fn code(error: &dyn Diagnostic) -> Option<String> {
    match error.code() {
        Some(code) => Some(code.to_string()),
        None => error.diagnostic_source().and_then(code),
    }
}
