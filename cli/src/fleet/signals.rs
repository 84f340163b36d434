//! Ctrl-C while many sites are worked on.

use std::sync::mpsc;
use std::thread;

use switchover_engine::Stop;
use tokio::sync::oneshot;

use crate::failure::Failure;
use crate::session::runtime;
use crate::signals::stop_on_signal;
use crate::terminal::Terminal;

/// Does the work while a thread waits for signals: the first asks all sites to stop and no other to begin.
pub(crate) fn stoppable<T>(
    terminal: &Terminal,
    outlives_terminal: bool,
    work: impl FnOnce(&Stop) -> T,
) -> Result<T, Failure> {
    let (stopper, stop) = Stop::new();
    let runtime = runtime()?;
    let (over, ended) = oneshot::channel::<()>();
    let (ready, listening) = mpsc::channel();
    Ok(thread::scope(|scope| {
        scope.spawn(move || {
            let watch = async {
                tokio::select! {
                    biased;
                    never = stop_on_signal(stopper, terminal, outlives_terminal) => match never {},
                    // By now the handlers are there; that nobody waits any more is no trouble.
                    _ = async { drop(ready); ended.await } => {}
                }
            };
            runtime.block_on(watch);
        });
        // It only ends: nothing is ever sent.
        let _ = listening.recv() as Result<(), _>;
        let done = work(&stop);
        drop(over);
        done
    }))
}
