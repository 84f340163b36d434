//! `cargo xtask`: everything a contributor does besides `cargo` itself. See [`USAGE`].
//!
//! It runs other programs and prints what it runs; whatever it does, a person could type. It must never hold a part of
//! the product, and it needs few dependencies, since it is built before anything else is.
//!
//! Read [`run::Step`] first.

#![forbid(unsafe_code)]

mod bench;
mod conformance;
mod demo;
mod faults;
mod generate;
mod lint;
mod run;
mod setup;
mod test;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use run::Failure;

const USAGE: &str = "\
cargo xtask setup               install what building and testing need, where it is missing
cargo xtask demo                the main job on real servers: a phone finds both PBXs
cargo xtask test                everything that must hold: format, lints, licences, generated files, all tests
cargo xtask lint                the part of `test` that compiles nothing but lints: format, clippy, licences
cargo xtask generate [--check]  write the generated references, or say which are out of date
cargo xtask faults [--every N] [--page]
                                make something go wrong at each point (each Nth) of an apply, and say what was lost;
                                `--page`: also in docs/faults.md
cargo xtask bench [DEVICES…] [findings] [fleet]
                                time and memory of validate, plan and apply, beside Terraform where it is installed;
                                `fleet`: the same over many sites
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["setup"] => setup::run(),
        ["demo"] => demo::run(),
        ["faults", options @ ..] => faults::run(options),
        ["test"] => test::run(),
        ["lint"] => lint::run(),
        ["generate"] => generate::all(),
        ["generate", "--check"] => generate::run(generate::Mode::Check),
        ["bench", sizes @ ..] => bench::run(sizes),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(text)) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// The top of the repository.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Where cargo builds.
fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |set| root().join(set))
}
