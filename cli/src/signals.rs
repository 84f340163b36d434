//! Ctrl-C and its like during an apply.

use std::convert::Infallible;
use std::io;

use switchover_engine::Stopper;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;
use crate::terminal::Terminal;

/// The first signal asks the run to take back what it did, a second one leaves it as it is. Never ends. A run that
/// outlives its terminal does not take a hangup for a signal.
pub(crate) async fn stop_on_signal(
    stopper: Stopper,
    terminal: &Terminal,
    outlives_terminal: bool,
) -> Infallible {
    // Without a handler a signal ends the process, as it always did.
    let Ok(mut signals) = Signals::new() else {
        return std::future::pending().await;
    };
    signals.next(outlives_terminal).await;
    terminal.say(
        "stopping: what was done is being taken back; once more leaves everything as it is now",
    );
    stopper.stop();
    signals.next(outlives_terminal).await;
    terminal.say("left in the middle: `switchover recover` takes it back or finishes it");
    std::process::exit(Exit::Partial.code().into())
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self, outlives_terminal: bool) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = async {
                loop {
                    self.hangup.recv().await;
                    if !outlives_terminal {
                        break;
                    }
                }
            } => {}
        }
    }
}
