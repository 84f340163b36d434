//! The cache of compiled code: used when it is beyond doubt, and never in the way.

use std::fs;
use std::path::{Path, PathBuf};

use switchover_plugin_host::{Digest, Host, HostConfig, Limits, Source};

use crate::guest::{Guest, run};

struct Place {
    _temporary: tempfile::TempDir,
    folder: PathBuf,
    component: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let temporary = tempfile::tempdir().unwrap();
        Self {
            folder: temporary.path().join("plugins"),
            _temporary: temporary,
            component: Guest::default().component(),
        }
    }

    fn host(&self) -> Host {
        Host::new(HostConfig {
            cache: Some(self.folder.clone()),
            limits: Limits::default(),
        })
        .unwrap()
    }

    fn fill(&self) -> PathBuf {
        run_it(&self.host(), &Source::new(&self.component));
        let files: Vec<_> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }

    /// Whether the compiled code is taken: there is nothing else to take here.
    fn is_used(&self) -> bool {
        let source = Source::embedded(b"no component", *Digest::of(&self.component).as_bytes());
        self.host().load("guest", &source).is_ok()
    }
}

fn run_it(host: &Host, source: &Source<'_>) {
    run(&mut host.load("guest", source).unwrap().start().unwrap()).unwrap();
}

#[cfg(unix)]
fn chmod(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn compiled_code_is_used_again() {
    let place = Place::new();
    assert!(!place.is_used());
    place.fill();
    assert!(place.is_used());
}

#[test]
fn damaged_code_is_compiled_again_and_replaced() {
    let place = Place::new();
    let file = place.fill();
    let whole = fs::read(&file).unwrap();
    let mut damages: Vec<Vec<u8>> = vec![
        vec![],
        whole[..40].to_vec(),
        whole[..whole.len() - 1].to_vec(),
    ];
    damages.push([&whole[..], b"x"].concat());
    damages.extend((0..whole.len()).step_by(whole.len() / 40).map(|at| {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        damaged
    }));
    for damaged in damages {
        fs::write(&file, damaged).unwrap();
        assert!(!place.is_used());
        run_it(&place.host(), &Source::new(&place.component));
        assert!(place.is_used());
    }
}

#[test]
fn code_of_another_component_is_not_used_for_this_one() {
    let place = Place::new();
    place.fill();
    let other = Source::embedded(b"no component", [7; 32]);
    assert!(place.host().load("guest", &other).is_err());
}

#[cfg(unix)]
#[test]
fn what_others_could_have_written_is_not_used() {
    let place = Place::new();
    let file = place.fill();
    for (path, wrong, right) in [
        (&file, 0o620, 0o600),
        (&file, 0o602, 0o600),
        (&place.folder, 0o770, 0o700),
    ] {
        chmod(path, wrong);
        assert!(!place.is_used(), "{} with mode {wrong:o}", path.display());
        run_it(&place.host(), &Source::new(&place.component));
        chmod(path, right);
        assert!(place.is_used());
    }
    let elsewhere = place.folder.with_file_name("elsewhere");
    fs::rename(&place.folder, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &place.folder).unwrap();
    assert!(!place.is_used());
}

#[test]
fn a_cache_that_cannot_be_written_is_no_trouble() {
    let place = Place::new();
    // A file where the folder should be: nobody can write below it, whatever their rights.
    fs::write(&place.folder, "").unwrap();
    run_it(&place.host(), &Source::new(&place.component));
    assert_eq!(fs::read(&place.folder).unwrap(), b"");
}

#[test]
fn nothing_but_whole_files_is_left_behind() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| run_it(&place.host(), &Source::new(&place.component)));
        }
    });
    place.fill();
    assert!(place.is_used());
}
