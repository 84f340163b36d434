//! `cargo xtask bench findings`: a finding in every device. Saying what is wrong must not cost more than reading.

use std::path::Path;

use super::measure::Cost;
use super::topology::{self, Flaw};
use super::{Bench, line};
use crate::run::Failure;

/// Devices, each with a finding.
const DEVICES: usize = 10_000;

/// How many times longer it may take than the same devices without findings.
const MOST: f64 = 2.0;

pub(super) fn measure(program: &Path) -> Result<(), Failure> {
    let clean = validate(program, Flaw::None)?;
    line(&name("no findings"), clean, None);
    let mut slow = Vec::new();
    for flaw in Flaw::ALL {
        let cost = validate(program, flaw)?;
        line(&name(flaw.name()), cost, None);
        let ratio = cost.wall.as_secs_f64() / clean.wall.as_secs_f64().max(f64::EPSILON);
        println!("{:<42}{ratio:>33.1} ×", name("compared to no findings"));
        if ratio > MOST {
            slow.push(format!("{} takes {ratio:.1} times as long", flaw.name()));
        }
    }
    if slow.is_empty() {
        return Ok(());
    }
    Err(Failure(format!(
        "findings cost more than {MOST} times what reading costs: {}",
        slow.join(", ")
    )))
}

fn name(what: &str) -> String {
    format!("{DEVICES}: {what}")
}

fn validate(program: &Path, flaw: Flaw) -> Result<Cost, Failure> {
    let bench = Bench::new(program)?;
    topology::write_flawed(&bench.work(), DEVICES, flaw)
        .map_err(|problem| Failure::of("write a topology with findings", problem))?;
    bench.median(&["validate", "--exit-zero"])
}
