//! Phones as a test sees them: what each one does, and waiting until all do it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};
use std::{fmt, fs};

use thiserror::Error;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::settings::{Role, SecondsWindow, SipPhone};
use super::state::{PhoneState, SipEvent};
use super::swarm::{SipOrder, run_phones};
use crate::{LabError, process};

/// What can go wrong with a fleet.
#[derive(Debug, Error)]
pub enum FleetError {
    /// The phones did not come to what was waited for.
    #[error("after {waited:?} the phones are: {summary}\n{examples}")]
    Late {
        /// How long was waited.
        waited: Duration,
        /// How they are.
        summary: Box<Summary>,
        /// Some of them, one a line.
        examples: String,
    },
    /// There is no such phone.
    #[error("no phone is named {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Two phones have the same name.
    #[error("two phones are named {name}")]
    Twice {
        /// The name.
        name: String,
    },
    /// The process or thread of the phones cannot be started, or is gone.
    #[error(transparent)]
    Lab(#[from] LabError),
}

/// Phones that are on, in this process or in others. All are off when it is dropped.
#[derive(Debug, Default)]
pub struct Fleet {
    shared: Arc<Shared>,
    places: Vec<Place>,
    /// Where each phone is.
    homes: BTreeMap<String, usize>,
}

#[derive(Debug, Default)]
struct Shared {
    phones: Mutex<BTreeMap<String, PhoneState>>,
    changed: Condvar,
}

/// Where phones are.
#[derive(Debug)]
enum Place {
    Here {
        orders: Option<UnboundedSender<SipOrder>>,
        thread: Option<JoinHandle<()>>,
    },
    Process {
        child: Child,
        orders: ChildStdin,
        reader: Option<JoinHandle<()>>,
    },
}

/// How the phones of a fleet are.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// All of them.
    pub phones: usize,
    /// Those registered on both servers.
    pub registered_both: usize,
    /// Those registered on the main server, whether they use it or not.
    pub registered_main: usize,
    /// Those registered on the failover, whether they use it or not.
    pub registered_failover: usize,
    /// Those that use the main server and are registered there.
    pub on_main: usize,
    /// Those that use the failover and are registered there.
    pub on_failover: usize,
    /// Those in a call.
    pub in_calls: usize,
    /// Those that have left.
    pub left: usize,
    /// The longest that a phone took, from noticing that its server was gone to using the other, in seconds of its model.
    pub slowest_switch: Option<f64>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            phones,
            registered_both,
            registered_main,
            registered_failover,
            on_main,
            on_failover,
            ..
        } = self;
        write!(
            f,
            "{phones} in all, {on_main} on the main server, {on_failover} on the failover; registered on both \
             {registered_both}, on the main {registered_main}, on the failover {registered_failover}"
        )?;
        if let Some(seconds) = self.slowest_switch {
            write!(f, "; slowest change {seconds:.1} s")?;
        }
        Ok(())
    }
}

/// How long a phone was without a server that answers, or took to return to its main one.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The phone.
    pub phone: String,
    /// The server it uses now.
    pub to: Role,
    /// How long it took, in seconds of its model: what passed on the clock, divided by the phone's time scale.
    pub seconds: f64,
    /// What its model takes.
    pub window: SecondsWindow,
}

impl Silence {
    /// Whether it lies in the window of the model, give or take so many of its seconds.
    #[must_use]
    pub fn is_within(&self, tolerance: f64) -> bool {
        let (min, max) = (f64::from(self.window.min), f64::from(self.window.max));
        (min - tolerance..=max + tolerance).contains(&self.seconds)
    }
}

impl Fleet {
    /// A fleet without phones.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Switches phones on in this process, on one thread of their own. They reach what this process reaches.
    ///
    /// # Errors
    /// When two have the same name, or the thread cannot be started.
    pub fn add_here(&mut self, phones: &[SipPhone]) -> Result<(), FleetError> {
        self.register(phones)?;
        let (orders, ordered) = unbounded_channel();
        let (events, mut happened) = unbounded_channel();
        let shared = Arc::clone(&self.shared);
        let failed = |source| LabError::io("start a thread for phones", source);
        thread::Builder::new()
            .name("phones-events".to_owned())
            .spawn(move || {
                while let Some(event) = happened.blocking_recv() {
                    shared.take(event);
                }
            })
            .map_err(failed)?;
        let thread = thread::Builder::new()
            .name("phones".to_owned())
            .spawn(move || {
                // What fails here leaves phones that never register, which is what the fleet then says.
                let _ = run_phones(ordered, events);
            })
            .map_err(failed)?;
        self.places.push(Place::Here {
            orders: Some(orders),
            thread: Some(thread),
        });
        self.switch_on(phones)
    }

    /// Switches phones on in a process of their own: `command` runs the program `phones` of this crate, in a lab
    /// (`lab.command`) or on one phone's own address (`phone.command`).
    ///
    /// # Errors
    /// When two have the same name, or the process cannot be started.
    pub fn add_process(
        &mut self,
        mut command: Command,
        phones: &[SipPhone],
    ) -> Result<(), FleetError> {
        self.register(phones)?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let failed = |source| LabError::io("start the program of the phones", source);
        let mut child = process::spawn(command).map_err(failed)?;
        let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed(std::io::Error::other("its pipes are missing")).into());
        };
        let shared = Arc::clone(&self.shared);
        let reader = thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for event in lines.filter_map(|line| serde_json::from_str::<SipEvent>(&line).ok()) {
                shared.take(event);
            }
        });
        self.places.push(Place::Process {
            child,
            orders,
            reader: Some(reader),
        });
        self.switch_on(phones)
    }

    fn register(&mut self, phones: &[SipPhone]) -> Result<(), FleetError> {
        let place = self.places.len();
        let mut table = self.shared.phones();
        for phone in phones {
            let name = phone.name.clone();
            if self.homes.contains_key(&name) {
                return Err(FleetError::Twice { name });
            }
            self.homes.insert(name, place);
            let state = PhoneState::new(phone.windows, phone.scale());
            table.insert(phone.name.clone(), state);
        }
        Ok(())
    }

    fn switch_on(&mut self, phones: &[SipPhone]) -> Result<(), FleetError> {
        for phone in phones {
            self.order(
                &phone.name,
                &SipOrder::SwitchOn {
                    phone: Box::new(phone.clone()),
                },
            )?;
        }
        Ok(())
    }

    fn order(&mut self, phone: &str, order: &SipOrder) -> Result<(), FleetError> {
        let place = self
            .homes
            .get(phone)
            .and_then(|place| self.places.get_mut(*place));
        let gone = |source| LabError::io("tell the phones", source);
        match place {
            Some(Place::Here {
                orders: Some(orders),
                ..
            }) => orders
                .send(order.clone())
                .map_err(|_| gone(std::io::Error::from(std::io::ErrorKind::BrokenPipe)).into()),
            Some(Place::Process { orders, .. }) => {
                let line = serde_json::to_string(order).map_err(|error| gone(error.into()))?;
                writeln!(orders, "{line}").map_err(|error| gone(error).into())
            }
            Some(Place::Here { orders: None, .. }) | None => Err(FleetError::Unknown {
                name: phone.to_owned(),
            }),
        }
    }

    /// Lets a phone call an extension through the server it uses.
    ///
    /// # Errors
    /// When there is no such phone, or its process is gone.
    pub fn call(&mut self, phone: &str, to: &str) -> Result<(), FleetError> {
        let order = SipOrder::Call {
            phone: phone.to_owned(),
            to: to.to_owned(),
        };
        self.order(phone, &order)
    }

    /// Lets a phone end its calls.
    ///
    /// # Errors
    /// As for [`Fleet::call`].
    pub fn hang_up(&mut self, phone: &str) -> Result<(), FleetError> {
        let name = phone.to_owned();
        self.order(phone, &SipOrder::HangUp { phone: name })
    }

    /// Lets a phone take its registrations back and be off.
    ///
    /// # Errors
    /// As for [`Fleet::call`].
    pub fn leave(&mut self, phone: &str) -> Result<(), FleetError> {
        let name = phone.to_owned();
        self.order(phone, &SipOrder::Leave { phone: name })
    }

    /// How a phone is now.
    #[must_use]
    pub fn phone(&self, name: &str) -> Option<PhoneState> {
        self.shared.phones().get(name).cloned()
    }

    /// How all are now, by name.
    #[must_use]
    pub fn phones(&self) -> BTreeMap<String, PhoneState> {
        self.shared.phones().clone()
    }

    /// How many are how.
    #[must_use]
    pub fn summary(&self) -> Summary {
        summarise(&self.shared.phones())
    }

    /// Waits until the phones are as asked for.
    ///
    /// # Errors
    /// When they are not in time; the error tells how they are.
    pub fn wait(
        &self,
        patience: Duration,
        holds: impl Fn(&Summary) -> bool,
    ) -> Result<Summary, FleetError> {
        self.wait_for(patience, |phones| {
            let summary = summarise(phones);
            holds(&summary).then_some(summary)
        })
    }

    /// Waits until a phone is as asked for.
    ///
    /// # Errors
    /// When it is not in time, or does not exist.
    pub fn wait_for_phone(
        &self,
        name: &str,
        patience: Duration,
        holds: impl Fn(&PhoneState) -> bool,
    ) -> Result<PhoneState, FleetError> {
        if !self.homes.contains_key(name) {
            return Err(FleetError::Unknown {
                name: name.to_owned(),
            });
        }
        self.wait_for(patience, |phones| {
            phones.get(name).filter(|phone| holds(phone)).cloned()
        })
    }

    fn wait_for<T>(
        &self,
        patience: Duration,
        mut found: impl FnMut(&BTreeMap<String, PhoneState>) -> Option<T>,
    ) -> Result<T, FleetError> {
        let deadline = Instant::now() + patience;
        let mut phones = self.shared.phones();
        loop {
            if let Some(found) = found(&phones) {
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(FleetError::Late {
                    waited: patience,
                    summary: Box::new(summarise(&phones)),
                    examples: examples(&phones),
                });
            }
            let waited = self.shared.changed.wait_timeout(phones, left);
            phones = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The most memory that each process of phones has used so far, in bytes; phones in this process have none of their own.
    #[must_use]
    pub fn memory(&self) -> Vec<u64> {
        let processes = self.places.iter().filter_map(|place| match place {
            Place::Process { child, .. } => Some(child.id()),
            Place::Here { .. } => None,
        });
        processes.filter_map(peak_memory).collect()
    }

    /// How long each phone took from `since`, when a server went or came back, until it used the server it uses now. Phones
    /// that have not changed over since then are not among them.
    #[must_use]
    pub fn silences(&self, since: SystemTime) -> Vec<Silence> {
        let phones = self.shared.phones();
        let changed = phones.iter().filter_map(|(name, phone)| {
            let (to, at) = phone.active?;
            let seconds = at.duration_since(since).ok()?.as_secs_f64() / phone.time_scale;
            let window = match to {
                Role::Main => phone.windows.to_main,
                Role::Failover => phone.windows.to_failover,
            };
            Some(Silence {
                phone: name.clone(),
                to,
                seconds,
                window,
            })
        });
        changed.collect()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for place in &mut self.places {
            match place {
                Place::Here { orders, thread } => {
                    drop(orders.take());
                    if let Some(thread) = thread.take() {
                        let _ = thread.join();
                    }
                }
                Place::Process { child, reader, .. } => {
                    let _ = child.kill();
                    let _ = child.wait();
                    if let Some(reader) = reader.take() {
                        let _ = reader.join();
                    }
                }
            }
        }
    }
}

impl Shared {
    fn phones(&self) -> MutexGuard<'_, BTreeMap<String, PhoneState>> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, event: SipEvent) {
        if let Some(phone) = self.phones().get_mut(&event.phone) {
            phone.take(event);
        }
        self.changed.notify_all();
    }
}

/// The kernel's `VmHWM` of a process.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

fn summarise(phones: &BTreeMap<String, PhoneState>) -> Summary {
    let count =
        |holds: &dyn Fn(&PhoneState) -> bool| phones.values().filter(|it| holds(it)).count();
    Summary {
        phones: phones.len(),
        registered_both: count(&|phone| {
            phone.is_registered(Role::Main) && phone.is_registered(Role::Failover)
        }),
        registered_main: count(&|phone| phone.is_registered(Role::Main)),
        registered_failover: count(&|phone| phone.is_registered(Role::Failover)),
        on_main: count(&|phone| phone.is_served_by(Role::Main)),
        on_failover: count(&|phone| phone.is_served_by(Role::Failover)),
        in_calls: count(&|phone| !phone.calls.is_empty()),
        left: count(&|phone| phone.left),
        slowest_switch: phones
            .values()
            .filter_map(|phone| Some(phone.switched?.as_secs_f64() / phone.time_scale))
            .max_by(f64::total_cmp),
    }
}

/// Five phones that differ, for the one who has to find out why they are not as they should be.
fn examples(phones: &BTreeMap<String, PhoneState>) -> String {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    for (name, phone) in phones {
        let kind = (phone.main.to_string(), phone.failover.to_string());
        if seen.contains(&kind) || lines.len() == 5 {
            continue;
        }
        let (main, failover) = &kind;
        let active = phone
            .active
            .map_or("none".to_owned(), |(role, _)| role.to_string());
        lines.push(format!(
            "{name}: uses {active}; main: {main}; failover: {failover}"
        ));
        seen.push(kind);
    }
    lines.join("\n")
}
