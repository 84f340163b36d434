//! The same number of resources through Terraform, in its fastest form: the built-in `terraform_data` with `count`, and
//! state in a local file. It needs no provider, so nothing is downloaded.

use std::fs;
use std::process::Command;

use super::measure::{self, Cost, median};
use crate::run::{Failure, find};

/// The largest size that is applied: Terraform needs most of a minute for 1 000 and grows faster than linearly.
const LARGEST_APPLY: usize = 1_000;

pub(super) struct Peer {
    pub(super) plan: Cost,
    /// Only up to [`LARGEST_APPLY`].
    pub(super) apply: Option<Cost>,
    pub(super) plan_again: Option<Cost>,
}

/// Costs of Terraform for this many devices, if it is installed.
pub(super) fn measure(size: usize) -> Result<Option<Peer>, Failure> {
    let Some(program) = find("terraform") else {
        return Ok(None);
    };
    let failed = |problem| Failure::of("write the Terraform configuration", problem);
    let folder = tempfile::tempdir().map_err(failed)?;
    fs::write(folder.path().join("main.tf"), configuration(size)).map_err(failed)?;
    let run = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .current_dir(folder.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1");
        measure::once(command)
    };
    run(&["init", "-input=false"])?;
    let plan = || run(&["plan", "-input=false", "-no-color"]);
    let first = median(3, plan)?;
    if size > LARGEST_APPLY {
        return Ok(Some(Peer {
            plan: first,
            apply: None,
            plan_again: None,
        }));
    }
    let apply = run(&["apply", "-input=false", "-no-color", "-auto-approve"])?;
    Ok(Some(Peer {
        plan: first,
        apply: Some(apply),
        plan_again: Some(median(3, plan)?),
    }))
}

/// One resource for each device, with what its file would be made of.
fn configuration(size: usize) -> String {
    format!(
        r#"resource "terraform_data" "device" {{
  count = {size}
  input = {{
    name    = "device-${{count.index}}"
    model   = "WP480"
    mac     = format("9c:75:14:%02x:%02x:%02x", floor(count.index / 65536), floor(count.index / 256) % 256, count.index % 256)
    user    = "${{10000 + count.index}}"
    address = cidrhost("10.32.0.0/16", 256 + count.index)
    servers = ["pbx1.acme.example:443", "pbx2.acme.example:443"]
  }}
}}
"#
    )
}
