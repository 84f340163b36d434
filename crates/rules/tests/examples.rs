//! The topologies that people copy from are in order themselves.

use std::path::Path;

use switchover_rules::judge;
use switchover_topology::load;

use crate::showing::{TODAY, show};

const TOPOLOGIES: [&str; 9] = [
    "examples/quickstart/switchover.kdl",
    "examples/hq/switchover.kdl",
    "examples/kamailio/switchover.kdl",
    "examples/gitops/switchover.kdl",
    "examples/fleet/site-berlin.kdl",
    "examples/fleet/site-oslo.kdl",
    "examples/fleet/site-rome.kdl",
    "cli/src/commands/init/starter.kdl",
    "lab/demo/switchover.kdl",
];

#[test]
fn examples_have_no_finding_that_nobody_accepted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for path in TOPOLOGIES {
        let loaded = load(&root.join(path));
        let mut found = judge(&loaded.topology, loaded.diagnostics, TODAY);
        found.retain(|found| found.acknowledged.is_none());
        assert!(
            found.is_empty(),
            "{path}\n{}",
            show(&loaded.sources, &found)
        );
    }
}
