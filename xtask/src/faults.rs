//! `cargo xtask faults`: something goes wrong at every point of an apply, for every plugin, and what became of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::run::{Failure, Step, cargo};

/// What the tests of faults are called.
const TESTS: &str = "survives_faults";

const PAGE: &str = "docs/faults.md";

/// Between them stands the table.
const MARKS: [&str; 2] = ["<!-- results -->\n", "<!-- end of results -->\n"];

/// What is asked for.
struct Options {
    every: usize,
    page: bool,
}

/// Numbers of one plugin and one fault, or the sum of many.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    points: u64,
    tried: u64,
    met: u64,
    recovered: u64,
    old: u64,
    new: u64,
    lost: u64,
}

/// Servers and faults in the order of the table.
struct Table {
    columns: Vec<String>,
    rows: Vec<String>,
    cells: BTreeMap<(usize, usize), Cell>,
    /// How often a run ended how.
    ends: BTreeMap<String, u64>,
}

fn folder() -> PathBuf {
    crate::target().join("tmp/faults")
}

/// Runs the tests at each point, or each Nth, prints what they found, and writes it down.
pub(crate) fn run(options: &[&str]) -> Result<(), Failure> {
    let options = parse(options)?;
    if let Err(problem) = fs::remove_dir_all(folder())
        && problem.kind() != std::io::ErrorKind::NotFound
    {
        return Err(Failure::of("remove old results", problem));
    }
    let mut tests = cargo(["test", "--workspace", "--test", "main", "--", TESTS]);
    // Most of the time a server or a child is waited for.
    tests
        .args(["--test-threads", "4"])
        .env("SWITCHOVER_FAULTS_EVERY", options.every.to_string());
    let started = std::time::Instant::now();
    let ran = Step::run("faults at every point", tests);
    let minutes = started.elapsed().as_secs().div_ceil(60);
    let rows = results()?;
    let table = Table::of(&rows);
    let path = crate::target().join("faults.json");
    let whole = json!({ "every": options.every, "results": rows });
    fs::write(&path, format!("{whole:#}\n"))
        .map_err(|problem| Failure::of(format!("write {}", path.display()), problem))?;
    print!("{}", table.text());
    eprintln!("wrote {}", path.display());
    if options.page {
        table.write_page(options.every, minutes)?;
    }
    ran
}

fn parse(words: &[&str]) -> Result<Options, Failure> {
    let mut options = Options {
        every: 1,
        page: false,
    };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match *word {
            "--page" => options.page = true,
            "--every" => {
                let number = words.next().copied().unwrap_or_default();
                let read = number.parse();
                options.every = read
                    .map_err(|problem| Failure::of(format!("read `--every {number}`"), problem))?;
            }
            _ => {
                return Err(Failure(
                    "faults takes `--every N` and `--page`, and nothing else".to_owned(),
                ));
            }
        }
    }
    Ok(options)
}

/// What the tests wrote down, in the order of their names and of the faults.
fn results() -> Result<Vec<Value>, Failure> {
    let failed = |problem| Failure::of("read the results", problem);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder()).map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(failed)?;
        let row = serde_json::from_str(&text);
        rows.push(row.map_err(|problem| Failure::of(format!("read {}", path.display()), problem))?);
    }
    Ok(rows)
}

impl Cell {
    fn of(row: &Value) -> Self {
        let number = |name: &str| row[name].as_u64().unwrap_or_default();
        Self {
            points: number("points"),
            tried: number("tried"),
            met: number("met"),
            recovered: number("recovered"),
            old: number("old"),
            new: number("new"),
            lost: row["lost"].as_array().map_or(0, |lost| lost.len() as u64),
        }
    }

    const fn and(self, other: Self) -> Self {
        Self {
            points: self.points + other.points,
            tried: self.tried + other.tried,
            met: self.met + other.met,
            recovered: self.recovered + other.recovered,
            old: self.old + other.old,
            new: self.new + other.new,
            lost: self.lost + other.lost,
        }
    }
}

impl Table {
    fn of(rows: &[Value]) -> Self {
        let mut table = Self {
            columns: Vec::new(),
            rows: Vec::new(),
            cells: BTreeMap::new(),
            ends: BTreeMap::new(),
        };
        // The name of a test's file ends with the number of the fault, and its rows come in that order.
        let mut by_fault: Vec<&Value> = rows.iter().collect();
        by_fault.sort_by_key(|row| row["number"].as_u64());
        for row in by_fault {
            let text = |name: &str| row[name].as_str().unwrap_or_default();
            let server = text("server").split(' ').next().unwrap_or_default();
            let column = place(&mut table.columns, format!("{} {server}", text("plugin")));
            let line = place(&mut table.rows, text("fault").to_owned());
            table.cells.insert((line, column), Cell::of(row));
            for (end, count) in row["ends"].as_object().into_iter().flatten() {
                *table.ends.entry(end.clone()).or_default() += count.as_u64().unwrap_or_default();
            }
        }
        table
    }

    fn sum(&self, of: impl Fn(usize, usize) -> bool) -> Cell {
        let cells = self.cells.iter();
        let chosen = cells.filter(|((row, column), _)| of(*row, *column));
        chosen.fold(Cell::default(), |sum, (_, cell)| sum.and(*cell))
    }

    /// For a terminal: a line a fault, and one a plugin.
    fn text(&self) -> String {
        let mut text = String::new();
        let head = ["points", "tried", "met", "recovered", "old", "new", "lost"];
        let mut line = |name: &str, cells: [String; 7]| {
            let cells: String = cells.iter().map(|cell| format!("{cell:>10}")).collect();
            let _ = writeln!(text, "{name:<28}{cells}");
        };
        let numbers = |cell: Cell| {
            let Cell {
                points,
                tried,
                met,
                recovered,
                old,
                new,
                lost,
            } = cell;
            [points, tried, met, recovered, old, new, lost].map(|number| number.to_string())
        };
        line("", head.map(str::to_owned));
        for (row, fault) in self.rows.iter().enumerate() {
            line(fault, numbers(self.sum(|of, _| of == row)));
        }
        for (column, plugin) in self.columns.iter().enumerate() {
            line(plugin, numbers(self.sum(|_, of| of == column)));
        }
        line("all", numbers(self.sum(|_, _| true)));
        let _ = writeln!(
            text,
            "\npoints tried, and those lost where there are any:\n"
        );
        text + &self.markdown()
    }

    /// Points tried of each plugin and fault.
    fn markdown(&self) -> String {
        let mut text = String::from("| ");
        for column in &self.columns {
            let _ = write!(text, "| {column} ");
        }
        let _ = writeln!(
            text,
            "| all |\n|{}",
            " --- |".repeat(self.columns.len() + 2)
        );
        let cell = |cell: Cell| match cell.lost {
            0 => format!(" {} |", cell.tried),
            lost => format!(" {}, **{lost} lost** |", cell.tried),
        };
        for (row, fault) in self.rows.iter().enumerate() {
            let _ = write!(text, "| {fault} |");
            for column in 0..self.columns.len() {
                match self.cells.get(&(row, column)) {
                    Some(found) => text += &cell(*found),
                    None => text += " – |",
                }
            }
            let _ = writeln!(text, "{}", cell(self.sum(|of, _| of == row)));
        }
        text += "| all |";
        for column in 0..self.columns.len() {
            text += &cell(self.sum(|_, of| of == column));
        }
        let _ = writeln!(text, "{}", cell(self.sum(|_, _| true)));
        text
    }

    fn write_page(&self, every: usize, minutes: u64) -> Result<(), Failure> {
        let path = crate::root().join(PAGE);
        let failed = |problem| Failure::of(format!("write {PAGE}"), problem);
        let old = fs::read_to_string(&path).map_err(failed)?;
        let parts = old.split_once(MARKS[0]).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(MARKS[1])?;
            Some((before, after))
        });
        let Some((before, after)) = parts else {
            return Err(Failure(format!("{PAGE} has no place for the results")));
        };
        let all = self.sum(|_, _| true);
        let ends: Vec<String> = self
            .ends
            .iter()
            .map(|(end, count)| match end.as_str() {
                "killed" => format!("{count} were killed"),
                code => format!("{count} ended with {code}"),
            })
            .collect();
        let (first, last) = (MARKS[0], MARKS[1]);
        let which = match every {
            1 => "every point".to_owned(),
            every => format!("every {every}th point"),
        };
        let page = format!(
            "{before}{first}\nPoints tried in the last whole run (`cargo xtask faults --every {every}`: {which}, and \
             of each fault at least\nsix where there are as many), which took {minutes} minutes:\n\n{}\nOf {} runs \
             in which something went wrong, {}.\n{} were recovered. Afterwards {} were exactly as before and {} exactly \
             as planned: **{} tried, {} lost**.\n\n{last}{after}",
            self.markdown(),
            all.tried,
            ends.join(", "),
            all.recovered,
            all.old,
            all.new,
            all.tried,
            all.lost
        );
        fs::write(&path, page).map_err(failed)?;
        eprintln!("wrote {PAGE}");
        Ok(())
    }
}

/// Where a name stands in a list, at its end if it is new.
fn place(names: &mut Vec<String>, name: String) -> usize {
    names.iter().position(|of| *of == name).unwrap_or_else(|| {
        names.push(name);
        names.len() - 1
    })
}
