use insta::assert_snapshot;
use switchover_engine::{PbxTasks, Runbook, TargetTasks, Task, TaskState};

use super::{html, markdown};

fn task(title: &str, instructions: &str, state: TaskState) -> Task {
    Task {
        id: "task".to_owned(),
        title: title.to_owned(),
        instructions: instructions.to_owned(),
        source: "WMS 3.86, failover guide, Requirements".to_owned(),
        state,
    }
}

fn runbook(tasks: Vec<Task>) -> Runbook {
    Runbook {
        site: "acme-hq".to_owned(),
        targets: vec![TargetTasks {
            target: "wms-main".to_owned(),
            plugin: "wildix".to_owned(),
            tasks,
            unread: None,
        }],
        by_hand: Vec::new(),
    }
}

#[test]
fn tasks_are_ticked_where_the_server_shows_that_they_are_done() {
    let runbook = runbook(vec![
        task(
            "put pbx2 into the WMS network of pbx1",
            "1. Open *Settings*.\n2. Add `pbx2.acme.example`.",
            TaskState::Done("`network/pbxes` lists pbx2 as a client".to_owned()),
        ),
        task(
            "run the synchronisation",
            "On pbx2:\n\n    sync_pbx",
            TaskState::Open("user 101 is missing on pbx2".to_owned()),
        ),
        task(
            "enable failover",
            "In the settings of pbx2.",
            TaskState::Unknown("no interface tells".to_owned()),
        ),
    ]);
    assert_snapshot!("markdown", markdown(&runbook));
    let page = html(&runbook);
    let body = page.split_once("<body>").map(|(_, body)| body);
    assert_snapshot!("html", body.unwrap_or_default());
}

#[test]
fn nothing_to_do_is_said() {
    let nothing = Runbook {
        site: "small".to_owned(),
        targets: Vec::new(),
        by_hand: Vec::new(),
    };
    assert_snapshot!(markdown(&nothing), @r"
    # Runbook for small

    Nothing here is to be done by hand.
    ");
}

#[test]
fn a_pbx_without_a_target_has_its_own_tasks() {
    let state = TaskState::Unknown("pbx2 has no target, so nothing is read from it".to_owned());
    let by_hand = Runbook {
        site: "small".to_owned(),
        targets: Vec::new(),
        by_hand: vec![PbxTasks {
            pbx: "pbx2".to_owned(),
            tasks: vec![task(
                "make 1 user on pbx2",
                "Make:\n\n- `101` `Hall`",
                state,
            )],
        }],
    };
    assert_snapshot!("without_target", markdown(&by_hand));
}

#[test]
fn what_a_plugin_says_is_text_and_loads_nothing() {
    let page = html(&runbook(vec![task(
        "<script>alert(1)</script> [x](javascript:alert(2))",
        "<img src=x onerror=alert(3)>\n\n<script>\nalert(4)\n</script>\n\n[here](javascript:alert(5)) \
         ![there](https://example.com/x.png)\u{202e}\u{1b}[2J",
        TaskState::Done("</body><script>alert(6)</script>".to_owned()),
    )]));
    for never in ["<script", "<img", "href=\"javascript", "\u{1b}", "\u{202e}"] {
        assert!(!page.contains(never), "{never}\n{page}");
    }
}
