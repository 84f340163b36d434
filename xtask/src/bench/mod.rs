//! `cargo xtask bench`: whole processes, measured from outside, in one run on one machine.
//!
//! Times are for comparison within the run: every line ends in how many times longer Terraform takes for as many resources,
//! where it is installed; beside them stand other readers of the same devices. No test depends on a time.

mod findings;
mod fleet;
mod measure;
mod readers;
mod terraform;
mod topology;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{self, Failure, cargo};
use measure::{Cost, median};
use topology::Layout;

/// Devices of a topology, unless others are asked for.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// Runs of which the median is told.
const RUNS: usize = 5;

/// `fleet`, `findings`, sizes, or nothing for all.
pub(crate) fn run(parts: &[&str]) -> Result<(), Failure> {
    let (fleet, others): (Vec<&str>, Vec<&str>) =
        parts.iter().copied().partition(|part| *part == "fleet");
    let (findings, sizes): (Vec<&str>, Vec<&str>) =
        others.into_iter().partition(|part| *part == "findings");
    let sizes = sizes.as_slice();
    let all = parts.is_empty();
    let sizes: Vec<usize> = match sizes {
        [] if all => SIZES.to_vec(),
        given => given
            .iter()
            .map(|size| {
                size.parse()
                    .map_err(|_| Failure(format!("{size} is no number of devices")))
            })
            .collect::<Result<_, _>>()?,
    };
    if let Some(size) = sizes
        .iter()
        .find(|size| !(1..=topology::MOST).contains(*size))
    {
        return Err(Failure(format!(
            "{size} devices cannot be: 1 to {} fit the network",
            topology::MOST
        )));
    }
    eprintln!("building for release");
    run::run(cargo([
        "build",
        "--release",
        "--workspace",
        "--bins",
        "--examples",
    ]))?;
    let program = crate::target().join("release/switchover");

    println!(
        "{:<42}{:>12}{:>12}{:>12}{:>14}",
        "", "wall", "user CPU", "memory", "Terraform"
    );
    let small = small(&program)?;
    for size in sizes {
        readers::compare(size)?;
        let peer = terraform::measure(size)?;
        for layout in [Layout::OneFile, Layout::Included, Layout::Csv] {
            large(&program, size, layout, small, peer.as_ref())?;
        }
    }
    if all || !findings.is_empty() {
        findings::measure(&program)?;
    }
    if all || !fleet.is_empty() {
        fleet::measure(&program)?;
    }
    Ok(())
}

/// What a person feels: the start of the process, and the smallest example. Gives what validating that one costs.
fn small(program: &Path) -> Result<Cost, Failure> {
    let bench = Bench::new(program)?;
    let example = crate::root().join("examples/quickstart/switchover.kdl");
    fs::copy(&example, bench.work().join("switchover.kdl"))
        .map_err(|problem| Failure::of("copy the quickstart", problem))?;
    line("start of the process", bench.median(&["--version"])?, None);
    let validate = bench.median(&["validate"])?;
    line("quickstart: validate", validate, None);
    line("quickstart: plan, cold cache", bench.once(&["plan"])?, None);
    line("quickstart: plan", bench.median(&["plan"])?, None);
    Ok(validate)
}

fn large(
    program: &Path,
    size: usize,
    layout: Layout,
    small: Cost,
    peer: Option<&terraform::Peer>,
) -> Result<(), Failure> {
    let bench = Bench::new(program)?;
    let text = topology::write(&bench.work(), size, layout)
        .map_err(|problem| Failure::of("write a topology", problem))?;
    let name = |what: &str| format!("{size}, {}: {what}", layout.name());
    let validate = bench.median(&["validate"])?;
    line(&name("validate"), validate, None);
    // A device and its user: what the process holds at most beyond the text and the smallest example.
    let each = validate.memory.saturating_sub(small.memory + text) as f64 / size as f64;
    println!("{:<42}{:>33.1} kB", name("each device"), each / 1e3);
    line(
        &name("plan, cold cache"),
        bench.once(&["plan"])?,
        peer.map(|peer| peer.plan),
    );
    line(
        &name("plan"),
        bench.median(&["plan"])?,
        peer.map(|peer| peer.plan),
    );
    line(
        &name("apply"),
        bench.once(&["apply", "--yes"])?,
        peer.and_then(|peer| peer.apply),
    );
    line(
        &name("plan without changes"),
        bench.median(&["plan"])?,
        peer.and_then(|peer| peer.plan_again),
    );
    Ok(())
}

fn line(name: &str, cost: Cost, peer: Option<Cost>) {
    let ratio = peer.map_or_else(String::new, |peer| {
        format!(
            "{:.0} ×",
            peer.wall.as_secs_f64() / cost.wall.as_secs_f64().max(f64::EPSILON)
        )
    });
    let milliseconds = |time: std::time::Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    let memory = format!("{:.1} MB", cost.memory as f64 / 1e6);
    println!(
        "{name:<42}{:>12}{:>12}{memory:>12}{ratio:>14}",
        milliseconds(cost.wall),
        milliseconds(cost.user)
    );
}

/// A folder to work in with a cache of its own, so that neither this machine's cache nor its state is touched.
struct Bench<'a> {
    program: &'a Path,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    fn new(program: &'a Path) -> Result<Self, Failure> {
        let failed = |problem| Failure::of("make a folder to work in", problem);
        let folder = tempfile::tempdir().map_err(failed)?;
        fs::create_dir(folder.path().join("work")).map_err(failed)?;
        Ok(Self { program, folder })
    }

    fn work(&self) -> std::path::PathBuf {
        self.folder.path().join("work")
    }

    fn once(&self, arguments: &[&str]) -> Result<Cost, Failure> {
        let mut command = Command::new(self.program);
        command.args(arguments).current_dir(self.work());
        command.env("HOME", self.folder.path());
        for own in [
            "XDG_CACHE_HOME",
            "XDG_STATE_HOME",
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
        ] {
            command.env(own, self.folder.path().join(own));
        }
        measure::once(command)
    }

    fn median(&self, arguments: &[&str]) -> Result<Cost, Failure> {
        median(RUNS, || self.once(arguments))
    }
}
