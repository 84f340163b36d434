//! A command as a shell there reads it from its input.
//!
//! Whatever shell a user logs in with sees two words only, `sh -s`; all that comes from a topology is quoted for the
//! one shell that every system has. The program gets no input. What the script itself reads stays open as long as
//! somebody waits for the command: when it ends (the wait was given up, or the connection broke off), everything that
//! was started is killed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// The text, and how the line begins that tells the outcome.
#[derive(Debug)]
pub(crate) struct Script {
    text: String,
    marker: String,
}

/// How a script came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Exit(i32),
    NoFolder,
    NotFound,
    IsFolder,
    IsSpecial,
    NotExecutable,
}

/// What a script does with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Run,
    /// Tells whether it can be run, and runs nothing.
    LookUp,
}

impl Outcome {
    /// Reads what is behind the marker.
    pub(crate) fn read(line: &str) -> Option<Self> {
        match line.trim() {
            "folder" => Some(Self::NoFolder),
            "missing" => Some(Self::NotFound),
            "special" => Some(Self::IsSpecial),
            "directory" => Some(Self::IsFolder),
            "denied" => Some(Self::NotExecutable),
            line => line.strip_prefix("exit ")?.parse().ok().map(Self::Exit),
        }
    }
}

impl Script {
    /// None where a text holds what no program can be given.
    pub(crate) fn new(argv: &[String], folder: &Path, what: What) -> Option<Self> {
        let folder = folder.to_str()?;
        let program = argv.first()?;
        if folder.contains('\0') || argv.iter().any(|argument| argument.contains('\0')) {
            return None;
        }
        // No program prints it by chance.
        let mut random = RandomState::new().build_hasher();
        random.write_u32(std::process::id());
        let marker = format!(
            "switchover-{:016x}-{} ",
            random.finish(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let line: Vec<String> = argv.iter().map(|argument| quoted(argument)).collect();
        let (line, program, folder) = (line.join(" "), quoted(program), quoted(folder));
        // The folder may be made by the run that will want the program; a relative path leads nowhere without it.
        let (no_folder, done) = match what {
            What::Run => ("tell folder", ""),
            What::LookUp => (
                r#"case $program in /*) ;; */*) tell missing ;; esac"#,
                "tell \"exit 0\"",
            ),
        };
        // Braces make the shell read to the end before it begins. Programs of administrators are in folders that not
        // every login looks into.
        let text = format!(
            r#"{{
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"; export PATH
tell() {{ printf '\n%s%s\n' '{marker}' "$1" >&2; exit 0; }}
program={program}
cd {folder} 2>/dev/null || {no_folder}
case $program in
    */*) if [ ! -e "$program" ]; then tell missing; fi
        if [ -d "$program" ]; then tell directory; fi
        if [ ! -f "$program" ]; then tell special; fi
        if [ ! -x "$program" ]; then tell denied; fi ;;
    *) command -v -- "$program" >/dev/null 2>&1 || tell missing ;;
esac
{done}
exec 3<&0 </dev/null
(while read -r _; do :; done <&3; kill -KILL 0) >/dev/null 2>&1 &
watcher=$!
(exec 3<&-; exec {line})
status=$?
kill -KILL "$watcher" 2>/dev/null
tell "exit $status"
}}
"#
        );
        Some(Self { text, marker })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn marker(&self) -> &str {
        &self.marker
    }
}

/// One word, whatever is in it.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::Path;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::{Outcome, Script, What};

    /// What a shell makes of it: standard output, and the outcome. Its input stays open meanwhile.
    fn run(shell: &[&str], argv: &[String], folder: &Path) -> (Vec<u8>, Option<Outcome>) {
        tell(shell, argv, folder, What::Run)
    }

    fn tell(
        shell: &[&str],
        argv: &[String],
        folder: &Path,
        what: What,
    ) -> (Vec<u8>, Option<Outcome>) {
        use std::os::unix::process::CommandExt as _;
        let script = Script::new(argv, folder, what).unwrap();
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(script.text().as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let line = said
            .lines()
            .find_map(|line| line.strip_prefix(script.marker()));
        (output.stdout, line.and_then(Outcome::read))
    }

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    const SHELLS: [&[&str]; 3] = [&["sh", "-s"], &["bash", "-s"], &["busybox", "sh", "-s"]];

    #[test]
    fn every_shell_tells_every_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, "").unwrap();
        let plain = plain.to_str().unwrap();
        for shell in SHELLS {
            for (argv, outcome) in [
                (&["true"][..], Outcome::Exit(0)),
                (&["sh", "-c", "exit 3"], Outcome::Exit(3)),
                (&["sh", "-c", "exit 255"], Outcome::Exit(255)),
                (&["sh", "-c", "kill -9 $$"], Outcome::Exit(137)),
                (&["no-such-program-here"], Outcome::NotFound),
                (&["./no-such-program-here"], Outcome::NotFound),
                (&[plain], Outcome::NotExecutable),
                (&["/"], Outcome::IsFolder),
                (&["/dev/null"], Outcome::IsSpecial),
                (&["-v"], Outcome::NotFound),
            ] {
                let (_, found) = run(shell, &words(argv), folder.path());
                assert_eq!(found, Some(outcome), "{shell:?} {argv:?}");
            }
            let (output, _) = run(shell, &words(&["pwd"]), folder.path());
            assert_eq!(output, format!("{}\n", folder.path().display()).as_bytes());
            let missing = folder.path().join("none");
            assert_eq!(
                run(shell, &words(&["true"]), &missing).1,
                Some(Outcome::NoFolder)
            );
            assert_eq!(run(shell, &words(&["cat"]), folder.path()).0, b"");
        }
        assert!(Script::new(&words(&["a\0b"]), folder.path(), What::Run).is_none());
    }

    #[test]
    fn looking_up_runs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none");
        let trace = folder.path().join("ran");
        let touch = format!("touch {}", trace.display());
        std::fs::write(folder.path().join("plain"), "").unwrap();
        for shell in SHELLS {
            for (argv, folder, outcome) in [
                (&["sh", "-c", &touch][..], folder.path(), Outcome::Exit(0)),
                (&["/bin/sh", "-c", &touch], folder.path(), Outcome::Exit(0)),
                (&["/bin/sh"], &missing, Outcome::Exit(0)),
                (&["sh"], &missing, Outcome::Exit(0)),
                (&["bin/sh"], &missing, Outcome::NotFound),
                (&["bin/sh"], Path::new("/"), Outcome::Exit(0)),
                (&["./plain"], folder.path(), Outcome::NotExecutable),
                (&["/usr"], folder.path(), Outcome::IsFolder),
                (&["sh -c true"], folder.path(), Outcome::NotFound),
                (&[""], folder.path(), Outcome::NotFound),
                (&["$(touch ran)"], folder.path(), Outcome::NotFound),
            ] {
                let (output, found) = tell(shell, &words(argv), folder, What::LookUp);
                assert_eq!(found, Some(outcome), "{shell:?} {argv:?}");
                assert_eq!(output, b"", "{shell:?} {argv:?}");
            }
            assert!(!trace.exists(), "{shell:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_argument_arrives_as_it_is(arguments in prop::collection::vec("([^\x00]|'|\"|\\$|`|\\\\|\n|;|!|\\*){0,12}", 1..4)) {
            let mut argv = words(&["printf", "%s\\001"]);
            argv.extend(arguments.iter().cloned());
            let wanted: String = arguments.iter().map(|argument| format!("{argument}\u{1}")).collect();
            for shell in SHELLS {
                let (output, outcome) = run(shell, &argv, Path::new("/"));
                prop_assert_eq!(outcome, Some(Outcome::Exit(0)));
                prop_assert_eq!(&output, wanted.as_bytes());
            }
        }
    }
}
