//! Transactions (RFC 3261, 17): what is sent again over UDP until it is answered, and what is answered again.
//!
//! Nothing here sends or waits: the caller tells what time it is and does what it is told.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::message::TransactionKey;

/// The timers of RFC 3261, made shorter or longer together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timers {
    /// The estimate of the round trip: the first pause before something is sent again.
    pub(crate) t1: Duration,
    /// The longest pause between two sendings.
    pub(crate) t2: Duration,
}

impl Timers {
    pub(crate) fn scaled(scale: f64) -> Self {
        Self {
            t1: Duration::from_millis(500).mul_f64(scale),
            t2: Duration::from_secs(4).mul_f64(scale),
        }
    }

    /// Timers B, F and H: when an answer is given up.
    pub(crate) fn timeout(&self) -> Duration {
        self.t1 * 64
    }

    /// How long an `INVITE` may ring.
    pub(crate) fn ringing(&self) -> Duration {
        self.t1 * 360
    }
}

/// Something that is sent again, with growing pauses, until the other side has it.
#[derive(Debug)]
pub(crate) struct Resending {
    bytes: Bytes,
    next: Instant,
    pause: Duration,
    longest: Duration,
    until: Instant,
}

/// What has become due of something sent.
#[derive(Debug)]
pub(crate) enum Due {
    /// Send it again.
    Resend(Bytes),
    /// Nobody took it in time.
    GiveUp,
}

impl Resending {
    /// For something sent just now, again and again for the time after which RFC 3261 gives up.
    pub(crate) fn new(bytes: Bytes, now: Instant, timers: Timers) -> Self {
        Self {
            bytes,
            next: now + timers.t1,
            pause: timers.t1,
            longest: timers.t2,
            until: now + timers.timeout(),
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.next.min(self.until)
    }

    pub(crate) fn due(&mut self, now: Instant) -> Option<Due> {
        if now >= self.until {
            return Some(Due::GiveUp);
        }
        if now < self.next {
            return None;
        }
        self.pause = (self.pause * 2).min(self.longest);
        self.next = now + self.pause;
        Some(Due::Resend(self.bytes.clone()))
    }
}

/// The requests that wait for their answer, each with what it is for.
#[derive(Debug)]
pub(crate) struct Requests<P> {
    timers: Timers,
    /// Whether the transport delivers by itself, so that nothing has to be sent again.
    reliable: bool,
    open: HashMap<TransactionKey, Request<P>>,
}

#[derive(Debug)]
struct Request<P> {
    purpose: P,
    bytes: Bytes,
    invite: bool,
    /// When to send it again: `None` when the transport is reliable or it was heard.
    again: Option<Instant>,
    pause: Duration,
    started: Instant,
    sent: Instant,
    sent_before: Option<Instant>,
    until: Instant,
}

/// What an answer ends or does not.
#[derive(Debug)]
pub(crate) enum Answered<P> {
    /// Provisional: the request goes on.
    Provisional,
    /// Final. Where the request was sent more than once, `unanswered` is when the last one was sent that nobody answered.
    Final {
        /// What the request was for.
        purpose: P,
        /// See above.
        unanswered: Option<Instant>,
    },
    /// No request waits for it.
    Unknown,
}

/// What has become due among the requests.
#[derive(Debug)]
pub(crate) enum RequestDue<P> {
    /// Send this again.
    Resend(Bytes),
    /// Nobody answered in time what was sent first at that moment.
    TimedOut(P, Instant),
}

impl<P> Requests<P> {
    pub(crate) fn new(timers: Timers, reliable: bool) -> Self {
        Self {
            timers,
            reliable,
            open: HashMap::new(),
        }
    }

    /// Notes a request that is sent now. It is given up after `patience`, or the time of RFC 3261 where that is shorter.
    pub(crate) fn start(
        &mut self,
        key: TransactionKey,
        purpose: P,
        bytes: Bytes,
        invite: bool,
        now: Instant,
        patience: Option<Duration>,
    ) {
        let timeout = self.timers.timeout();
        let request = Request {
            purpose,
            bytes,
            invite,
            again: (!self.reliable).then(|| now + self.timers.t1),
            pause: self.timers.t1,
            started: now,
            sent: now,
            sent_before: None,
            until: now + patience.map_or(timeout, |patience| patience.min(timeout)),
        };
        self.open.insert(key, request);
    }

    /// Takes an answer.
    pub(crate) fn answered(
        &mut self,
        key: &TransactionKey,
        code: u16,
        now: Instant,
    ) -> Answered<P> {
        let Some(request) = self.open.get_mut(key) else {
            return Answered::Unknown;
        };
        if code >= 200 {
            return match self.open.remove(key) {
                Some(request) => Answered::Final {
                    purpose: request.purpose,
                    unanswered: request.sent_before,
                },
                None => Answered::Unknown,
            };
        }
        if request.invite {
            request.again = None;
            request.until = now + self.timers.ringing();
        } else if request.again.is_some() {
            request.pause = self.timers.t2;
        }
        Answered::Provisional
    }

    /// Forgets every request; gives what they were for.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = P> {
        self.open.drain().map(|(_, request)| request.purpose)
    }

    /// When [`Requests::due`] has to be asked next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.open
            .values()
            .map(|request| {
                request
                    .again
                    .map_or(request.until, |again| again.min(request.until))
            })
            .min()
    }

    /// What is to be done now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<RequestDue<P>> {
        let over: Vec<_> = self
            .open
            .iter()
            .filter(|(_, request)| now >= request.until)
            .map(|(key, _)| key.clone())
            .collect();
        let mut due: Vec<_> = over
            .iter()
            .filter_map(|key| self.open.remove(key))
            .map(|request| RequestDue::TimedOut(request.purpose, request.started))
            .collect();
        for request in self.open.values_mut() {
            let Some(again) = request.again.filter(|again| now >= *again) else {
                continue;
            };
            // Timer A of an INVITE doubles without a bound, timer E of others stays at T2.
            request.pause *= 2;
            if !request.invite {
                request.pause = request.pause.min(self.timers.t2);
            }
            request.again = Some(again.max(now) + request.pause);
            request.sent_before = Some(request.sent);
            request.sent = now;
            due.push(RequestDue::Resend(request.bytes.clone()));
        }
        due
    }
}

/// The answers given, for requests that come again over UDP.
#[derive(Debug)]
pub(crate) struct Answers {
    kept: Duration,
    given: HashMap<TransactionKey, (Bytes, Instant)>,
}

impl Answers {
    pub(crate) fn new(timers: Timers) -> Self {
        Self {
            kept: timers.timeout(),
            given: HashMap::new(),
        }
    }

    /// Notes the last answer to a request.
    pub(crate) fn give(&mut self, key: TransactionKey, bytes: Bytes, now: Instant) {
        self.given.retain(|_, (_, until)| *until > now);
        self.given.insert(key, (bytes, now + self.kept));
    }

    /// The answer to a request that came before.
    pub(crate) fn again(&self, key: &TransactionKey, now: Instant) -> Option<Bytes> {
        let (bytes, until) = self.given.get(key)?;
        (*until > now).then(|| bytes.clone())
    }
}

#[cfg(test)]
mod tests;
