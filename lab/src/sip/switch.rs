//! Which of its two servers a phone uses, and when it changes over. No socket, no clock: it is told what happened and when.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use super::settings::{Role, SecondsWindow, Windows};

/// When something happened that was noticed later: not before the one, not after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) earliest: Instant,
    pub(crate) latest: Instant,
}

impl Moment {
    /// Something seen as it happened.
    pub(crate) fn exactly(at: Instant) -> Self {
        Self {
            earliest: at,
            latest: at,
        }
    }
}

/// A phone's choice between its servers.
#[derive(Debug)]
pub(crate) struct Switch {
    windows: Windows,
    scale: f64,
    random: Rng,
    main: bool,
    failover: bool,
    active: Option<Role>,
    /// The change that will come unless something happens before.
    planned: Option<(Role, Instant)>,
}

impl Switch {
    /// A phone that is switched on now and has registered nowhere.
    pub(crate) fn new(
        windows: Windows,
        has_failover: bool,
        scale: f64,
        random: Rng,
        now: Instant,
    ) -> Self {
        let mut switch = Self {
            windows,
            scale,
            random,
            main: false,
            failover: false,
            active: None,
            planned: None,
        };
        if has_failover {
            switch.plan(Role::Failover, Moment::exactly(now));
        }
        switch
    }

    /// The server in use.
    pub(crate) fn active(&self) -> Option<Role> {
        self.active
    }

    /// A server has taken the registration; it came back at that moment, if it was away.
    pub(crate) fn registered(&mut self, role: Role, back: Moment) {
        match role {
            Role::Main => {
                self.main = true;
                match self.active {
                    // There before the phone changed over, or the first: nothing to wait for.
                    None | Some(Role::Main) => {
                        self.active = Some(Role::Main);
                        self.planned = None;
                    }
                    Some(Role::Failover) => self.plan(Role::Main, back),
                }
            }
            Role::Failover => self.failover = true,
        }
    }

    /// A server went at that moment, which is noticed now.
    pub(crate) fn lost(&mut self, role: Role, gone: Moment, now: Instant) {
        match role {
            Role::Main => {
                let was_there = std::mem::replace(&mut self.main, false);
                match self.active {
                    Some(Role::Main) if was_there => self.plan(Role::Failover, gone),
                    Some(Role::Failover) => self.planned = None,
                    Some(Role::Main) | None => {}
                }
            }
            Role::Failover => {
                self.failover = false;
                // Nothing is won by waiting where the other one is registered.
                if self.active == Some(Role::Failover) && self.main {
                    self.planned = Some((Role::Main, now));
                }
            }
        }
    }

    /// When [`Switch::due`] has to be asked next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let (role, at) = self.planned?;
        self.is_registered(role).then_some(at)
    }

    /// Changes over if it is time to, and gives the server that is used from now on.
    pub(crate) fn due(&mut self, now: Instant) -> Option<Role> {
        let (role, at) = self.planned?;
        if now < at || !self.is_registered(role) {
            return None;
        }
        self.planned = None;
        self.active = Some(role);
        Some(role)
    }

    fn is_registered(&self, role: Role) -> bool {
        match role {
            Role::Main => self.main,
            Role::Failover => self.failover,
        }
    }

    /// Chooses a moment that lies in the window whenever exactly the server went or came. Where both ends cannot be kept it
    /// is the latest that counts: people wait for it.
    fn plan(&mut self, to: Role, happened: Moment) {
        let SecondsWindow { min, max } = match to {
            Role::Failover => self.windows.to_failover,
            Role::Main => self.windows.to_main,
        };
        let seconds = |seconds: f64| Duration::from_secs_f64((seconds * self.scale).max(0.0));
        let (min, max) = (f64::from(min), f64::from(max.max(min)));
        // Room for the change itself and for a machine that is busy.
        let latest = happened.earliest + seconds(min + (max - min) * 0.8);
        let earliest = (happened.latest + seconds(min)).min(latest);
        let choice = (latest - earliest).mul_f64(self.random.f64());
        self.planned = Some((to, earliest + choice));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fastrand::Rng;
    use proptest::prelude::*;
    use tokio::time::Instant;

    use super::{Moment, Switch};
    use crate::sip::settings::{Role, SecondsWindow, Windows};

    fn windows() -> Windows {
        Windows {
            to_failover: SecondsWindow::new(60, 105),
            to_main: SecondsWindow::new(10, 60),
        }
    }

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// A phone that uses its main server, both being there.
    fn switched_on(start: Instant, seed: u64) -> Switch {
        let mut switch = Switch::new(windows(), true, 1.0, Rng::with_seed(seed), start);
        switch.registered(Role::Failover, Moment::exactly(start));
        assert_eq!(switch.active(), None);
        switch.registered(Role::Main, Moment::exactly(start));
        assert_eq!(switch.active(), Some(Role::Main));
        switch
    }

    proptest! {
        #[test]
        fn it_changes_over_and_back_within_the_windows(
            seed: u64, noticed in 0.0..40.0, gone in 0.0..1.0, back_noticed in 0.0..30.0, back in 0.0..1.0,
        ) {
            let start = Instant::now();
            let mut switch = switched_on(start, seed);
            // The server goes somewhere between when it was last heard and when that is noticed.
            let now = start + seconds(noticed);
            let lost = start + seconds(noticed * gone);
            let gone = Moment { earliest: start, latest: now };
            switch.lost(Role::Main, gone, now);
            let at = switch.deadline().unwrap();
            prop_assert_eq!(switch.due(at - seconds(0.001)), None);
            prop_assert_eq!(switch.due(at), Some(Role::Failover));
            let silence = at - lost;
            prop_assert!(silence <= seconds(105.0), "{silence:?}");
            prop_assert!(silence >= seconds(60.0) || noticed > 36.0, "{silence:?}");

            let away = at + seconds(100.0);
            let now = away + seconds(back_noticed);
            let came = away + seconds(back_noticed * back);
            switch.registered(Role::Main, Moment { earliest: away, latest: now });
            let at = switch.deadline().unwrap();
            prop_assert_eq!(switch.due(at), Some(Role::Main));
            let wait = at - came;
            prop_assert!(wait >= seconds(10.0) && wait <= seconds(60.0), "{wait:?}");
        }
    }

    #[test]
    fn a_main_server_that_is_back_at_once_is_never_left() {
        let start = Instant::now();
        let mut switch = switched_on(start, 1);
        switch.lost(Role::Main, Moment::exactly(start), start);
        assert!(switch.deadline().is_some());
        switch.registered(Role::Main, Moment::exactly(start + seconds(20.0)));
        assert_eq!(switch.deadline(), None);
        assert_eq!(switch.active(), Some(Role::Main));
    }

    #[test]
    fn a_failover_that_is_away_is_not_used_until_it_registers() {
        let start = Instant::now();
        let mut switch = switched_on(start, 1);
        switch.lost(Role::Failover, Moment::exactly(start), start);
        switch.lost(Role::Main, Moment::exactly(start), start);
        assert_eq!(switch.deadline(), None);
        let late = start + seconds(500.0);
        assert_eq!(switch.due(late), None);
        switch.registered(Role::Failover, Moment::exactly(late));
        assert_eq!(switch.due(late), Some(Role::Failover));
    }

    #[test]
    fn a_main_server_that_goes_again_is_not_returned_to() {
        let start = Instant::now();
        let mut switch = switched_on(start, 1);
        switch.lost(Role::Main, Moment::exactly(start), start);
        let now = start + seconds(200.0);
        assert_eq!(switch.due(now), Some(Role::Failover));
        switch.registered(Role::Main, Moment::exactly(now));
        switch.lost(Role::Main, Moment::exactly(now), now);
        assert_eq!(switch.due(now + seconds(500.0)), None);
        assert_eq!(switch.active(), Some(Role::Failover));
    }

    #[test]
    fn a_failover_that_goes_sends_the_phone_back_at_once() {
        let start = Instant::now();
        let mut switch = switched_on(start, 1);
        switch.lost(Role::Main, Moment::exactly(start), start);
        let now = start + seconds(200.0);
        assert_eq!(switch.due(now), Some(Role::Failover));
        switch.registered(Role::Main, Moment::exactly(now));
        switch.lost(Role::Failover, Moment::exactly(now), now);
        assert_eq!(switch.due(now), Some(Role::Main));
    }

    #[test]
    fn a_main_server_that_never_was_there_is_waited_for() {
        let start = Instant::now();
        let mut switch = Switch::new(windows(), true, 1.0, Rng::with_seed(1), start);
        switch.registered(Role::Failover, Moment::exactly(start));
        assert_eq!(switch.due(start + seconds(59.0)), None);
        switch.lost(Role::Main, Moment::exactly(start), start);
        assert_eq!(switch.due(start + seconds(105.0)), Some(Role::Failover));
    }

    #[test]
    fn a_phone_without_a_failover_waits_for_its_server() {
        let start = Instant::now();
        let mut switch = Switch::new(windows(), false, 1.0, Rng::with_seed(1), start);
        switch.registered(Role::Main, Moment::exactly(start));
        switch.lost(Role::Main, Moment::exactly(start), start);
        assert_eq!(switch.due(start + seconds(500.0)), None);
        assert_eq!(switch.active(), Some(Role::Main));
    }
}
