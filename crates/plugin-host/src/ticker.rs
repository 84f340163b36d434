//! The clock behind deadlines: advances the engine's epoch while calls run.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::Engine;

/// How often running calls are asked to look at their deadline.
const TICK: Duration = Duration::from_millis(5);

/// Starts no thread before the first call, and its thread sleeps while no call runs.
pub(crate) struct Ticker {
    engine: Engine,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    started: bool,
    closed: bool,
}

impl Shared {
    /// The state is three plain values, whole at every moment, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticker {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            shared: Arc::default(),
        }
    }

    /// Keeps the epoch advancing until the guard is dropped.
    pub(crate) fn run(&self) -> std::io::Result<Ticking<'_>> {
        let mut state = self.shared.lock();
        if !state.started {
            let (engine, shared) = (self.engine.clone(), Arc::clone(&self.shared));
            thread::Builder::new()
                .name("plugin-deadlines".into())
                .spawn(move || tick(&engine, &shared))?;
            state.started = true;
        }
        state.running += 1;
        if state.running == 1 {
            self.shared.wake.notify_one();
        }
        Ok(Ticking(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.wake.notify_one();
    }
}

/// While this lives, a call may run.
pub(crate) struct Ticking<'a>(&'a Shared);

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    let mut state = shared.lock();
    while !state.closed {
        state = if state.running == 0 {
            shared
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner)
        } else {
            let (state, timeout) = shared
                .wake
                .wait_timeout(state, TICK)
                .unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                engine.increment_epoch();
            }
            state
        };
    }
}
