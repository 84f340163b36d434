use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use switchover_effects::placeholder::expand_text;
use switchover_effects::secrets::{Secret, SecretError, SecretSource, Secrets};

use crate::recorder::{code, recording, whole_text};

fn store(base: &Path, commands: &[(&str, &[&str])]) -> Secrets {
    let commands = commands
        .iter()
        .map(|(name, argv)| {
            (
                (*name).to_owned(),
                argv.iter().map(|&part| part.to_owned()).collect(),
            )
        })
        .collect::<BTreeMap<_, _>>();
    Secrets::new(base.to_owned(), commands, recording(&[]).1)
}

async fn resolve(secrets: &mut Secrets, source: SecretSource) -> Result<Secret, SecretError> {
    secrets.declare("s", source).unwrap();
    secrets.resolve("s").await.cloned()
}

#[tokio::test]
async fn each_source_gives_its_value() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lf"), "one\n").unwrap();
    fs::write(folder.path().join("crlf"), "two\r\n").unwrap();
    fs::write(folder.path().join("inner"), " th\nree \n\n").unwrap();
    let mut secrets = store(folder.path(), &[("vault", &["printf", "fo%s\\n", "ur"])]);
    let absolute = folder.path().join("lf");
    for (name, source, value) in [
        (
            "env",
            SecretSource::Env("CARGO_PKG_NAME".to_owned()),
            "switchover-effects",
        ),
        ("lf", SecretSource::File("lf".into()), "one"),
        ("absolute", SecretSource::File(absolute), "one"),
        ("crlf", SecretSource::File("crlf".into()), "two"),
        ("inner", SecretSource::File("inner".into()), " th\nree \n"),
        ("cmd", SecretSource::Cmd("vault".to_owned()), "four"),
    ] {
        secrets.declare(name, source).unwrap();
        assert_eq!(secrets.resolve(name).await.unwrap().expose(), value);
    }
    assert_eq!(
        expand_text("${secret:cmd}-${secret:lf}", &secrets).unwrap(),
        "four-one"
    );
    assert_eq!(secrets.masker().mask_text("four"), "${secret:cmd}");
}

#[tokio::test]
async fn a_secret_for_a_line_is_one_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, whole) in [
        ("pa ss\u{e9}", true),
        ("one line\n", true),
        ("one line\r\n", true),
        ("two\nlines", false),
        ("two\n\n", false),
        ("a\rb", false),
        ("a\tb", false),
        ("a\u{7f}", false),
        ("a\u{85}b", false),
        ("a\u{2028}b", false),
        ("a\0b", false),
    ] {
        fs::write(folder.path().join("s"), text).unwrap();
        let mut secrets = store(folder.path(), &[]);
        secrets
            .declare_line("s", SecretSource::File("s".into()))
            .unwrap();
        match secrets.resolve("s").await.map(|_| ()) {
            Ok(()) => assert!(whole, "{text:?}"),
            Err(error) => {
                assert!(!whole, "{text:?}");
                assert_eq!(code(&error), "effects::secret::control-character");
                assert!(!whole_text(&error).contains(text), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_is_read_once_and_when_needed() {
    let folder = tempfile::tempdir().unwrap();
    let mut secrets = store(folder.path(), &[]);
    secrets
        .declare("s", SecretSource::File("s".into()))
        .unwrap();
    fs::write(folder.path().join("s"), "value").unwrap();
    secrets.resolve("s").await.unwrap();
    fs::remove_file(folder.path().join("s")).unwrap();
    assert_eq!(secrets.resolve("s").await.unwrap().expose(), "value");
    assert_eq!(secrets.get("s").unwrap().expose(), "value");
    assert_eq!(secrets.names().collect::<Vec<_>>(), ["s"]);
}

#[tokio::test]
async fn each_failure_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("empty"), "\n").unwrap();
    fs::write(path.join("binary"), b"\xff\xfe").unwrap();
    fs::write(path.join("large"), vec![b'x'; 65 * 1024]).unwrap();
    fs::create_dir(path.join("folder")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, path.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let commands: &[(&str, &[&str])] = &[
        (
            "fails",
            &[
                "sh",
                "-c",
                "echo printed-$((40+2)); echo no vault >&2; exit 3",
            ],
        ),
        ("silent", &["true"]),
        ("large", &["head", "-c", "100000", "/dev/zero"]),
        ("absent", &["no-such-program-here"]),
    ];
    let env = |name: &str| SecretSource::Env(name.to_owned());
    let file = |name: &str| SecretSource::File(name.into());
    let cmd = |name: &str| SecretSource::Cmd(name.to_owned());
    let mut seen = String::new();
    for source in [
        env("SWITCHOVER_NOT_SET"),
        env("A=B"),
        env(""),
        file("none"),
        file("empty"),
        file("binary"),
        file("large"),
        file("folder"),
        file("pipe"),
        file("empty/x"),
        cmd("unknown"),
        cmd("fails"),
        cmd("silent"),
        cmd("large"),
        cmd("absent"),
    ] {
        let error = resolve(&mut store(path, commands), source)
            .await
            .unwrap_err();
        assert!(!whole_text(&error).contains("printed-42"), "{error:?}");
        seen.push_str(&format!("{}: {error}\n", code(&error)));
        if let Some(cause) = std::error::Error::source(&error) {
            seen.push_str(&format!("    {cause}\n"));
        }
    }
    insta::assert_snapshot!(seen.replace(path.to_str().unwrap(), "/folder"));
}

#[test]
fn a_declaration_is_checked() {
    let mut secrets = store(Path::new("/"), &[]);
    for name in ["", "a}b", "${x", "a#b", "a\nb"] {
        assert_eq!(
            code(
                &secrets
                    .declare(name, SecretSource::Env("A".to_owned()))
                    .unwrap_err()
            ),
            "effects::secret::name"
        );
    }
    secrets
        .declare("a", SecretSource::Env("A".to_owned()))
        .unwrap();
    secrets
        .declare("a", SecretSource::Env("A".to_owned()))
        .unwrap();
    let error = secrets
        .declare("a", SecretSource::Env("B".to_owned()))
        .unwrap_err();
    assert_eq!(code(&error), "effects::secret::twice");
}

#[tokio::test]
async fn a_value_is_shown_nowhere() {
    let (recorder, reporting) = recording(&[]);
    let mut secrets = Secrets::new("/".into(), BTreeMap::new(), reporting);
    secrets
        .declare("s", SecretSource::Env("CARGO_PKG_NAME".to_owned()))
        .unwrap();
    let secret = secrets.resolve("s").await.unwrap();
    let shown = format!("{secret} {secret:?}");
    let shown = format!("{shown} {secrets:?} {:?}", recorder.lines());
    assert!(
        !shown.contains("switchover-effects") && shown.contains("env:CARGO_PKG_NAME"),
        "{shown}"
    );
    assert_eq!(
        code(&secrets.resolve("t").await.unwrap_err()),
        "effects::secret::unknown"
    );
}
