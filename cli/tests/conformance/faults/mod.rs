//! Something goes wrong at every point of an apply at which it can, and afterwards the site is as before or as planned.
//!
//! The points are not written down anywhere: one run under `strace` shows which calls to the system an apply makes from
//! the first thing on that it writes into its state, and a wire before the server counts what it is asked. Then it is
//! run once for each of them, and killed there, or cut off, or its disk is full from there on. What it says by its exit
//! code has to be true, and where that is not that everything is in order, `recover --back` makes everything exactly as
//! it was before, or `recover --forward` exactly as it was wanted.

mod fault;
mod pieces;
mod place;
mod results;
mod traced;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use switchover_lab::{Lab, Wire};

use super::{Devices, Subject};
use crate::environment::{Output, TestEnvironment};
use fault::{Direction, Fault};
pub(super) use pieces::{is_finished_in_place, is_taken_back_in_pieces};
use place::Disk;
use results::Tally;
use traced::{Clock, Point, Tracer};

type Bytes = BTreeMap<String, Vec<u8>>;

/// The same input is applied again and again, also after it was rolled back.
const APPLY: [&str; 4] = ["apply", "--yes", "--allow-large-change", "--allow-rejected"];

/// A subject with two states, between which applies go to and fro.
struct Site<'a, S> {
    subject: S,
    environment: &'a TestEnvironment,
    lab: &'a Lab,
    disk: Disk,
    clock: Clock,
    wire: Option<Wire>,
    topologies: [String; 2],
    /// Everything that is configured in each.
    states: [Bytes; 2],
    /// In which it is.
    at: usize,
    /// Of the way to each state: calls to the system.
    calls: [Vec<Point>; 2],
    /// The same with the library that moves the clock, which makes some of its own.
    clocked: [Vec<Point>; 2],
    /// Of the way to each state: what the server is asked after the plan is made, as numbers of questions.
    questions: [Vec<usize>; 2],
    /// Something was lost, and neither state could be had again: whatever else is tried says nothing.
    is_beyond_help: bool,
}

/// Where something goes wrong.
#[derive(Debug, Clone)]
enum Place {
    /// At a call to the system, by its place among the points of the way.
    Call(usize),
    /// At a question to the server, likewise.
    Question(usize),
    /// At a call of `recover`, after an apply that was killed at another.
    Recover(Point, Point),
    /// At a question of `recover`, likewise.
    RecoverQuestion(Point, usize),
}

impl Place {
    /// Whether the apply before it is the one that goes from the first state to the second.
    const fn is_of_recover(&self) -> bool {
        matches!(self, Self::Recover(..) | Self::RecoverQuestion(..))
    }
}

/// How a run ended.
struct Ran {
    output: Output,
    /// Whether it came to what was to go wrong.
    met: bool,
}

/// Tries every fault at the points of one change of three devices. `module` is the test's own, by which it is run again.
pub(super) fn survives<S: Subject>(module: &str, test: &str) {
    inside::<S>(module, test, |site| {
        site.find_points();
        let mut lost = Vec::new();
        for (number, fault) in Fault::ALL.into_iter().enumerate() {
            let Some(tally) = site.sweep(fault, results::Share::of(test, number)) else {
                continue;
            };
            results::record(test, S::PLUGIN, &site.subject.server(), fault, &tally);
            lost.extend(tally.lost);
            if site.is_beyond_help {
                break;
            }
        }
        assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
    });
}

/// Does something with a site of this subject, in a process that has mounts of its own.
fn inside<S: Subject>(module: &str, test: &str, tried: impl FnOnce(&mut Site<'_, S>)) {
    let (_, module) = module.split_once("::").unwrap();
    if !place::is_inside(&format!("{module}::{test}")) {
        return;
    }
    let lab = Lab::start(S::ADDRESSES).unwrap();
    let mut environment = TestEnvironment::new();
    let disk = Disk::mount(&environment.work());
    let subject = S::start(&lab, &mut environment);
    tried(&mut Site::new(subject, &environment, &lab, disk));
}

impl<'a, S: Subject> Site<'a, S> {
    fn new(subject: S, environment: &'a TestEnvironment, lab: &'a Lab, disk: Disk) -> Self {
        let work = environment.work();
        fs::create_dir(work.join("spare")).unwrap();
        let script = environment.write("reload-or-fail", "#!/bin/sh\nexit 0\n");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let network = subject.network();
        let mut devices = Devices {
            all: (1..=3).map(|number| (number, [30, number])).collect(),
            turn: 1,
        };
        let topology = |devices: &Devices| {
            let services = subject.services(&devices.all);
            let services = match &network {
                Some(network) => network.led_through_the_wire(&services),
                None => services,
            };
            devices.topology(&subject.site(), &services, &work)
        };
        let old = topology(&devices);
        devices.all.remove(&2);
        devices.all.insert(1, [31, 1]);
        devices.all.insert(4, [30, 4]);
        devices.turn = 2;
        let new = topology(&devices);
        let wire = network.map(|network| Wire::start(lab, network.wire, network.server).unwrap());
        Self {
            subject,
            environment,
            lab,
            disk,
            clock: Clock::new(lab.path()),
            wire,
            topologies: [old, new],
            states: Default::default(),
            at: 0,
            calls: Default::default(),
            clocked: Default::default(),
            questions: Default::default(),
            is_beyond_help: false,
        }
    }

    const fn tracer(&self) -> Tracer<'a> {
        Tracer {
            environment: self.environment,
            lab: self.lab,
        }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.environment.run_in(self.lab, arguments)
    }

    fn write(&self, which: usize) {
        self.environment
            .write("switchover.kdl", &self.topologies[which]);
    }

    fn asked(&self) -> usize {
        self.wire.as_ref().map_or(0, Wire::questions)
    }

    /// Goes to and fro: what there is, and which points there are on each way.
    fn find_points(&mut self) {
        self.write(0);
        let applied = self.run(&APPLY);
        assert_eq!(applied.code, Some(0), "{applied}");
        self.states[0] = self.subject.bytes();
        for goal in [1, 0] {
            self.write(goal);
            let begin = self.asked();
            let planned = self.run(&["plan"]);
            assert_eq!(planned.code, Some(0), "{planned}");
            let planned = self.asked() - begin;
            let (applied, points) = self.tracer().points(None, &APPLY);
            assert_eq!(applied.code, Some(0), "{applied}");
            assert!(points.len() > 10, "{points:?}");
            self.calls[goal] = points;
            self.questions[goal] = (planned + 1..=self.asked() - begin - planned).collect();
            let found = self.subject.bytes();
            if goal == 0 {
                let unlike = difference(&found, &self.states[0], &self.states[1]);
                assert!(found == self.states[0], "there is no way back:\n{unlike}");
            }
            self.states[goal] = found;
        }
        assert_ne!(self.states[0], self.states[1]);
    }

    /// Goes to and fro once more, by a clock that can be set.
    fn find_clocked_points(&mut self) {
        for goal in [1 - self.at, self.at] {
            self.write(goal);
            let (applied, points) = self.tracer().points(Some(&self.clock), &APPLY);
            assert_eq!(applied.code, Some(0), "{applied}");
            self.clocked[goal] = points;
        }
    }

    /// Tries one fault wherever it can happen, as far as it is this run's share. None where it cannot happen at all.
    fn sweep(&mut self, fault: Fault, share: results::Share) -> Option<Tally> {
        let started = Instant::now();
        if share.is_nothing() {
            return None;
        }
        let places = self.places(fault, share)?;
        let mut tally = Tally {
            points: places.len(),
            ..Tally::default()
        };
        for number in share.of_points(places.len()) {
            if places[number].is_of_recover() && self.at != 0 {
                self.goes_to(0).unwrap();
            }
            if let Err(how) = self.attempt(fault, &places[number], &mut tally) {
                tally.lost.push(format!("{}, {how}", fault.name()));
                // So that one loss is not told as many.
                let _ = self.run(&["recover", "--back", "--yes"]);
                let _ = self.run(&["recover", "--leave", "--yes"]);
                if let Err(why) = self.goes_to(0) {
                    tally.lost.push(why);
                    self.is_beyond_help = true;
                    break;
                }
            }
        }
        tally.elapsed = started.elapsed();
        Some(tally)
    }

    fn goes_to(&mut self, which: usize) -> Result<(), String> {
        self.write(which);
        let applied = self.run(&APPLY);
        let found = self.subject.bytes();
        if applied.code != Some(0) || found != self.states[which] {
            let unlike = difference(&found, &self.states[0], &self.states[1]);
            return Err(format!("it cannot be had again: {unlike}{applied}"));
        }
        self.at = which;
        Ok(())
    }

    fn places(&mut self, fault: Fault, share: results::Share) -> Option<Vec<Place>> {
        let places = match fault {
            Fault::RecoverKilled(direction) => {
                let applies: &[&[usize]] = match share {
                    results::Share::Every { .. } => &[EARLY, LATE],
                    _ => &[SOON],
                };
                let recovers = self.recovers(direction, applies);
                let each = recovers.into_iter().flat_map(|(kill, points, _)| {
                    let at = move |point| Place::Recover(kill.clone(), point);
                    points.into_iter().map(at)
                });
                each.collect()
            }
            Fault::RecoverCut(direction) if self.wire.is_some() => {
                let apply = match share {
                    results::Share::One(_) => SOON,
                    _ => LATE,
                };
                let recovers = self.recovers(direction, &[apply]);
                let each = recovers.into_iter().flat_map(|(kill, _, questions)| {
                    let at = move |question| Place::RecoverQuestion(kill.clone(), question);
                    (1..=questions).map(at)
                });
                each.collect()
            }
            Fault::Cut { .. } if self.wire.is_some() => {
                let count = self.questions[1].len().max(self.questions[0].len());
                (0..count).map(Place::Question).collect()
            }
            Fault::Cut { .. } | Fault::RecoverCut(_) => return None,
            Fault::Restarted if !S::RESTARTS => return None,
            Fault::Clock(_) => {
                if self.clocked[0].is_empty() {
                    self.find_clocked_points();
                }
                calls(&self.clocked)
            }
            _ => calls(&self.calls),
        };
        Some(places)
    }

    /// The calls of `recover` and the number of its questions after applies that were killed, each at the first of some
    /// tenths of its points at which it leaves something to recover.
    fn recovers(
        &mut self,
        direction: Direction,
        applies: &[&[usize]],
    ) -> Vec<(Point, Vec<Point>, usize)> {
        let mut recovers = Vec::new();
        for parts in applies {
            for part in *parts {
                if self.at != 0 {
                    self.goes_to(0).unwrap();
                }
                let points = &self.calls[1];
                let kill = points[(points.len() - 1) * part / 10].clone();
                self.write(1);
                self.tracer().killed_at(&kill, &APPLY);
                let arguments = ["recover", direction.option(), "--yes"];
                let asked = self.asked();
                let (recovered, points) = self.tracer().points(None, &arguments);
                let questions = self.asked() - asked;
                assert_eq!(recovered.code, Some(0), "{recovered}");
                let found = self.subject.bytes();
                self.at = usize::from(found == self.states[1]);
                if recovered.stdout.contains(NOTHING) {
                    continue;
                }
                recovers.push((kill, points, questions));
                break;
            }
        }
        assert!(
            !recovers.is_empty(),
            "nothing that is killed leaves anything"
        );
        recovers
    }

    /// Goes from where it is to the other state, and something goes wrong on the way.
    fn attempt(&mut self, fault: Fault, place: &Place, tally: &mut Tally) -> Result<(), String> {
        let goal = 1 - self.at;
        self.write(goal);
        let Some(ran) = self.go_wrong(fault, place, goal) else {
            // The other way has some points less.
            return Ok(());
        };
        tally.tried += 1;
        tally.met += usize::from(ran.met);
        // After what nobody chooses a direction for, both are tried in turn.
        let turn = tally.tried % 2;
        let direction = fault
            .direction()
            .unwrap_or([Direction::Back, Direction::Forward][turn]);
        let mut code = ran.output.code.filter(|code| *code != KILLED);
        *tally.ends.entry(code).or_default() += 1;
        let mut told = format!("{place:?} {direction:?} to {goal}\n{}", ran.output);
        let (before, after) = (self.states[self.at].clone(), self.states[goal].clone());
        if matches!(fault, Fault::RecoverCut(_)) {
            code = match code {
                // What it says has to hold when it is recovered once more.
                Some(0 | 7) => None,
                // Where it does not see the state, it cannot say more.
                Some(1) if !S::STATE_IS_HERE => None,
                _ => return Err(format!("it ends otherwise than it may: {told}")),
            };
        }
        let expected: &[&Bytes] = match code {
            Some(0) => &[&after],
            Some(1 | 6) => &[&before],
            None | Some(7) => {
                let recovered = self.run(&["recover", direction.option(), "--yes", "-vv"]);
                let _ = write!(told, "{recovered}");
                if recovered.code != Some(0) {
                    return Err(format!("it is not recovered: {told}"));
                }
                tally.recovered += 1;
                match direction {
                    // Whoever is killed before the first record, or after the last one, leaves nothing to decide.
                    _ if recovered.stdout.contains(RECORDED) => &[&after],
                    _ if recovered.stdout.contains(NOTHING) => &[&before, &after],
                    Direction::Back => &[&before],
                    Direction::Forward => &[&after],
                }
            }
            Some(_) => return Err(format!("it ends otherwise than it may: {told}")),
        };
        let mut found = self.subject.bytes();
        if matches!(code, Some(0 | 1 | 6)) && found.keys().any(|name| is_waiting(name)) {
            found = self.cleared(found, expected, &told)?;
        }
        tally.old += usize::from(found == before);
        tally.new += usize::from(found == after);
        if !expected.contains(&&found) {
            let unlike = difference(&found, &before, &after);
            return Err(format!("{unlike}: {told}"));
        }
        self.at = if found == after { goal } else { self.at };
        self.subject.assert_accepted();
        self.is_over(&told)
    }

    /// Where a host could not be reached any more, what waits beside its files is still there: all else is as it has to
    /// be, and the next command knows of it and clears it away.
    fn cleared(&self, mut found: Bytes, expected: &[&Bytes], told: &str) -> Result<Bytes, String> {
        found.retain(|name, _| !is_waiting(name));
        if !expected.contains(&&found) {
            return Err(format!("more than what waits beside it is left: {told}"));
        }
        let cleared = self.run(&["recover", "--back", "--yes"]);
        match cleared.code {
            Some(0) if cleared.stdout.contains(NOTHING) => Ok(self.subject.bytes()),
            _ => Err(format!(
                "nobody knows what waits beside it: {told}{cleared}"
            )),
        }
    }

    /// Nothing is left to recover, and nothing to do.
    fn is_over(&self, told: &str) -> Result<(), String> {
        let runs = self.environment.work().join(".switchover/runs");
        let has_runs = || runs.exists() && !crate::environment::files_below(&runs).is_empty();
        if !S::STATE_IS_HERE || has_runs() {
            let recovered = self.run(&["recover", "--back", "--yes"]);
            // Where the state could not be reached any more, the run said so, and nothing is left to take back.
            let is_known = recovered.stdout.contains(NOTHING) || told.contains(UNENDED);
            if recovered.code != Some(0)
                || !is_known
                || self.subject.bytes() != self.states[self.at]
            {
                return Err(format!("a run is left: {told}{recovered}"));
            }
        }
        self.write(self.at);
        let plan = self.run(&["plan", "--detailed-exitcode"]);
        if plan.code == Some(0) {
            Ok(())
        } else {
            Err(format!("a plan is not empty: {told}{plan}"))
        }
    }
}

/// Each of the longer way.
fn calls(ways: &[Vec<Point>; 2]) -> Vec<Place> {
    let count = ways[0].len().max(ways[1].len());
    (0..count).map(Place::Call).collect()
}

/// Tenths of an apply: as late as there is something to recover.
const LATE: &[usize] = &[10, 9, 8, 7, 6, 5, 4, 3];

/// In its middle: where the state is elsewhere, much of an apply is its beginning and its end.
const EARLY: &[usize] = &[5, 4, 3, 6];

/// Where the first of them is likely to leave something.
const SOON: &[usize] = &[7, 6, 8, 5, 4, 3];

/// Whether a name is that of something that waits beside the files.
fn is_waiting(name: &str) -> bool {
    name.starts_with(".switchover-stage-") || name.contains("/.switchover-stage-")
}

/// As a shell tells of somebody who was killed with `kill -9`.
const KILLED: i32 = 137;

/// What `recover` says where a run was at its end.
const NOTHING: &str = "nothing to recover";

/// What a run says that is over, and cannot write that down.
const UNENDED: &str = "the end of this run could not be written down";

/// What it says besides where all that was missing was its generation.
const RECORDED: &str = "recorded as generation";

fn difference(found: &Bytes, before: &Bytes, after: &Bytes) -> String {
    let mut text = String::new();
    let names = found.keys().chain(before.keys()).chain(after.keys());
    for name in names.collect::<std::collections::BTreeSet<_>>() {
        let of = |state: &Bytes| {
            let bytes = state
                .get(name)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            bytes.unwrap_or_else(|| "(none)".to_owned())
        };
        let (found, before, after) = (of(found), of(before), of(after));
        let kind = match (found == before, found == after) {
            (true, true) => continue,
            (true, _) => "old",
            (_, true) => "new",
            _ => "neither",
        };
        let _ = writeln!(text, "`{name}` is {kind}");
        if kind == "neither" {
            let _ = writeln!(
                text,
                "--- found\n{found}\n--- old\n{before}\n--- new\n{after}"
            );
        }
    }
    text
}
