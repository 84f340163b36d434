//! Where the files of a test are: on this machine directly, or on this machine through a real SSH server.

use std::path::Path;
use std::sync::LazyLock;

use switchover_effects::Reporting;
use switchover_effects::folder::{Folder, FolderError};
use switchover_effects::ssh::{Host, Location};
use switchover_lab::{Offer, Sshd};

/// One server for all tests of this process.
pub(crate) static SSHD: LazyLock<Sshd> =
    LazyLock::new(|| Sshd::on_loopback(Offer::Everything).unwrap());

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Here,
    There,
}

impl On {
    /// Opens a root, and does something with it where opening alone does nothing.
    pub(crate) async fn open(
        self,
        root: &Path,
        create: bool,
        reporting: &Reporting,
    ) -> Result<Folder, FolderError> {
        match self {
            Self::Here => Folder::open(root, create, reporting),
            Self::There => {
                let host = host(&SSHD, &SSHD.client(), root, reporting);
                // The listener is told nothing of this.
                let silent = Folder::remote(host.clone(), create, &Reporting::default());
                silent.list("").await?;
                Ok(Folder::remote(host, create, reporting))
            }
        }
    }
}

impl On {
    /// Where commands run that run in this folder.
    pub(crate) fn host(self, folder: &Path) -> Option<Host> {
        (self == Self::There).then(|| host(&SSHD, &SSHD.client(), folder, &Reporting::default()))
    }
}

/// A host as a client with this configuration sees it.
pub(crate) fn host(sshd: &Sshd, client: &[String], folder: &Path, reporting: &Reporting) -> Host {
    let location = Location::parse(&sshd.url(folder)).unwrap();
    Host::new(location, client, reporting)
}

/// Makes two tests of each promise: one on this machine, one over SSH.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod here {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::on::On::Here).await;
                }
            )*
        }
        mod there {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::on::On::There).await;
                }
            )*
        }
    };
}
pub(crate) use on_both;
