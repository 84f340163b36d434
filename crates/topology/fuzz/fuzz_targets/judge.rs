//! Reading, resolving and judging end with findings, whatever the bytes are, and every finding points into the text.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use switchover_rules::judge;
use switchover_topology::{Diagnostic, Severity, load_text, to_json, to_kdl};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let loaded = load_text("fuzz.kdl", text.to_owned(), Path::new("/nowhere"));
    let clean = loaded.diagnostics.is_empty();
    let today = jiff::civil::Date::constant(2026, 1, 1);
    for found in judge(&loaded.topology, loaded.diagnostics, today) {
        let places = found
            .span
            .into_iter()
            .chain(found.related.iter().map(|related| related.span));
        for span in places {
            let text = &loaded.sources.file(span.file).text;
            assert!(text.get(span.start as usize..span.end as usize).is_some());
            let (start, end) = loaded.sources.range(span);
            assert!(start <= end);
        }
    }
    let shown = to_kdl(&loaded.topology);
    if clean {
        let again = load_text("shown.kdl", shown, Path::new("/nowhere"));
        // What only `defaults` named is unused once they are applied.
        let errors = |found: &&Diagnostic| found.severity == Severity::Error;
        assert_eq!(again.diagnostics.iter().find(errors), None);
        assert_eq!(to_json(&again.topology), to_json(&loaded.topology));
    }
});
