//! Several processes at the same keys: this test program, started again.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

use switchover_effects::store::Store;

use crate::store::block_on;

const LOCATION: &str = "STORE_TEST_LOCATION";
const JOB: &str = "STORE_TEST_JOB";

/// What a process does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Job {
    /// Creates, replaces and appends so often.
    Often(usize),
    /// Replaces once and appends once.
    Once,
}

/// A process that does a job.
pub(crate) fn command(location: &str, job: Job) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "store_processes::worker",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(LOCATION, location)
        .env(
            JOB,
            match job {
                Job::Often(rounds) => rounds.to_string(),
                Job::Once => "once".to_owned(),
            },
        );
    command
}

/// A store with an environment of its own.
pub(crate) fn open(location: &str, environment: &[(&'static str, String)]) -> Store {
    let environment = environment.iter();
    let environment = environment.map(|(name, value)| ((*name).to_owned(), value.clone()));
    Store::open_in(Path::new("/"), location, environment).unwrap()
}

/// Lets processes work on the same keys, and holds what they say against what is there.
pub(crate) fn race(
    location: &str,
    environment: &[(&'static str, String)],
    processes: usize,
    rounds: usize,
) {
    let start = || {
        let mut command = command(location, Job::Often(rounds));
        for (name, value) in environment {
            command.env(name, value);
        }
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let workers: Vec<_> = (0..processes).map(|_| start()).collect();
    let mut won = Vec::new();
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        let wins = said
            .lines()
            .filter_map(|line| line.split("created ").nth(1));
        won.extend(wins.map(str::to_owned));
    }
    won.sort();
    let all: Vec<String> = (0..rounds)
        .map(|round| format!("once/{round:03}"))
        .collect();
    assert_eq!(won, all, "each key was created by exactly one");

    let store = open(location, environment);
    block_on(async {
        let (count, _) = store.get("counter").await.unwrap().unwrap();
        assert_eq!(count, (processes * rounds).to_string().as_bytes());
        let mut records = store.read_log("log").await.unwrap();
        assert_eq!(records.len(), processes * rounds);
        records.sort();
        records.dedup();
        assert_eq!(
            records.len(),
            processes * rounds,
            "no record was lost or written twice"
        );
    });
}

/// Started by the others with a job; alone it does one by itself.
#[test]
fn worker() {
    let Ok(location) = env::var(LOCATION) else {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path().to_owned());
        block_on(often(&store, 3));
        assert_eq!(block_on(store.list("once")).unwrap().len(), 3);
        return;
    };
    let store = Store::open(Path::new("/"), &location).unwrap();
    match env::var(JOB).unwrap().as_str() {
        "once" => block_on(once(&store)),
        rounds => block_on(often(&store, rounds.parse().unwrap())),
    }
}

async fn once(store: &Store) {
    let (_, tag) = store.get("value").await.unwrap().unwrap();
    store.replace("value", "1", &tag).await.unwrap();
    store.append("log", 1, b"second").await.unwrap();
}

async fn often(store: &Store, rounds: usize) {
    for round in 0..rounds {
        let key = format!("once/{round:03}");
        match store.create(&key, std::process::id().to_string()).await {
            Ok(_) => println!("created {key}"),
            Err(error) => assert!(error.is_exists(), "{error}"),
        }
        count(store).await;
        let record = format!("{} {round}", std::process::id());
        store.push("log", record.as_bytes()).await.unwrap();
    }
}

/// Adds one to a number that others add to as well.
async fn count(store: &Store) {
    loop {
        let written = match store.get("counter").await.unwrap() {
            None => store.create("counter", "1").await,
            Some((bytes, tag)) => {
                let number: usize = str::from_utf8(&bytes).unwrap().parse().unwrap();
                let next = (number + 1).to_string();
                store.replace("counter", next, &tag).await
            }
        };
        match written {
            Ok(_) => return,
            Err(error) => assert!(error.is_moved() || error.is_exists(), "{error}"),
        }
    }
}
