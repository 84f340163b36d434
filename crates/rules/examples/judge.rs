//! Reads and judges one topology and prints how many findings there are of each code: for measuring and profiling what
//! needs no plugin and no terminal.

use std::collections::BTreeMap;
use std::path::Path;

use switchover_rules::judge;
use switchover_topology::load;

fn main() {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("usage: judge TOPOLOGY");
        std::process::exit(2);
    };
    let loaded = load(Path::new(&path));
    let today = jiff::civil::Date::constant(2026, 1, 1);
    let findings = judge(&loaded.topology, loaded.diagnostics, today);
    println!("{} devices", loaded.topology.devices.len());
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &findings {
        *codes.entry(&finding.code).or_default() += 1;
    }
    for (code, number) in codes {
        println!("{code} {number}");
    }
}
