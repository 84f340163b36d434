//! A site's state in an object store: machines that share nothing else work on the same site.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use serde_json::Value;
use switchover_lab::{Bucket, Fate, ObjectServer};

use crate::environment::{Output, TestEnvironment, files_below};
use crate::interactive::Person;
use crate::plan_and_apply::{GOOD, site};

pub(crate) const KEY: &str = "SWITCHOVER_STATE_KEY";

/// One such.
pub(crate) const A_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The Python that `cargo xtask setup` makes.
pub(crate) fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("tools/python/bin/python")
}

/// The topology; the servers are folders of one machine, which all reach.
fn shared(servers: &TestEnvironment) -> String {
    let description = "    description \"Acme headquarters, Udine\"\n";
    let state = format!("{description}    state \"s3://state/acme-hq\"\n");
    let mut text = GOOD.replace(description, &state);
    assert_ne!(text, GOOD);
    for name in ["dnsmasq.d", "provisioning"] {
        let root = servers.work().join(name).display().to_string();
        text = text.replace(&format!("root \"{name}\""), &format!("root {root:?}"));
    }
    text
}

/// A machine with the site's topology, which reaches the object store.
fn machine(server: &ObjectServer) -> TestEnvironment {
    let mut test = site();
    for (name, value) in server.environment() {
        test.set(name, &value);
    }
    test.write("switchover.kdl", &shared(&test));
    test
}

/// The same with the key of the state.
pub(crate) fn trusted(server: &ObjectServer) -> TestEnvironment {
    let mut test = machine(server);
    test.set(KEY, A_KEY);
    test
}

/// How many there are.
fn generations(test: &TestEnvironment) -> usize {
    let listed = test.run(["generations", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    listed["generations"].as_array().unwrap().len()
}

pub(crate) fn started(folder: &Path) -> ObjectServer {
    ObjectServer::start(&python(), folder).unwrap()
}

#[test]
fn what_one_machine_applies_the_other_sees() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path());
    let (here, there) = (trusted(&server), trusted(&server));
    there.write("switchover.kdl", &shared(&here));
    let applied = here.run(["apply", "--yes"]);
    assert_eq!(applied.code, Some(0), "{applied}");
    assert!(!here.work().join(".switchover").exists());

    assert_eq!(there.run(["plan"]).stdout, "no changes\n");
    assert_eq!(generations(&there), 1);
    there.write("switchover.kdl", &shared(&here).replace("8h", "9h"));
    let second = there.run(["apply", "--yes"]);
    assert!(
        second.stdout.starts_with("applied as generation 2: "),
        "{second}"
    );
    let back = here.run(["rollback", "--yes"]);
    assert!(
        back.stdout.starts_with("applied as generation 3: "),
        "{back}"
    );
    assert_eq!(here.run(["plan"]).stdout, "no changes\n");
    let audit = there.run(["audit", "--verify"]);
    assert_eq!(audit.code, Some(0), "{audit}");
    assert!(
        audit.stdout.contains("rollback of acme-hq begun"),
        "{audit}"
    );
    let gone = there.run(["gc", "--keep", "1"]);
    assert_eq!(gone.code, Some(0), "{gone}");
    assert_eq!(generations(&here), 1);
    let lock = here.run(["lock", "list"]);
    assert_eq!(lock.stdout, "nobody is changing the site\n", "{lock}");
}

/// A run waits on one machine; another one confirms it, and then one is killed and the other brings it to its end.
#[test]
fn a_run_of_another_machine_is_confirmed_and_recovered() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path());
    let (here, there) = (trusted(&server), trusted(&server));
    there.write("switchover.kdl", &shared(&here));
    let waiting = || {
        let apply = ["apply", "--yes", "--confirm-within", "1h"];
        let (mut person, child) = Person::start(&here, &apply);
        person.sees("switchover confirm");
        (person, child)
    };
    let held = || {
        let files = files_below(&here.work().join("dnsmasq.d"));
        let bytes = files.iter().map(|path| fs::read(path).unwrap());
        bytes.collect::<Vec<_>>()
    };
    let (_person, mut child) = waiting();
    let busy = there.run(["apply", "--yes"]);
    assert_eq!(busy.code, Some(8), "{busy}");
    assert_eq!(there.run(["confirm"]).stdout, "confirmed\n");
    assert_eq!(child.wait().unwrap().code(), Some(0));

    here.write("switchover.kdl", &shared(&here).replace("8h", "9h"));
    let before = held();
    let (_person, mut child) = waiting();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_ne!(held(), before);
    let recovered = there.run(["recover", "--back", "--yes"]);
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(held(), before);
}

#[test]
fn of_twenty_machines_that_apply_at_once_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path());
    let test = trusted(&server);
    let start = |_| {
        let mut command = test.command(["apply", "--yes"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let runs: Vec<Child> = (0..20).map(start).collect();
    let mut applied = 0;
    for run in runs {
        let output = test.shown(&run.wait_with_output().unwrap());
        match output.code {
            Some(0) if output.stdout.starts_with("applied as generation 1: ") => applied += 1,
            // It came after the one that did: there was nothing left to do.
            Some(0) => assert_eq!(output.stdout, "no changes\n", "{output}"),
            Some(8) => assert!(output.stderr.contains("switchover::"), "{output}"),
            // Its plan was made before the one that did was done.
            Some(9) => assert!(
                output.stderr.contains("something was applied since"),
                "{output}"
            ),
            _ => panic!("{output}"),
        }
    }
    assert_eq!(applied, 1);
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
    assert_eq!(generations(&test), 1);
}

/// What is in an object store is sealed with a key that is not there; without one nothing is begun.
#[test]
fn a_run_that_would_seal_something_needs_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path());
    for (key, code) in [
        (None, "switchover::journal::no_state_key"),
        (Some("hunter2"), "switchover::journal::bad_state_key"),
        (Some("AAECAwQ="), "switchover::journal::bad_state_key"),
    ] {
        let mut test = machine(&server);
        if let Some(key) = key {
            test.set(KEY, key);
        }
        let refused = test.run(["apply", "--yes"]);
        assert_eq!(refused.code, Some(1), "{refused}");
        assert!(refused.stderr.contains(code), "{refused}");
        assert!(
            refused.stderr.contains("openssl rand -base64 32"),
            "{refused}"
        );
        assert!(!refused.stderr.contains("hunter2"), "{refused}");
        assert!(files_below(&test.work().join("provisioning")).is_empty());
        let listed = test.run(["generations"]);
        assert_eq!(listed.stdout, "nothing was applied yet\n", "{listed}");
    }
}

/// Whoever has lost the topology says where the state is: a run is recovered, and everything that is kept is read.
#[test]
fn a_run_is_recovered_where_no_machine_has_the_topology() {
    let folder = tempfile::tempdir().unwrap();
    let server = started(folder.path());
    let test = trusted(&server);
    assert_eq!(test.run(["apply", "--yes"]).code, Some(0));
    test.write("switchover.kdl", &shared(&test).replace("8h", "9h"));
    let held = || {
        let files = files_below(&test.work().join("dnsmasq.d"));
        let bytes = files.iter().map(|path| fs::read(path).unwrap());
        bytes.collect::<Vec<_>>()
    };
    let before = held();
    let (mut person, mut child) =
        Person::start(&test, &["apply", "--yes", "--confirm-within", "1h"]);
    person.sees("switchover confirm");
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(test.work().join("switchover.kdl")).unwrap();
    assert_ne!(held(), before);

    let recover = ["recover", "--back", "--yes"];
    let lost = test.run(recover);
    assert_eq!(lost.code, Some(1), "{lost}");
    assert!(lost.stderr.contains("--state"), "{lost}");
    for (place, code) in [
        ("s3://state/acme-hp", "switchover::state::not_there"),
        ("s3://stat/acme-hq", "store::"),
    ] {
        let wrong = test.run(recover.into_iter().chain(["--state", place]));
        assert_eq!(wrong.code, Some(1), "{wrong}");
        assert!(wrong.stderr.contains(code), "{wrong}");
    }
    let at = ["--state", "s3://state/acme-hq"];
    let checked = test.run(["generations", "check"].into_iter().chain(at));
    assert_eq!(checked.code, Some(0), "{checked}");
    assert!(checked.stdout.starts_with("1 generation, "), "{checked}");
    let recovered = test.run(recover.into_iter().chain(at));
    assert_eq!(recovered.code, Some(0), "{recovered}");
    assert_eq!(held(), before);
    let checked = test.run(["generations", "check"].into_iter().chain(at));
    assert_eq!(checked.code, Some(0), "{checked}");
}

/// A site that is applied with its state in a bucket: what that makes of the first write to a key that is meant, and of
/// every request after it. In the end it answers again.
fn cut_off(
    is_meant: impl Fn(&str) -> bool + Send + 'static,
    (its, later): (Fate, Fate),
) -> (TestEnvironment, Bucket, Output) {
    let bucket = Bucket::start().unwrap();
    let mut test = site();
    for (name, value) in bucket.environment() {
        test.set(name, &value);
    }
    test.set(KEY, A_KEY);
    test.write("switchover.kdl", &shared(&test));
    let mut came = false;
    bucket.judge(move |method, key| {
        let is_it = method == "PUT" && is_meant(key);
        let fate = match (is_it, came) {
            (true, false) => its,
            (_, true) => later,
            (false, false) => Fate::Answered,
        };
        came |= is_it;
        fate
    });
    let applied = test.run(["apply", "--yes"]);
    bucket.answer_all();
    (test, bucket, applied)
}

fn is_generation(key: &str) -> bool {
    key.contains("/generations/")
}

/// The files of the servers, by their paths within the site.
fn servers(test: &TestEnvironment) -> Vec<(PathBuf, Vec<u8>)> {
    let folders = ["dnsmasq.d", "provisioning"].map(|name| test.work().join(name));
    let files = folders.iter().flat_map(|folder| files_below(folder));
    let mut files: Vec<_> = files
        .filter(|path| !path.display().to_string().contains("/.switchover-stage-"))
        .map(|path| {
            let name = path.strip_prefix(test.work()).unwrap().to_owned();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The answer to the write of a generation is all that is lost, and it is found there.
#[test]
fn a_generation_that_arrived_is_recorded_though_the_answer_did_not() {
    let (test, _bucket, applied) = cut_off(is_generation, (Fate::AnswerLost, Fate::Answered));
    assert_eq!(applied.code, Some(0), "{applied}");
    assert_eq!(generations(&test), 1);
    assert_eq!(test.run(["plan"]).stdout, "no changes\n");
}

/// From its last record in the journal on a run is done: whether or not its generation could be written then, nobody takes
/// anything back, and whoever recovers it records it, whatever the direction.
#[test]
fn a_run_whose_generation_could_not_be_written_is_recorded_later() {
    for direction in ["--back", "--forward", "--leave"] {
        let (test, _bucket, applied) = cut_off(is_generation, (Fate::Lost, Fate::Lost));
        assert_eq!(applied.code, Some(7), "{applied}");
        let code = "switchover::apply::unrecorded";
        assert!(applied.stderr.contains(code), "{applied}");
        let done = servers(&test);
        for arguments in [&["apply", "--yes"][..], &["rollback", "--yes"]] {
            let refused = test.run(arguments);
            assert_ne!(refused.code, Some(0), "{refused}");
        }
        let recovered = test.run(["recover", direction, "--yes", "--format", "json"]);
        assert_eq!(recovered.code, Some(0), "{recovered}");
        let recovered: Value = serde_json::from_str(&recovered.stdout).unwrap();
        assert_eq!(recovered["outcome"], "was-over", "{recovered:#}");
        assert_eq!(recovered["generation"], 1, "{recovered:#}");
        assert_eq!(generations(&test), 1);
        assert_eq!(servers(&test), done);
        assert_eq!(test.run(["plan"]).stdout, "no changes\n");
        let audit = test.run(["audit", "--format", "json"]).stdout;
        assert!(audit.contains("\"recorded\""), "{audit}");
    }
}

/// Whether the journal has that last record may be what nobody knows. Nothing is taken back then, and what the journal turns
/// out to hold decides.
#[test]
fn what_the_journal_holds_decides_whether_a_run_is_recorded() {
    // All runs of this topology write as many records.
    let (test, bucket, _) = cut_off(is_generation, (Fate::Lost, Fate::Lost));
    let keys = bucket.keys();
    let is_line = |key: &str| key.contains("/runs/");
    let last = keys.iter().rfind(|key| is_line(key)).unwrap();
    let (_, last) = last.rsplit_once('/').unwrap();
    let done = servers(&test);
    let (test, ..) = cut_off(|_| false, (Fate::Lost, Fate::Lost));
    assert_eq!(servers(&test), done, "that was a whole run");
    let before = servers(&site());

    for (fates, code, recorded) in [
        ((Fate::AnswerLost, Fate::Lost), 7, true),
        ((Fate::Lost, Fate::Lost), 7, false),
        ((Fate::AnswerLost, Fate::Answered), 0, true),
    ] {
        let last = last.to_owned();
        let is_last = move |key: &str| is_line(key) && key.ends_with(&last);
        let (test, _bucket, applied) = cut_off(is_last, fates);
        assert_eq!(applied.code, Some(code), "{fates:?}: {applied}");
        if code == 7 {
            assert_eq!(servers(&test), done, "{fates:?}");
            let recovered = test.run(["recover", "--back", "--yes"]);
            assert_eq!(recovered.code, Some(0), "{fates:?}: {recovered}");
        }
        assert_eq!(generations(&test), usize::from(recorded), "{fates:?}");
        let expected = if recorded { &done } else { &before };
        assert_eq!(&servers(&test), expected, "{fates:?}");
        assert!(
            test.run(["recover", "--back", "--yes"])
                .stdout
                .contains("nothing to recover")
        );
    }
}

/// A run is over, and its journal could not be removed any more. The next apply cannot clear up after it, for its topology is
/// another one, and says so; it is in nobody's way. `recover` knows the run's own; what is gone for good is forgotten where
/// somebody says so.
#[test]
fn what_a_run_that_is_over_has_left_is_in_nobodys_way() {
    for is_gone in [false, true] {
        let (test, bucket, applied) = cut_off(is_generation, (Fate::Answered, Fate::Lost));
        assert_eq!(applied.code, Some(0), "{applied}");
        let journals = || {
            let keys = bucket.keys();
            keys.iter().filter(|key| key.contains("/runs/")).count()
        };
        assert_ne!(journals(), 0);
        let planned = test.run(["plan"]);
        assert!(!planned.stderr.contains("interrupted"), "{planned}");

        let changed = shared(&test).replace("8h", "9h");
        test.write("switchover.kdl", &changed);
        let applied = test.run(["apply", "--yes"]);
        assert_eq!(applied.code, Some(0), "{applied}");
        for part in ["not cleared away", "another topology", "switchover recover"] {
            assert!(applied.stderr.contains(part), "{part}: {applied}");
        }
        assert_ne!(journals(), 0);

        if is_gone {
            let folder = test.work().join("provisioning");
            fs::remove_dir_all(&folder).unwrap();
            fs::write(&folder, "no folder any more").unwrap();
            let refused = test.run(["recover", "--back", "--yes"]);
            assert_eq!(refused.code, Some(1), "{refused}");
            let code = "switchover::recover::left_behind";
            assert!(refused.stderr.contains(code), "{refused}");
            let left = test.run(["recover", "--leave", "--yes"]);
            assert_eq!(left.code, Some(0), "{left}");
            assert!(left.stderr.contains("forgotten: "), "{left}");
        } else {
            let recovered = test.run(["recover", "--back", "--yes"]);
            assert_eq!(recovered.code, Some(0), "{recovered}");
            assert!(recovered.stdout.contains("was cleared away"), "{recovered}");
            assert_eq!(test.run(["plan"]).stdout, "no changes\n");
        }
        assert_eq!(journals(), 0);
    }
}
