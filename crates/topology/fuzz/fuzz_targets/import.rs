//! A table ends with findings, whatever its bytes are, and every finding points into the topology or the table.

#![no_main]

use std::cell::OnceCell;
use std::fs;

use libfuzzer_sys::fuzz_target;
use switchover_rules::judge;
use switchover_topology::load;

const TOPOLOGY: &str = "site \"hq\" mode=\"hot-standby\"\n\
    defaults \"user\" pbx=\"pbx1\"\n\
    import \"table.csv\" as=\"";
const KINDS: [&str; 4] = ["device", "user", "network", "target"];

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, table)) = bytes.split_first() else {
        return;
    };
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a temporary folder"));
        let kind = KINDS[usize::from(choice) % KINDS.len()];
        let topology = folder.path().join("switchover.kdl");
        fs::write(&topology, format!("{TOPOLOGY}{kind}\"\n")).expect("the topology is written");
        fs::write(folder.path().join("table.csv"), table).expect("the table is written");
        let loaded = load(&topology);
        let today = jiff::civil::Date::constant(2026, 1, 1);
        for found in judge(&loaded.topology, loaded.diagnostics, today) {
            let places = found
                .span
                .into_iter()
                .chain(found.related.iter().map(|related| related.span));
            for span in places {
                let text = &loaded.sources.file(span.file).text;
                assert!(text.get(span.start as usize..span.end as usize).is_some());
            }
        }
    });
});
