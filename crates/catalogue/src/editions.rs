use std::fmt;

use crate::model::Model;
use crate::source::{Document, Source};
use crate::support::{Statement, SupportLine, Years};
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
    /// What it lists as supported and as not supported.
    pub(crate) support: &'static [SupportLine],
    /// What else it says, and where.
    pub(crate) statements: &'static [(Statement, Source)],
}

impl Edition {
    /// Whether it speaks of this WMS version.
    #[must_use]
    pub fn covers(&self, wms: &DottedVersion) -> bool {
        self.covers.iter().any(|range| range.contains(wms))
    }

    /// What its table says of a model made in this year.
    fn signalling(&self, model: &Model, year: Option<u16>) -> Option<Signalling> {
        self.table
            .iter()
            .filter(|line| line.models.contains(&model.name))
            .filter(|line| line.made.contain(year) != Some(false))
            .map(|line| Signalling {
                transports: line.transports.to_vec(),
                port: line.port.number(),
                documented_port: line.port,
                switch: line.switch,
                r#return: line.r#return,
                source: self.source,
            })
            .reduce(widen)
    }

    /// The document that it is.
    #[must_use]
    pub const fn document(&self) -> Document {
        self.source.document
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
    /// When it was made, where the table tells generations of one model apart by that.
    made: Years,
    transports: &'static [Transport],
    port: Port,
    switch: Option<SecondsRange>,
    r#return: Option<SecondsRange>,
}

impl Line {
    const fn made(self, made: Years) -> Self {
        Self { made, ..self }
    }
}

/// A port as the table prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Port {
    /// This one.
    Fixed(u16),
    /// Printed with an asterisk, which says: alternative or default secure port. A PBX may have been given another
    /// one for it.
    Secure(u16),
}

impl Port {
    /// The number that the table prints.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::Fixed(number) | Self::Secure(number) => number,
        }
    }

    /// Whether the table leaves room for this number. A secure port is never the one that the table has for
    /// signalling in clear text.
    #[must_use]
    pub const fn allows(self, number: u16) -> bool {
        match self {
            Self::Fixed(only) => number == only,
            Self::Secure(_) => number != CLEAR_TEXT_PORT,
        }
    }
}

/// The port of the table's only line without an asterisk.
const CLEAR_TEXT_PORT: u16 = 5060;

/// How a device speaks to both PBXs, and how long it takes to change over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signalling {
    /// What is documented for the model, in the table's order; never empty.
    pub transports: Vec<Transport>,
    /// The same for all of them, and on both PBXs.
    pub port: u16,
    /// The same port with what the table says of it.
    pub documented_port: Port,
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
    signalling_made_in(model, wms, None)
}

/// As [`signalling`], for a device made in this year: lines for other years are not meant.
#[must_use]
pub fn signalling_made_in(
    model: &Model,
    wms: &DottedVersion,
    year: Option<u16>,
) -> Option<Signalling> {
    edition(wms)?.signalling(model, year)
}

/// As [`signalling`], of the newest edition that has the model: for where no WMS version is known.
#[must_use]
pub fn newest_signalling(model: &Model) -> Option<Signalling> {
    let mut newest_first = EDITIONS.iter().rev();
    newest_first.find_map(|edition| edition.signalling(model, None))
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

/// The asterisk of the table.
const SECURE: Port = Port::Secure(443);

const fn line(
    models: &'static [&'static str],
    transports: &'static [Transport],
    port: Port,
    switch: Option<SecondsRange>,
    r#return: Option<SecondsRange>,
) -> Line {
    Line {
        models,
        made: Years::ANY,
        transports,
        port,
        switch,
        r#return,
    }
}

#[cfg(test)]
mod tests;
