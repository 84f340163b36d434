//! What goes wrong, and how it is made to.

use switchover_lab::{Cut, Wire};

use super::{APPLY, Place, Ran, Site};
use crate::conformance::Subject;

/// Which way a run goes that is not at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Back,
    Forward,
}

impl Direction {
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Back => "--back",
            Self::Forward => "--forward",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// As with `kill -9`, before a call to the system.
    Killed(Direction),
    /// After an apply was killed, `recover` as well, and run again.
    RecoverKilled(Direction),
    /// After an apply was killed, `recover` is cut off from the server at a question until it has given up, and run again.
    RecoverCut(Direction),
    /// The connection to the server breaks at a question; where it stays, there is none any more until the run is over.
    Cut { cut: Cut, stays: bool },
    /// From one call to the system on until the run is over, there is no room where its state and its files are.
    DiskFull,
    /// Behind a call to the system, the server ends and starts anew.
    Restarted,
    /// Behind a call to the system, the time of day is another one.
    Clock(&'static str),
}

impl Fault {
    pub(super) const ALL: [Self; 13] = [
        Self::Killed(Direction::Back),
        Self::Killed(Direction::Forward),
        Self::RecoverKilled(Direction::Back),
        Self::RecoverKilled(Direction::Forward),
        Self::RecoverCut(Direction::Back),
        Self::RecoverCut(Direction::Forward),
        Self::Cut {
            cut: Cut::Question,
            stays: false,
        },
        Self::Cut {
            cut: Cut::Answer,
            stays: false,
        },
        Self::Cut {
            cut: Cut::Answer,
            stays: true,
        },
        Self::DiskFull,
        Self::Restarted,
        Self::Clock("+1h"),
        Self::Clock("-1h"),
    ];

    /// As it stands in tables.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Killed(Direction::Back) => "killed, taken back",
            Self::Killed(Direction::Forward) => "killed, finished",
            Self::RecoverKilled(Direction::Back) => "`recover --back` killed",
            Self::RecoverKilled(Direction::Forward) => "`recover --forward` killed",
            Self::RecoverCut(Direction::Back) => "`recover --back` cut off",
            Self::RecoverCut(Direction::Forward) => "`recover --forward` cut off",
            Self::Cut {
                cut: Cut::Question, ..
            } => "request lost",
            Self::Cut { stays: false, .. } => "answer lost",
            Self::Cut { stays: true, .. } => "answer lost, network gone",
            Self::DiskFull => "disk full",
            Self::Restarted => "server restarted",
            Self::Clock(offset) => match offset.as_bytes() {
                [b'-', ..] => "clock an hour back",
                _ => "clock an hour ahead",
            },
        }
    }

    /// Which way is recovered; either where it does not say.
    pub(super) const fn direction(self) -> Option<Direction> {
        match self {
            Self::Killed(direction)
            | Self::RecoverKilled(direction)
            | Self::RecoverCut(direction) => Some(direction),
            _ => None,
        }
    }
}

impl<S: Subject> Site<'_, S> {
    /// Applies, and this goes wrong here; afterwards everything is well again but for what the run has left. None where
    /// there is no such place on the way to this state.
    pub(super) fn go_wrong(&mut self, fault: Fault, place: &Place, goal: usize) -> Option<Ran> {
        match (fault, place) {
            (Fault::Cut { cut, stays }, Place::Question(number)) => {
                let question = *self.questions[goal].get(*number)?;
                let wire = self.wire.as_ref()?;
                wire.cut(question, cut, stays);
                let output = self.run(&APPLY);
                let met = wire.mend();
                Some(Ran { output, met })
            }
            (Fault::RecoverKilled(direction), Place::Recover(apply, recover)) => {
                self.tracer().killed_at(apply, &APPLY);
                let arguments = ["recover", direction.option(), "--yes"];
                let output = self.tracer().killed_at(recover, &arguments);
                let met = output.code != Some(0);
                // Where it came to its end before, that has to hold when it is recovered once more.
                let output = crate::environment::Output {
                    code: None,
                    ..output
                };
                Some(Ran { output, met })
            }
            (Fault::RecoverCut(direction), Place::RecoverQuestion(apply, question)) => {
                self.tracer().killed_at(apply, &APPLY);
                let wire = self.wire.as_ref()?;
                wire.cut(*question, Cut::Answer, true);
                let arguments = ["recover", direction.option(), "--yes", "-vv"];
                let output = self.run(&arguments);
                let met = wire.mend();
                Some(Ran { output, met })
            }
            (Fault::Killed(_), Place::Call(number)) => {
                let point = self.calls[goal].get(*number)?;
                let output = self.tracer().killed_at(point, &APPLY);
                let met = output.code.is_none_or(|code| code == super::KILLED);
                Some(Ran { output, met })
            }
            (_, Place::Call(number)) => self.held(fault, *number, goal),
            _ => None,
        }
    }

    /// What happens while the run stands still.
    fn held(&mut self, fault: Fault, number: usize, goal: usize) -> Option<Ran> {
        let clocked = matches!(fault, Fault::Clock(_));
        let points = if clocked { &self.clocked } else { &self.calls };
        let point = points[goal].get(number)?;
        let clock = clocked.then_some(&self.clock);
        let mut held = self.tracer().held_at(point, clock, &APPLY);
        let met = held.stands();
        match fault {
            _ if !met => {}
            Fault::DiskFull => self.disk.fill(),
            Fault::Clock(offset) => self.clock.set(offset),
            _ => {
                self.subject.restart();
                // A way to it that is not direct would not notice.
                self.wire.as_ref().map(Wire::break_all);
            }
        }
        let output = held.goes_on();
        self.disk.free();
        self.clock.set("+0");
        Some(Ran { output, met })
    }
}
