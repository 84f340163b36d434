use std::fmt;

use crate::model::Model;
use crate::source::Source;
use crate::transport::Transport;
use crate::version::{DottedVersion, ReleaseRange};

mod wms_3_86;
mod wms_5_and_6;

/// An edition of the vendor's failover guide, and what it says for the WMS versions that it covers.
#[derive(Debug)]
pub struct Edition {
    /// As the vendor writes the versions, such as `5.0X/6.0X`.
    pub name: &'static str,
    /// The WMS versions that it speaks of; for any other it says nothing.
    pub covers: &'static [ReleaseRange],
    /// The lines of its table of devices.
    table: &'static [Line],
    source: Source,
}

impl Edition {
    /// Whether it speaks of this WMS version.
    #[must_use]
    pub fn covers(&self, wms: &DottedVersion) -> bool {
        self.covers.iter().any(|range| range.contains(wms))
    }
}

const EDITIONS: &[&Edition] = &[&wms_3_86::EDITION, &wms_5_and_6::EDITION];

/// Every edition, oldest first.
#[must_use]
pub const fn editions() -> &'static [&'static Edition] {
    EDITIONS
}

/// The edition that covers a WMS version.
#[must_use]
pub fn edition(wms: &DottedVersion) -> Option<&'static Edition> {
    EDITIONS.iter().find(|edition| edition.covers(wms)).copied()
}

/// A span of seconds as a table prints it, both ends included; a single number is a span of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecondsRange {
    /// The best case.
    pub min: u32,
    /// The worst case.
    pub max: u32,
}

impl SecondsRange {
    /// The smallest span that holds both.
    fn or(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

impl fmt::Display for SecondsRange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.min == self.max {
            write!(formatter, "{} s", self.min)
        } else {
            write!(formatter, "{}–{} s", self.min, self.max)
        }
    }
}

/// One line of an edition's table of devices.
#[derive(Debug)]
struct Line {
    /// Names of the models that it speaks of, as the catalogue has them.
    models: &'static [&'static str],
    transports: &'static [Transport],
    port: u16,
    switch: Option<SecondsRange>,
    r#return: Option<SecondsRange>,
}

/// How a device speaks to both PBXs, and how long it takes to change over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signalling {
    /// What is documented for the model, in the table's order; never empty.
    pub transports: Vec<Transport>,
    /// The same for all of them, and on both PBXs.
    pub port: u16,
    /// From the main PBX to the failover PBX; none where the table has a dash.
    pub switch: Option<SecondsRange>,
    /// Back to the main PBX.
    pub r#return: Option<SecondsRange>,
    /// The edition's table.
    pub source: Source,
}

/// What the edition for this WMS version says of a model; none where there is no such edition, or nothing in it.
///
/// Where several lines may be meant, because the guide tells a model's revisions apart and the name does not, the
/// answer covers all of them: every transport, and the widest times. A dash in one of them leaves the time unknown.
#[must_use]
pub fn signalling(model: &Model, wms: &DottedVersion) -> Option<Signalling> {
    let edition = edition(wms)?;
    edition
        .table
        .iter()
        .filter(|line| line.models.contains(&model.name))
        .map(|line| Signalling {
            transports: line.transports.to_vec(),
            port: line.port,
            switch: line.switch,
            r#return: line.r#return,
            source: edition.source,
        })
        .reduce(widen)
}

fn widen(mut answer: Signalling, line: Signalling) -> Signalling {
    for transport in line.transports {
        if !answer.transports.contains(&transport) {
            answer.transports.push(transport);
        }
    }
    answer.switch = answer.switch.zip(line.switch).map(|(a, b)| a.or(b));
    answer.r#return = answer.r#return.zip(line.r#return).map(|(a, b)| a.or(b));
    answer
}

const fn seconds(min: u32, max: u32) -> Option<SecondsRange> {
    Some(SecondsRange { min, max })
}

const fn line(
    models: &'static [&'static str],
    transports: &'static [Transport],
    port: u16,
    switch: Option<SecondsRange>,
    r#return: Option<SecondsRange>,
) -> Line {
    Line {
        models,
        transports,
        port,
        switch,
        r#return,
    }
}

#[cfg(test)]
mod tests;
