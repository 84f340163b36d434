use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::Site;

#[test]
fn a_plan_asks_the_server_for_nothing_but_reads() {
    let site = Site::new();
    let output = site.run(&["plan"]);
    assert_eq!(output.code, Some(0), "{output}");
    let commands: BTreeSet<String> = site.proxy.commands().into_iter().collect();
    assert!(commands.contains("config-get"));
    assert!(
        commands.iter().all(|command| command.ends_with("-get")),
        "{commands:?}"
    );
    assert_eq!(
        site.proxy.requests().len(),
        site.proxy.commands().len(),
        "something else was asked"
    );
    site.assert_untouched();
}

/// Every system call that opens for writing, makes, renames or removes something, and every connection.
const WATCHED: &str = "open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,\
                       truncate,ftruncate,link,linkat,symlink,symlinkat,chmod,fchmod,fchmodat,mknod,mknodat,connect";

#[test]
fn a_plan_makes_no_system_call_that_writes_outside_the_users_cache() {
    let site = Site::new();
    let log = site.environment.work().join("strace.log");
    let plan = site.environment.command(["plan"]);
    let mut strace = std::process::Command::new("strace");
    strace
        .args(["-f", "-qq", "-y", "-e", &format!("trace={WATCHED}"), "-o"])
        .arg(&log);
    strace
        .arg(plan.get_program())
        .args(plan.get_args())
        .current_dir(site.environment.work());
    for (name, value) in plan.get_envs() {
        if let Some(value) = value {
            strace.env(name, value);
        }
    }
    let output = site
        .environment
        .shown(&site.environment.moved(&site.lab, &strace).output().unwrap());
    assert_eq!(output.code, Some(0), "{output}");

    let cache = site.environment.cache();
    let text = fs::read_to_string(&log).unwrap();
    assert!(
        text.contains("connect(") && text.contains("openat("),
        "nothing was traced:\n{text}"
    );
    let writes: Vec<&str> = text
        .lines()
        .filter(|line| writes(line) && !within(line, &cache))
        .collect();
    assert!(writes.is_empty(), "the plan writes:\n{}", writes.join("\n"));
    let servers: BTreeSet<&str> = text
        .lines()
        .filter(|line| line.contains("connect(") && line.contains("sin_port"))
        .collect();
    let known = |line: &&str| line.contains("htons(8000)") && line.contains("10.20.30.5");
    assert!(
        servers.iter().all(known),
        "the plan connects elsewhere: {servers:?}"
    );
}

fn writes(line: &str) -> bool {
    let call = line
        .split_once(' ')
        .map_or(line, |(_, call)| call.trim_start());
    let (name, _) = call.split_once('(').unwrap_or((call, ""));
    match name {
        "open" | "openat" | "openat2" => {
            ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"]
                .iter()
                .any(|flag| call.contains(flag))
                && !call.contains("\"/dev/null\"")
                && !call.contains("\"/dev/tty\"")
        }
        "connect" | "" => false,
        name => WATCHED.split(',').any(|watched| watched == name),
    }
}

fn within(line: &str, folder: &Path) -> bool {
    line.contains(&folder.display().to_string())
}
