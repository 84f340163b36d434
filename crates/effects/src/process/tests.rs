use std::process::Command;

use super::*;

/// Where the files of other users' processes are hidden or refused, or there are no descriptors left.
#[test]
fn a_process_of_which_nothing_can_be_read_is_not_gone() {
    for kind in [
        io::ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied,
        io::ErrorKind::Other,
    ] {
        let alive = life_by(std::process::id(), Err(kind.into()));
        assert_eq!(alive, Life::Unknown, "{kind:?}");
    }
    let own = life_by(std::process::id(), Ok("1 (a) b) S 1".to_owned()));
    assert_eq!(own, Life::Unknown, "it says too little");
    assert!(matches!(life(std::process::id()), Life::Since(_)));
}

#[test]
fn a_process_that_ended_is_gone_though_nothing_can_be_read() {
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let hidden = life_by(child.id(), Err(io::ErrorKind::PermissionDenied.into()));
    assert_eq!(hidden, Life::Ended);
    assert_eq!(life(child.id()), Life::Ended);
}

#[test]
fn a_user_has_the_name_that_the_system_gives() {
    let users = "# who may log in\n+:x:1000:::\nroot:x:0:0:root:/root:/bin/sh\n\nada:x:1000:1000::/home/ada:/bin/sh\nalso:x:1000:1:::\nodd\n";
    assert_eq!(name_of(0, users).as_deref(), Some("root"));
    assert_eq!(name_of(1000, users).as_deref(), Some("ada"));
    assert_eq!(name_of(1001, users), None);
    assert_eq!(name_of(0, ""), None);
}
