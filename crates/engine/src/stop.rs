//! Ending a run early without leaving anything half done.

use tokio::sync::watch;

/// Whether a run was asked to stop. An apply that is asked ends the step that it is at, takes back what it has done and
/// says so; what is being taken back is not interrupted.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

/// Asks a run to stop.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stop {
    /// A run that can be stopped, and the one who may.
    #[must_use]
    pub fn new() -> (Stopper, Self) {
        let (sender, receiver) = watch::channel(false);
        (Stopper(sender), Self(receiver))
    }

    /// A run that nobody can stop.
    #[must_use]
    pub fn never() -> Self {
        Self::new().1
    }

    /// Ends when the run is asked to stop.
    pub(crate) async fn asked(&self) {
        if self.0.clone().wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the run was asked to stop.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }
}

impl Stopper {
    /// Asks it.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}
