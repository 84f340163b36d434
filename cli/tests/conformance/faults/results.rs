//! Which part of all points a run tries, and what it found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::Fault;

/// Asks for every Nth point.
const EVERY: &str = "SWITCHOVER_FAULTS_EVERY";

/// Of a fault with few points, no more are left out than keep so many.
const AT_LEAST: usize = 6;

/// What became of the points of one fault.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) points: usize,
    pub(super) tried: usize,
    /// How many runs came to what was to go wrong: calls are not the same in number each time.
    pub(super) met: usize,
    /// Exit codes; none of a run that was killed.
    pub(super) ends: BTreeMap<Option<i32>, usize>,
    pub(super) recovered: usize,
    pub(super) old: usize,
    pub(super) new: usize,
    pub(super) lost: Vec<String>,
    pub(super) elapsed: Duration,
}

/// Which points are tried.
#[derive(Debug, Clone, Copy)]
pub(super) enum Share {
    Every {
        step: usize,
        /// The how many-th fault it is: each leaves out others.
        number: usize,
    },
    /// One of them, where nobody asks for more.
    One(usize),
    /// Each of one fault.
    All,
    Nothing,
}

impl Share {
    /// Of a fault in a test.
    pub(super) fn of(test: &str, number: usize) -> Self {
        if let Ok(every) = std::env::var(EVERY) {
            let step = every.parse::<usize>().unwrap().max(1);
            return Self::Every { step, number };
        }
        // A third of the faults in each test, others in the next one.
        let turn = test.bytes().map(usize::from).sum::<usize>();
        if (turn + number).is_multiple_of(3) {
            Self::One(turn * 7 + number * 5)
        } else {
            Self::Nothing
        }
    }

    pub(super) const fn is_nothing(self) -> bool {
        matches!(self, Self::Nothing)
    }

    pub(super) fn of_points(self, count: usize) -> Vec<usize> {
        match self {
            Self::Every { step, number } => {
                let step = step.min(count.div_ceil(AT_LEAST)).max(1);
                let first = number * step / Fault::ALL.len();
                (first..count).step_by(step).collect()
            }
            Self::All => (0..count).collect(),
            Self::One(_) if count == 0 => Vec::new(),
            Self::One(number) => vec![number % count],
            Self::Nothing => Vec::new(),
        }
    }
}

/// What `cargo xtask faults` makes its table from.
pub(super) fn record(test: &str, plugin: &str, server: &str, fault: Fault, tally: &Tally) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
    fs::create_dir_all(&folder).unwrap();
    let ends: BTreeMap<String, usize> = tally
        .ends
        .iter()
        .map(|(code, count)| {
            (
                code.map_or("killed".to_owned(), |code| code.to_string()),
                *count,
            )
        })
        .collect();
    let number = Fault::ALL.iter().position(|of| *of == fault).unwrap();
    let row = json!({
        "plugin": plugin,
        "server": server,
        "fault": fault.name(),
        "number": number,
        "points": tally.points,
        "tried": tally.tried,
        "met": tally.met,
        "ends": ends,
        "recovered": tally.recovered,
        "old": tally.old,
        "new": tally.new,
        "lost": tally.lost,
        "seconds": tally.elapsed.as_secs_f64(),
    });
    let path = folder.join(format!("{test}-{number:02}.json"));
    fs::write(path, format!("{row:#}\n")).unwrap();
}
