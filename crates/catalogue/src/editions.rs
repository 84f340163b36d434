use std::fmt;

use crate::model::Model;
use crate::source::{Document, Source};
use crate::support::{Statement, SupportLine, Years};
use crate::transport::Transport;
use crate::version::{DottedVersion, Release};

mod wms_3_86;
mod wms_5_and_6;

/// An edition of the vendor's failover guide.
///
/// It is in force from its first release until that of the next edition: the guide asks for a minimal WMS version and
/// so speaks of everything after it.
#[derive(Debug)]
pub struct Edition {
    /// As the vendor writes the versions, such as `5.0X/6.0X`.
    pub name: &'static str,
    /// The first WMS release that it is in force for.
    pub from: Release,
    /// The newest releases that it names, such as `6.0X`.
    pub newest: &'static str,
    /// The first release past those that it names.
    past: Release,
    /// The lines of its table of devices.
    table: &'static [Line],
    /// What it says of releases before its own.
    dated: &'static [Dated],
    source: Source,
    /// What it lists as supported and as not supported.
    pub(crate) support: &'static [SupportLine],
    /// What else it says, and where.
    pub(crate) statements: &'static [(Statement, Source)],
}

impl Edition {
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

/// The edition in force for a WMS version; none below the first.
#[must_use]
pub fn edition(wms: &DottedVersion) -> Option<&'static Edition> {
    let mut newest_first = EDITIONS.iter().rev();
    newest_first
        .find(|edition| edition.from.reached_by(wms))
        .copied()
}

/// The newest edition, where this WMS version is newer than every release that it names.
#[must_use]
pub fn edition_outrun_by(wms: &DottedVersion) -> Option<&'static Edition> {
    EDITIONS
        .last()
        .copied()
        .filter(|newest| newest.past.reached_by(wms))
}

/// The edition that is this document.
#[must_use]
pub fn edition_of(document: Document) -> Option<&'static Edition> {
    EDITIONS
        .iter()
        .find(|edition| edition.document() == document)
        .copied()
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

/// A transport that some models have since a release before the edition that says so.
#[derive(Debug)]
struct Dated {
    /// Names of the models, as the catalogue has them.
    models: &'static [&'static str],
    transport: Transport,
    port: Port,
    since: Release,
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

/// What is documented of a model on this WMS version: the table of the edition in force, and what a later edition
/// dates back to this version. None where there is neither.
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
    let in_force = edition(wms)?.signalling(model, year);
    EDITIONS
        .iter()
        .filter(|edition| !edition.from.reached_by(wms))
        .flat_map(|later| later.dated.iter().map(move |dated| (later, dated)))
        .filter(|(_, dated)| dated.models.contains(&model.name) && dated.since.reached_by(wms))
        .fold(in_force, |known, (later, dated)| {
            let mut known = known.unwrap_or_else(|| Signalling {
                transports: Vec::new(),
                port: dated.port.number(),
                documented_port: dated.port,
                // The later edition's times are those of its own versions.
                switch: None,
                r#return: None,
                source: later.source,
            });
            if !known.transports.contains(&dated.transport) {
                known.transports.push(dated.transport);
            }
            Some(known)
        })
}

/// What is documented of a model that both PBXs of a pair serve: transports that all these WMS versions have, in the
/// order of the first that knows the model, and times that hold whichever of them it runs into. A time that is unknown
/// on one of them is unknown.
#[must_use]
pub fn signalling_on_all<'a>(
    model: &Model,
    versions: impl IntoIterator<Item = &'a DottedVersion>,
    year: Option<u16>,
) -> Option<Signalling> {
    let each = versions
        .into_iter()
        .map(|wms| signalling_made_in(model, wms, year));
    each.reduce(|known, next| match (known, next) {
        (Some(known), Some(next)) => Some(in_common(known, &next)),
        (Some(only), None) | (None, Some(only)) => Some(Signalling {
            switch: None,
            r#return: None,
            ..only
        }),
        (None, None) => None,
    })
    .flatten()
}

fn in_common(mut known: Signalling, other: &Signalling) -> Signalling {
    let shared = |transport: &Transport| other.transports.contains(transport);
    if known.transports.iter().any(shared) {
        known.transports.retain(shared);
    }
    known.switch = known.switch.zip(other.switch).map(|(a, b)| a.or(b));
    known.r#return = known.r#return.zip(other.r#return).map(|(a, b)| a.or(b));
    known
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
