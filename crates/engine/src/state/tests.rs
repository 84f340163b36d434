use std::fs;
use std::path::Path;

use serde_json::json;

use super::*;
use crate::diff::Body;
use crate::plan::{Owned, PluginRef, Wave};

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(work)
}

pub(super) fn state(folder: &Path) -> State {
    State::at(folder, None).unwrap()
}

pub(super) fn generation(number: u64) -> Generation {
    let epoch = jiff::Timestamp::UNIX_EPOCH;
    Generation::empty(number, epoch, "acme".to_owned(), "00".repeat(32))
}

fn resources(text: &str) -> Vec<Resource> {
    vec![
        Resource {
            address: "file/a.cfg".to_owned(),
            kind: "file".to_owned(),
            body: Body::File(text.as_bytes().to_vec()),
            sensitive: Vec::new(),
            depends_on: vec!["host/1".to_owned()],
            hint: None,
        },
        Resource {
            address: "file/b.bin".to_owned(),
            kind: "file".to_owned(),
            body: Body::File(vec![0xff, 0, 1]),
            sensitive: Vec::new(),
            depends_on: Vec::new(),
            hint: None,
        },
        Resource {
            address: "host/1".to_owned(),
            kind: "host".to_owned(),
            body: Body::Object(json!({ "name": "a", "password": "${secret:x}" })),
            sensitive: vec!["/password".to_owned()],
            depends_on: Vec::new(),
            hint: None,
        },
    ]
}

/// Keeps contents and records a generation that refers to them.
pub(super) async fn record(state: &State, number: u64, text: &str) -> Generation {
    let contents = state.keep_contents(&resources(text)).await.unwrap();
    let sources = Sources {
        main: "switchover.kdl".to_owned(),
        files: [("switchover.kdl".to_owned(), "site \"acme\"\n".to_owned())].into(),
    };
    let plugin = PluginRef {
        name: "provisioning".to_owned(),
        version: "0.1.0".to_owned(),
        sha256: "11".repeat(32),
    };
    let owned = Owned {
        sha256: "22".repeat(32),
        adopted: false,
        secret: true,
    };
    let record = TargetRecord {
        plugin,
        wave: Some(Wave::Provisioning),
        resources: [("host/1".to_owned(), owned)].into(),
        contents: Some(contents),
    };
    let generation = Generation {
        who: Some("jo@host".to_owned()),
        sources: Some(state.keep_sources(&sources).await.unwrap()),
        changes: Some(Counts {
            create: 3,
            update: 0,
            delete: 0,
        }),
        targets: [("files".to_owned(), record)].into(),
        ..generation(number)
    };
    linked(state, generation).await.unwrap();
    state.last().await.unwrap().unwrap()
}

pub(super) async fn linked(state: &State, generation: Generation) -> Result<(), StateError> {
    state.record(&state.linked(generation).await?).await
}

#[test]
fn the_highest_number_is_the_last_and_none_is_overwritten() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        assert_eq!(state.last().await.unwrap(), None);
        assert!(
            !folder.path().join(".switchover").exists(),
            "looking creates nothing"
        );
        for number in [1, 2, 10] {
            linked(&state, generation(number)).await.unwrap();
        }
        assert_eq!(state.numbers().await.unwrap(), [1, 2, 10]);
        assert_eq!(state.last().await.unwrap().unwrap().number, 10);
        // Two who record the same do no harm to each other.
        linked(&state, generation(2)).await.unwrap();
        let other = Generation {
            who: Some("mo@there".to_owned()),
            ..generation(2)
        };
        let refused = linked(&state, other).await.unwrap_err();
        assert!(matches!(refused, StateError::Store(error) if error.is_exists()));
        assert_eq!(state.generation(2).await.unwrap().who, None);
        let none = state.generation(3).await.unwrap_err();
        assert!(matches!(none, StateError::NoGeneration { number: 3 }));
    });
}

#[test]
fn contents_come_back_as_they_were_and_are_kept_once() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let first = record(&state, 1, "text").await;
        let second = record(&state, 2, "text").await;
        assert!(second.parent.is_some() && first.parent.is_none());
        let blob = second.targets["files"].contents.as_ref().unwrap();
        assert_eq!(first.targets["files"].contents.as_ref(), Some(blob));
        let contents = state.contents(blob).await.unwrap();
        assert_eq!(contents.resources().unwrap(), resources("text"));
        let blobs = folder.path().join(".switchover/blobs");
        assert_eq!(fs::read_dir(blobs).unwrap().count(), 2);
    });
}

/// Every byte of every file changed, and files cut short: the file is named, and nothing else is taken for it.
#[test]
fn no_changed_byte_goes_unnoticed() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let generation = record(&state, 1, "text").await;
        let blob = generation.targets["files"].contents.clone().unwrap();
        let sources = generation.sources.clone().unwrap();
        for key in [generation_key(1), blob.key(), sources.key()] {
            let path = folder.path().join(".switchover").join(&key);
            let whole = fs::read(&path).unwrap();
            let mut changed: Vec<Vec<u8>> = (0..whole.len())
                .map(|at| {
                    let mut bytes = whole.clone();
                    bytes[at] ^= 1 << (at % 8);
                    bytes
                })
                .collect();
            changed.extend(
                (0..whole.len())
                    .step_by(5)
                    .map(|length| whole[..length].to_vec()),
            );
            for bytes in changed {
                fs::write(&path, &bytes).unwrap();
                let error = match key == generation_key(1) {
                    true => state.last().await.map(drop),
                    false if key == blob.key() => state.contents(&blob).await.map(drop),
                    false => state.sources(&sources).await.map(drop),
                };
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let error = error.expect_err(&text).to_string();
                assert!(error.contains(&key), "{error}\n{text}");
                if key != generation_key(1) {
                    assert!(error.contains("generation 1"), "{error}");
                }
            }
            fs::write(&path, whole).unwrap();
        }
        state.last().await.unwrap();
    });
}

#[test]
fn a_missing_content_is_named_with_who_needs_it() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let blob = record(&state, 1, "text").await.targets["files"]
            .contents
            .clone()
            .unwrap();
        state.store().delete(&blob.key()).await.unwrap();
        let error = state.contents(&blob).await.unwrap_err().to_string();
        assert!(
            error.contains("generation 1") && error.contains("gone"),
            "{error}"
        );
    });
}

/// What is kept once more is what was kept before: whatever became of that is mended.
#[test]
fn what_is_kept_again_mends_what_was_damaged() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let contents = record(&state, 1, "text").await.targets["files"]
            .contents
            .clone()
            .unwrap();
        let path = folder.path().join(".switchover").join(contents.key());
        fs::write(&path, "{}").unwrap();
        state.contents(&contents).await.unwrap_err();
        let kept = state.keep_contents(&resources("text")).await.unwrap();
        assert_eq!(kept, contents);
        state.contents(&contents).await.unwrap();
    });
}

/// Each generation that shares a content is named, and what to do about it depends on which generation is damaged.
#[test]
fn who_needs_what_is_damaged_is_named() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        for number in [1, 2, 3, 5] {
            record(&state, number, "text").await;
        }
        let last = record(&state, 6, "other").await;
        let shared = state.generation(1).await.unwrap().targets["files"]
            .contents
            .clone()
            .unwrap();
        let place = |key: &str| folder.path().join(".switchover").join(key);
        fs::write(place(&shared.key()), "").unwrap();
        let error = state.contents(&shared).await.unwrap_err().to_string();
        assert!(error.contains("generations 1–3, 5 need"), "{error}");
        state.contents_of(&last).await.unwrap();

        let help = |error: StateError| miette::Diagnostic::help(&error).unwrap().to_string();
        fs::write(place(&generation_key(2)), "").unwrap();
        let error = state.generation(2).await.unwrap_err();
        assert!(error.to_string().contains("it is empty"), "{error}");
        assert!(help(error).contains("other generations can be used"));
        let whole = fs::read(place(&generation_key(6))).unwrap();
        fs::write(place(&generation_key(6)), &whole[..whole.len() / 2]).unwrap();
        let error = state.last().await.unwrap_err();
        assert!(error.to_string().contains("it is cut short"), "{error}");
        assert!(help(error).contains("it is the last generation"));
        let all = state.generations().await.unwrap();
        let whole: Vec<u64> = all
            .iter()
            .filter(|(_, read)| read.is_ok())
            .map(|(number, _)| *number)
            .collect();
        assert_eq!((all.len(), whole), (5, vec![1, 3, 5]));
    });
}

#[test]
fn other_formats_are_named() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        record(&state, 1, "text").await;
        let path = folder.path().join(".switchover/generations/000001.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replacen("\"2.0\"", "\"7.0\"", 1)).unwrap();
        let error = state.last().await.unwrap_err();
        assert!(matches!(error, StateError::Format { found, .. } if found == "7.0"));
        assert!(State::at(folder.path(), Some("s3://x/y")).is_ok());
        assert!(matches!(
            State::at(folder.path(), Some("gopher://x/y")),
            Err(StateError::Store(_))
        ));
    });
}

/// A later minor version may say more; it is read for what is known of it.
#[test]
fn what_a_later_minor_version_adds_is_passed_over() {
    let text = serde_json::to_string(&generation(1)).unwrap();
    let text = text.replacen('{', "{\"more\":1,", 1);
    let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
    sha2::Digest::update(&mut hasher, format!("2.9\0{text}"));
    let sha256 = crate::diff::hex(&sha2::Digest::finalize(hasher));
    let file =
        format!("{{\"format_version\":\"2.9\",\"sha256\":\"{sha256}\",\"generation\":{text}}}\n");
    let (read, _) = file::read(file.as_bytes()).unwrap();
    assert_eq!(read, generation(1));
}

/// The files of each format that was ever written are kept here, and read.
#[test]
fn states_of_every_format_are_read() {
    block_on(async {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/state/fixtures");
        let at = |version| State::at(&fixtures, Some(version)).unwrap();
        let first = at("1.0").last().await.unwrap().unwrap();
        assert_eq!((first.number, first.site.as_str()), (3, "acme"));
        assert!(first.sources.is_none() && first.targets["files"].contents.is_none());
        assert!(first.targets["files"].resources["file/a.cfg"].secret);

        let state = at("2.0");
        let second = state.last().await.unwrap().unwrap();
        assert_eq!((second.number, second.who.as_deref()), (2, Some("jo@host")));
        let contents = second.targets["files"].contents.as_ref().unwrap();
        let contents = state.contents(contents).await.unwrap();
        assert_eq!(contents.resources().unwrap(), resources("text"));
        let sources = state
            .sources(second.sources.as_ref().unwrap())
            .await
            .unwrap();
        assert_eq!(sources.main, "switchover.kdl");
    });
}

/// What is written today is what is kept above: a change of it is a new format.
#[test]
fn the_format_written_is_the_one_that_is_kept() {
    block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        record(&state, 1, "text").await;
        record(&state, 2, "text").await;
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/state/fixtures/2.0");
        let written = folder.path().join(".switchover");
        for part in ["generations", "blobs"] {
            let mut names: Vec<_> = fs::read_dir(written.join(part))
                .unwrap()
                .map(|entry| entry.unwrap().file_name())
                .collect();
            names.sort();
            for name in names {
                let (new, old) = (written.join(part).join(&name), kept.join(part).join(&name));
                if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
                    fs::create_dir_all(old.parent().unwrap()).unwrap();
                    fs::copy(&new, &old).unwrap();
                }
                assert_eq!(
                    fs::read_to_string(new).unwrap(),
                    fs::read_to_string(old).unwrap()
                );
            }
        }
    });
}
