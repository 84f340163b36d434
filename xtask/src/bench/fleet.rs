//! `cargo xtask bench fleet`: many small sites in one run. Memory must not follow their number.

use std::path::Path;

use super::{Bench, line, topology};
use crate::run::Failure;

/// Sites of a fleet.
const FLEETS: [usize; 3] = [10, 100, 1_000];

/// Telephones of a site.
const DEVICES: usize = 20;

pub(super) fn measure(program: &Path) -> Result<(), Failure> {
    for sites in FLEETS {
        let bench = Bench::new(program)?;
        topology::write_fleet(&bench.work(), sites, DEVICES)
            .map_err(|problem| Failure::of("write a fleet", problem))?;
        let name = |what: &str| format!("{sites} sites × {DEVICES}: {what}");
        line(&name("validate"), bench.median(&["validate", "."])?, None);
        line(&name("plan, cold cache"), bench.once(&["plan", "."])?, None);
        line(&name("plan"), bench.median(&["plan", "."])?, None);
        line(&name("apply"), bench.once(&["apply", ".", "--yes"])?, None);
        let again = bench.median(&["plan", "."])?;
        line(&name("plan without changes"), again, None);
    }
    Ok(())
}
