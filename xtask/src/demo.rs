//! `cargo xtask demo`: the main job on real servers. The story itself is the program `demo` of `lab/`.

use crate::run::{self, Failure, cargo};
use crate::setup;

pub(crate) fn run() -> Result<(), Failure> {
    setup::run_for_demo()?;
    run::run(cargo(["build", "--workspace", "--bins"]))?;
    let built = crate::target().join("debug");
    let mut demo = std::process::Command::new(built.join("demo"));
    demo.arg(built.join("switchover"))
        .current_dir(crate::root());
    run::run(demo)
}
