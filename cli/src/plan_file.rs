//! Plans that were kept as files: which one was approved, and by whom.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use switchover_engine::signature::{
    AllowedSigners, AllowedSignersError, KeyError, SignatureError, SigningKey,
};
use switchover_engine::{Plan, PlanDigest, PlanFile, looks_like_a_plan};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::file::{self, Access};
use crate::plan_folder::EXTENSION;
use crate::terminal::Terminal;

/// So many bytes tell a plan from a topology.
const BEGINNING: u64 = 4096;

/// What a kept plan must be to be applied.
#[derive(Debug, Args)]
pub(crate) struct Approval {
    /// Apply only the plan with this digest, as `plan --out` printed it to who approved it.
    ///
    /// For the plans of many sites it is given as often as there are some with changes.
    #[arg(long, value_name = "DIGEST", help_heading = "Kept plans")]
    digest: Vec<PlanDigest>,
    /// Apply only a plan that one of these OpenSSH keys signed; the signature is in `PLAN.sig`.
    #[arg(long, value_name = "FILE", help_heading = "Kept plans")]
    allowed_signers: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum ReadError {
    #[error("failed to read the plan `{}`", path.display())]
    #[diagnostic(code(switchover::plan::read), help("{}", read_help(source)))]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("`{}` is another plan: its digest is {found}, approved is {}", path.display(), any_of(approved))]
    #[diagnostic(
        code(switchover::plan::other_digest),
        help("nothing was changed; apply the file that was approved, or have this one approved")
    )]
    OtherDigest {
        path: PathBuf,
        found: PlanDigest,
        approved: Vec<PlanDigest>,
    },
    #[error("`{}` is a topology; only a kept plan has a digest and a signature", path.display())]
    #[diagnostic(
        code(switchover::plan::none_kept),
        help("keep a plan with `switchover plan --out PLAN`, then apply it")
    )]
    NoPlan { path: PathBuf },
    #[error("the plan `{}` is not signed: there is no `{}`", plan.display(), signature.display())]
    #[diagnostic(
        code(switchover::signature::missing),
        help("`switchover plan --out PLAN --sign KEY` writes both; hand both on")
    )]
    Unsigned { plan: PathBuf, signature: PathBuf },
    #[error("failed to read `{}`", path.display())]
    #[diagnostic(
        code(switchover::signature::read),
        help("check the file's owner and permissions")
    )]
    ReadTrust {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to read who may sign from `{}`", path.display())]
    #[diagnostic(code(switchover::signature::allowed_signers))]
    AllowedSigners {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: AllowedSignersError,
    },
    #[error("failed to trust the plan `{}`", path.display())]
    #[diagnostic(code(switchover::signature::refused))]
    Signature {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: SignatureError,
    },
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum WriteError {
    #[error("`{}` is there and is no plan", .0.display())]
    #[diagnostic(
        code(switchover::plan::other_file),
        help("a plan replaces only an earlier one: name another file, or move this one away")
    )]
    OtherFile(PathBuf),
    #[error("failed to write the plan to `{}`", path.display())]
    #[diagnostic(code(switchover::plan::write), help("{}", write_help(path)))]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to read the key `{}`", path.display())]
    #[diagnostic(
        code(switchover::signature::read_key),
        help("`--sign` takes the file of a private key, such as `~/.ssh/id_ed25519`")
    )]
    ReadKey {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("failed to sign by the key `{}`", path.display())]
    #[diagnostic(code(switchover::signature::key))]
    Key {
        path: PathBuf,
        #[source]
        #[diagnostic_source]
        source: KeyError,
    },
}

fn read_help(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::NotFound => "`switchover plan --out PLAN` keeps one",
        _ => "check the file's owner and permissions",
    }
}

fn write_help(path: &Path) -> String {
    if path.is_dir() {
        let inside = path.join("plan.json");
        return format!(
            "it is a folder, and the plan of one site is a file: name one, such as `{}`",
            inside.display()
        );
    }
    "the folder must exist and be writable".to_owned()
}

impl Approval {
    /// Whether any was asked for.
    pub(crate) fn is_given(&self) -> bool {
        !self.digest.is_empty() || self.allowed_signers.is_some()
    }
}

/// A plan that was written.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Where.
    pub(crate) path: PathBuf,
    /// What names it.
    pub(crate) digest: PlanDigest,
    /// Fingerprint of the key that signed it.
    pub(crate) signed_by: Option<String>,
}

/// The plan that a file holds, where it is the one that was approved; none where the file is a topology.
pub(crate) fn read(
    path: &Path,
    approval: &Approval,
    terminal: &Terminal,
) -> Result<Option<Plan>, Failure> {
    if !is_plan(path) && !is_named_so(path) {
        if approval.is_given() {
            let path = path.to_owned();
            return Err(Failure::new(Exit::Usage, ReadError::NoPlan { path }));
        }
        return Ok(None);
    }
    require(path, approval, terminal).map(Some)
}

/// The plan that a file holds, where it is the one that was approved.
pub(crate) fn require(
    path: &Path,
    approval: &Approval,
    terminal: &Terminal,
) -> Result<Plan, Failure> {
    let failed = |error: ReadError| Failure::new(Exit::Failed, error);
    let bytes = fs::read(path).map_err(|source| {
        failed(ReadError::Read {
            path: path.to_owned(),
            source,
        })
    })?;
    let (plan, found) =
        PlanFile::read(&bytes).map_err(|error| Failure::new(Exit::Failed, error))?;
    let is_approved = approval.digest.is_empty()
        || approval.digest.contains(&found)
        // Of many plans, those that change nothing are not shown to anybody.
        || plan.summary().is_empty();
    if !is_approved {
        let error = ReadError::OtherDigest {
            path: path.to_owned(),
            found,
            approved: approval.digest.clone(),
        };
        return Err(Failure::new(Exit::Stale, error));
    }
    if let Some(allowed) = &approval.allowed_signers {
        let signer = verify(path, &bytes, allowed).map_err(|error| match error {
            ReadError::Unsigned { .. } | ReadError::Signature { .. } => {
                Failure::new(Exit::Stale, error)
            }
            other => failed(other),
        })?;
        terminal.say(format_args!("the plan is signed by {signer}"));
    }
    Ok(plan)
}

/// Whether a file is called as plans are, which no topology is.
pub(crate) fn is_named_so(path: &Path) -> bool {
    path.extension()
        .is_some_and(|it| it == EXTENSION || it == "plan")
}

fn any_of(digests: &[PlanDigest]) -> String {
    let digests: Vec<String> = digests.iter().map(ToString::to_string).collect();
    digests.join(" or ")
}

/// Whether a file is a plan. That a topology cannot be read is told where topologies are read.
pub(crate) fn is_plan(path: &Path) -> bool {
    let mut beginning = Vec::new();
    File::open(path)
        .and_then(|file| file.take(BEGINNING).read_to_end(&mut beginning))
        .is_ok_and(|_| looks_like_a_plan(&beginning))
}

/// Who signed a plan.
fn verify(path: &Path, bytes: &[u8], allowed: &Path) -> Result<String, ReadError> {
    let read = |path: &Path| {
        fs::read(path).map_err(|source| ReadError::ReadTrust {
            path: path.to_owned(),
            source,
        })
    };
    let signature_path = signature_of(path);
    let text = String::from_utf8_lossy(&read(allowed)?).into_owned();
    let allowed = AllowedSigners::parse(&text).map_err(|source| ReadError::AllowedSigners {
        path: allowed.to_owned(),
        source,
    })?;
    let signature = match read(&signature_path) {
        Err(ReadError::ReadTrust { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(ReadError::Unsigned {
                plan: path.to_owned(),
                signature: signature_path,
            });
        }
        read => read?,
    };
    let signed = allowed
        .verify(bytes, &signature, jiff::Timestamp::now())
        .map_err(|source| ReadError::Signature {
            path: path.to_owned(),
            source,
        })?;
    Ok(format!("{} ({})", signed.principals, signed.fingerprint))
}

/// Where `ssh-keygen -Y sign` puts a file's signature, too.
pub(crate) fn signature_of(plan: &Path) -> PathBuf {
    let mut name = plan.as_os_str().to_owned();
    name.push(".sig");
    PathBuf::from(name)
}

/// Keeps a plan, signed where there is a key. The key is read before anything is written.
pub(crate) fn keep(plan: &Plan, path: &Path, key: Option<&Path>) -> Result<Kept, Failure> {
    let failed = |error: WriteError| Failure::new(Exit::Failed, error);
    let file = PlanFile::of(plan).map_err(Failure::json)?;
    // Nothing else can be got back once it is replaced, and the topology is close at hand.
    let holds_something = path
        .metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0);
    if holds_something && !is_plan(path) {
        return Err(failed(WriteError::OtherFile(path.to_owned())));
    }
    let signed = key
        .map(|key| sign(&file, key).map_err(failed))
        .transpose()?;
    write(path, &file.text).map_err(failed)?;
    if let Some((signature, _)) = &signed {
        write(&signature_of(path), signature).map_err(failed)?;
    }
    Ok(Kept {
        path: path.to_owned(),
        digest: file.digest,
        signed_by: signed.map(|(_, fingerprint)| fingerprint),
    })
}

/// Signature and fingerprint of the key.
fn sign(file: &PlanFile, path: &Path) -> Result<(String, String), WriteError> {
    let text = fs::read(path).map_err(|source| WriteError::ReadKey {
        path: path.to_owned(),
        source,
    })?;
    let refused = |source| WriteError::Key {
        path: path.to_owned(),
        source,
    };
    let key = SigningKey::from_openssh(&text).map_err(refused)?;
    let signature = key.sign(file.text.as_bytes()).map_err(refused)?;
    Ok((signature, key.fingerprint()))
}

fn write(path: &Path, text: &str) -> Result<(), WriteError> {
    file::replace(path, text, Access::Owner).map_err(|source| WriteError::Write {
        path: path.to_owned(),
        source,
    })
}
