//! The record of a run as spans: what each command, site, target and step took, and how it ended.
//!
//! Here is the outermost of them; those below it are where the work is done. A span holds names, numbers and codes, never
//! a secret and never a body.

use tracing::{Span, field, info_span};

use crate::exit::Exit;
use crate::terminal::Terminal;

/// One run of the command.
pub(crate) struct Run {
    span: Span,
    #[cfg(feature = "otlp")]
    sent: Option<switchover_effects::telemetry::Telemetry>,
}

impl Run {
    /// Begins it. `command` is what was asked for, such as `lock list`. That spans cannot be sent is told, and fails
    /// nothing.
    pub(crate) fn begin(command: &str, terminal: &Terminal) -> Self {
        #[cfg(feature = "otlp")]
        let sent = switchover_effects::telemetry::Telemetry::start().unwrap_or_else(|error| {
            warn(error, terminal);
            None
        });
        #[cfg(not(feature = "otlp"))]
        let _ = terminal;
        let span = info_span!(
            "command",
            otel.name = format_args!("switchover {command}"),
            command,
            exit_code = field::Empty,
            otel.status_code = field::Empty,
        );
        #[cfg(feature = "otlp")]
        if let Some(sent) = &sent {
            sent.place(&span);
        }
        Self {
            span,
            #[cfg(feature = "otlp")]
            sent,
        }
    }

    /// The run's work.
    pub(crate) fn work<T>(&self, work: impl FnOnce() -> T) -> T {
        self.span.in_scope(work)
    }

    /// Ends it. What cannot be sent is told.
    pub(crate) fn end(self, exit: Exit, terminal: &Terminal) {
        note(&self.span, exit);
        drop(self.span);
        #[cfg(feature = "otlp")]
        if let Some(sent) = self.sent
            && let Err(error) = sent.end()
        {
            warn(error, terminal);
        }
        #[cfg(not(feature = "otlp"))]
        let _ = terminal;
    }
}

/// Notes in a span how what it is about ended.
pub(crate) fn note(span: &Span, exit: Exit) {
    span.record("exit_code", i64::from(exit.code()));
    // To have found something is what was asked for.
    if !matches!(exit, Exit::Done | Exit::ChangesPending | Exit::Drift) {
        span.record("otel.status_code", "ERROR");
    }
}

#[cfg(feature = "otlp")]
fn warn(error: switchover_effects::telemetry::TelemetryError, terminal: &Terminal) {
    crate::failure::Failure::new(Exit::Done, error).warn(terminal);
}
