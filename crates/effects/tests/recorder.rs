//! A listener that keeps every event as its line for people.

use std::sync::{Arc, Mutex};

use switchover_effects::secrets::Secret;
use switchover_effects::{Event, Masker, Reporting, Trace};

#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<String>>);

impl Recorder {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Trace for Recorder {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event} {event:?}"));
    }
}

/// Keeps silent about the given secrets, and records.
pub(crate) fn recording(secrets: &[(&str, &str)]) -> (Arc<Recorder>, Reporting) {
    let recorder = Arc::new(Recorder::default());
    (
        Arc::clone(&recorder),
        Reporting::new(masker(secrets), Some(recorder)),
    )
}

pub(crate) fn masker(secrets: &[(&str, &str)]) -> Masker {
    Masker::new(
        secrets
            .iter()
            .map(|&(name, value)| (name.to_owned(), Secret::new(value.to_owned()))),
    )
}

/// The error with its causes and its help, as people read it.
pub(crate) fn whole_text(error: &(dyn miette::Diagnostic + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    for part in [error.code(), error.help()].into_iter().flatten() {
        text.push_str(&format!(" {part}"));
    }
    text
}

/// The error's code.
pub(crate) fn code(error: &dyn miette::Diagnostic) -> String {
    error
        .code()
        .map(|code| code.to_string())
        .unwrap_or_default()
}
