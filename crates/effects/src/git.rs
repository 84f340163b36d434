//! Files of a Git revision, by the user's own `git`. The repository and its index stay as they are.

use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::command::{self, Command, CommandError, DEFAULT_TIMEOUT, Output};
use crate::trace::Reporting;

/// A revision that cannot be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[expect(missing_docs, reason = "each says itself in its message")]
pub enum GitError {
    #[error("`{}` is in no Git repository", folder.display())]
    #[diagnostic(
        code("effects::git::no_repository"),
        help("is `git` installed, and may this user read the repository? What it says is below")
    )]
    NoRepository {
        folder: PathBuf,
        #[source]
        source: CommandError,
    },
    #[error("there is no revision `{revision}`")]
    #[diagnostic(
        code("effects::git::no_revision"),
        help(
            "name a commit, a branch or a tag; a shallow clone in CI has only the newest commit: fetch more of it"
        )
    )]
    NoRevision {
        revision: String,
        #[source]
        source: CommandError,
    },
    #[error("failed to get the files of `{revision}`")]
    #[diagnostic(code("effects::git::export"), help("what git says is below"))]
    Export {
        revision: String,
        #[source]
        source: CommandError,
    },
}

/// A repository.
#[derive(Debug, Clone)]
pub struct Repository {
    top: PathBuf,
    reporting: Reporting,
}

impl Repository {
    /// The repository that a folder is in.
    ///
    /// # Errors
    /// Where it is in none, or there is no `git`.
    pub async fn around(folder: &Path, reporting: &Reporting) -> Result<Self, GitError> {
        let arguments = ["git", "rev-parse", "--show-toplevel"];
        let output =
            run(&arguments, folder, reporting)
                .await
                .map_err(|source| GitError::NoRepository {
                    folder: folder.to_owned(),
                    source,
                })?;
        Ok(Self {
            top: PathBuf::from(line(&output)),
            reporting: reporting.clone(),
        })
    }

    /// Its topmost folder.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The commit that a revision names.
    ///
    /// # Errors
    /// Where it names none.
    pub async fn commit(&self, revision: &str) -> Result<String, GitError> {
        let named = format!("{revision}^{{commit}}");
        let arguments = ["git", "rev-parse", "--verify", "--end-of-options", &named];
        let output = self.run(&arguments).await;
        output
            .map(|output| line(&output))
            .map_err(|source| GitError::NoRevision {
                revision: revision.to_owned(),
                source,
            })
    }

    /// The commit at which two went their own ways.
    ///
    /// # Errors
    /// Where they have none in common.
    pub async fn merge_base(&self, one: &str, other: &str) -> Result<String, GitError> {
        let output = self.run(&["git", "merge-base", one, other]).await;
        output
            .map(|output| line(&output))
            .map_err(|source| GitError::NoRevision {
                revision: format!("{one}...{other}"),
                source,
            })
    }

    /// Writes all files of a commit below a folder, which exists and is empty. An index beside it is used, and left.
    ///
    /// # Errors
    /// Where git cannot.
    pub async fn export(&self, commit: &str, into: &Path) -> Result<(), GitError> {
        let index = format!("GIT_INDEX_FILE={}.index", into.display());
        let prefix = format!("--prefix={}/", into.display());
        let failed = |source| GitError::Export {
            revision: commit.to_owned(),
            source,
        };
        let read = ["env", &index, "git", "read-tree", commit];
        self.run(&read).await.map_err(failed)?;
        let write = [
            "env",
            &index,
            "git",
            "checkout-index",
            "--all",
            "--force",
            "--quiet",
            &prefix,
        ];
        self.run(&write).await.map_err(failed)?;
        Ok(())
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output, CommandError> {
        run(arguments, &self.top, &self.reporting).await
    }
}

async fn run(
    arguments: &[&str],
    folder: &Path,
    reporting: &Reporting,
) -> Result<Output, CommandError> {
    let argv: Vec<String> = arguments
        .iter()
        .map(|&argument| argument.to_owned())
        .collect();
    let command = Command {
        name: "git",
        argv: &argv,
        folder,
        host: None,
        timeout: DEFAULT_TIMEOUT,
    };
    command::run(&command, reporting).await
}

/// What was printed, without the final line break.
fn line(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim_end_matches(['\n', '\r']).to_owned()
}
