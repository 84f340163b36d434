use std::path::Path;

use switchover_topology::{Topology, load, load_text};

use super::super::{PbxTasks, TaskState, by_hand};

fn quickstart() -> Topology {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    load(&root.join("examples/quickstart/switchover.kdl")).topology
}

fn ids(pbx: &PbxTasks) -> Vec<&str> {
    pbx.tasks.iter().map(|task| task.id.as_str()).collect()
}

#[test]
fn the_source_gets_everything_and_the_destination_what_is_not_synchronised() {
    let pbxs = by_hand(&quickstart());
    let text: Vec<String> = pbxs
        .iter()
        .flat_map(|pbx| {
            let tasks = pbx.tasks.iter();
            tasks.map(|task| {
                format!(
                    "{} {}: {}\n{}\n({})\n",
                    pbx.pbx, task.id, task.title, task.instructions, task.source
                )
            })
        })
        .collect();
    insta::assert_snapshot!(text.join("\n"));
    let mut states = pbxs.iter().flat_map(|pbx| &pbx.tasks);
    assert!(states.all(|task| matches!(task.state, TaskState::Unknown(_))));
}

#[test]
fn a_pair_without_synchronisation_is_configured_twice() {
    let text = "site \"a\" mode=\"hot-standby\"\n\
                pbx \"one\" role=\"main\" { hostname \"one.example\"; address \"10.0.0.1\"; wms \"7.08\"; platform \"hardware\"; }\n\
                pbx \"two\" role=\"failover\" { hostname \"two.example\"; address \"10.0.0.2\"; wms \"7.08\"; platform \"hardware\"; }\n\
                user \"101\" name=\"A `b` *c*\" pbx=\"one\"\n\
                user \"201\" name=\"B\" pbx=\"two\"\n\
                device \"x\" model=\"WP480\" mac=\"9c:75:14:00:00:01\" user=\"201\"\n\
                device \"soft\" model=\"Android\" user=\"101\"\n\
                trunk \"t\" direction=\"incoming\" { provider \"p.example\"; register-to \"one\" \"two\"; }\n\
                trunk \"o\" direction=\"outgoing\" { provider \"p.example\"; register-to \"one\"; }\n\
                call-group \"g\" strategy=\"linear\" { member \"101\"; }\n";
    let loaded = load_text("switchover.kdl", text.to_owned(), Path::new("."));
    let pbxs = by_hand(&loaded.topology);
    assert_eq!(
        ids(&pbxs[0]),
        ["users", "trunk-t", "trunk-o", "call-group-g"]
    );
    assert_eq!(ids(&pbxs[1]), ["users", "devices", "trunk-t", "failover"]);
    let users = &pbxs[0].tasks[0];
    assert!(
        users.instructions.contains("- `101` `A 'b' *c*`"),
        "{}",
        users.instructions
    );
    let failover = &pbxs[1].tasks[3];
    assert!(failover.source.contains("5.0X/6.0X"), "{}", failover.source);
}

#[test]
fn what_has_a_target_is_not_done_by_hand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let hq = load(&root.join("examples/hq/switchover.kdl")).topology;
    assert!(by_hand(&hq).is_empty());
}
