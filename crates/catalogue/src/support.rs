use std::fmt;

use crate::editions::{Edition, edition, editions};
use crate::model::Model;
use crate::source::Source;
use crate::version::{DottedVersion, Release};

/// Years of production; an end that is not known is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Years {
    /// The first year.
    pub from: Option<u16>,
    /// The last year.
    pub to: Option<u16>,
}

impl Years {
    /// Whenever it was made.
    pub const ANY: Self = Self {
        from: None,
        to: None,
    };

    /// Made in this year or later.
    #[must_use]
    pub const fn from(year: u16) -> Self {
        Self {
            from: Some(year),
            to: None,
        }
    }

    /// Made in this year or earlier.
    #[must_use]
    pub const fn to(year: u16) -> Self {
        Self {
            from: None,
            to: Some(year),
        }
    }

    /// Whether the year is one of them; none where the answer needs a year that is not known.
    #[must_use]
    pub fn contain(&self, year: Option<u16>) -> Option<bool> {
        if *self == Self::ANY {
            return Some(true);
        }
        let year = year?;
        Some(self.from.is_none_or(|from| from <= year) && self.to.is_none_or(|to| year <= to))
    }
}

impl fmt::Display for Years {
    /// `2014 or earlier`, `2015 or later`, `2015–2016`, `any year`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.from, self.to) {
            (None, None) => formatter.write_str("any year"),
            (Some(from), None) => write!(formatter, "{from} or later"),
            (None, Some(to)) => write!(formatter, "{to} or earlier"),
            (Some(from), Some(to)) => write!(formatter, "{from}–{to}"),
        }
    }
}

/// Whether failover carries something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It moves to the failover PBX and back.
    Supported,
    /// It goes down with its PBX.
    Unsupported,
}

/// What an edition says of a model, for the years of production that it speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Support {
    /// What it says.
    pub verdict: Verdict,
    /// Whom it says it of; of a device made in another year it says nothing.
    pub made: Years,
    /// The oldest firmware, or version of a client, that failover works with; none where it names none.
    pub minimum: Option<Release>,
    /// Where it says so.
    pub source: Source,
}

/// One line of an edition's lists of what is supported and what is not.
#[derive(Debug)]
pub(crate) struct SupportLine {
    /// Names of the models that it speaks of, as the catalogue has them.
    pub(crate) models: &'static [&'static str],
    pub(crate) support: Support,
}

/// What an edition says of failover as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    /// The failover PBX usually has no load of its own.
    FailoverUsuallyIdle,
    /// What is changed on the destination of a synchronisation is lost with the next one.
    SyncOverwritesDestination,
    /// Synchronisation leaves language and region alone.
    LocaleNotSynced,
    /// Configuration is synchronised by itself every 2 hours.
    SyncEveryTwoHours,
    /// Every device is registered on both PBXs at the same time.
    DevicesRegisterOnBoth,
    /// An incoming trunk is carried where its remote end tries both PBXs.
    IncomingTrunksTryBoth,
    /// Outgoing trunks are not carried.
    OutgoingTrunksUnsupported,
    /// Failover by `/rw2/etc/phone_failover.conf` is not supported.
    PhoneFailoverConfUnsupported,
    /// Failover by a secondary DNS configuration is not supported.
    SecondaryDnsUnsupported,
}

/// Where the edition in force for this WMS version says so; none where it does not, or none is in force: then it is not
/// known.
#[must_use]
pub fn states(statement: Statement, wms: &DottedVersion) -> Option<Source> {
    edition(wms)?
        .statements
        .iter()
        .find(|(made, _)| *made == statement)
        .map(|(_, source)| *source)
}

/// What the edition in force for this WMS version says of a model; none where it says nothing: then it is not known.
#[must_use]
pub fn support(model: &Model, wms: &DottedVersion) -> Option<Support> {
    support_in(model, edition(wms)?)
}

/// What the newest earlier edition says of a model, where the one in force says nothing: whether it still holds is
/// unknown, and so not to be relied on.
#[must_use]
pub fn support_earlier(model: &Model, wms: &DottedVersion) -> Option<(Support, &'static Edition)> {
    if support(model, wms).is_some() {
        return None;
    }
    let newest_first = editions().iter().rev().copied();
    newest_first
        .filter(|edition| edition.from.reached_by(wms))
        .find_map(|edition| Some((support_in(model, edition)?, edition)))
}

/// The oldest edition that has this model among what failover carries.
#[must_use]
pub fn first_supporting(model: &Model) -> Option<&'static Edition> {
    let supports = |edition: &&Edition| {
        support_in(model, edition).is_some_and(|support| support.verdict == Verdict::Supported)
    };
    editions().iter().copied().find(supports)
}

fn support_in(model: &Model, edition: &Edition) -> Option<Support> {
    edition
        .support
        .iter()
        .find(|line| line.models.contains(&model.name))
        .map(|line| line.support)
}

pub(crate) const fn supported(models: &'static [&'static str], source: Source) -> SupportLine {
    SupportLine {
        models,
        support: Support {
            verdict: Verdict::Supported,
            made: Years::ANY,
            minimum: None,
            source,
        },
    }
}

/// Supported from a firmware, or a version of a client, on.
pub(crate) const fn supported_from(
    models: &'static [&'static str],
    minimum: Release,
    source: Source,
) -> SupportLine {
    let line = supported(models, source);
    SupportLine {
        support: Support {
            minimum: Some(minimum),
            ..line.support
        },
        ..line
    }
}

pub(crate) const fn unsupported(
    models: &'static [&'static str],
    made: Years,
    source: Source,
) -> SupportLine {
    let line = supported(models, source);
    SupportLine {
        support: Support {
            verdict: Verdict::Unsupported,
            made,
            ..line.support
        },
        ..line
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::{model, models};
    use crate::source::Document;

    fn wms(text: &str) -> DottedVersion {
        text.parse().unwrap()
    }

    fn verdict(name: &str, version: &str) -> Option<Verdict> {
        support(model(name).unwrap(), &wms(version)).map(|support| support.verdict)
    }

    #[test]
    fn each_edition_speaks_once_of_models_of_the_catalogue() {
        for edition in editions() {
            let mut seen = HashSet::new();
            for name in edition.support.iter().flat_map(|line| line.models) {
                assert!(
                    models().iter().any(|model| model.name == *name),
                    "{name} in {}",
                    edition.name
                );
                assert!(seen.insert(name), "{name} twice in {}", edition.name);
            }
            for line in edition.support {
                assert_eq!(line.support.source.document, edition.document());
            }
            for (statement, source) in edition.statements {
                assert_eq!(source.document, edition.document(), "{statement:?}");
            }
        }
    }

    #[test]
    fn what_the_edition_for_3_86_lists_as_unsupported() {
        for name in [
            "W-AIR",
            "W04BRI",
            "W01GSM",
            "W01FXS",
            "iOS",
            "Collaboration",
        ] {
            assert_eq!(
                verdict(name, "3.86.30011"),
                Some(Verdict::Unsupported),
                "{name}"
            );
        }
        let w01fxs = support(model("W01FXS").unwrap(), &wms("3.86")).unwrap();
        for (year, spoken_of) in [
            (Some(2014), Some(true)),
            (Some(2015), Some(false)),
            (None, None),
        ] {
            assert_eq!(w01fxs.made.contain(year), spoken_of, "{year:?}");
        }
    }

    #[test]
    fn what_a_later_edition_does_not_repeat_is_not_known_there() {
        for name in ["W-AIR", "W04BRI", "W01GSM", "W01FXS", "iOS"] {
            for version in ["3.88", "4.01"] {
                assert_eq!(verdict(name, version), Some(Verdict::Unsupported), "{name}");
            }
            for version in ["5.01", "7.08"] {
                assert_eq!(verdict(name, version), None, "{name}");
                let (support, edition) =
                    support_earlier(model(name).unwrap(), &wms(version)).unwrap();
                assert_eq!(support.verdict, Verdict::Unsupported, "{name}");
                assert_eq!(edition.name, "3.86", "{name}");
            }
        }
        assert_eq!(states(Statement::SyncEveryTwoHours, &wms("4.02")), None);
    }

    #[test]
    fn clients_came_later_with_versions_of_their_own() {
        for (name, minimum) in [
            ("Collaboration", None),
            ("Collaboration native app", Some("2.1.5")),
            ("Collaboration Chrome extension", Some("1.6.7")),
            ("Android", None),
        ] {
            let model = model(name).unwrap();
            assert_ne!(verdict(name, "3.86"), Some(Verdict::Supported), "{name}");
            let later = support(model, &wms("5.01")).unwrap();
            assert_eq!(later.verdict, Verdict::Supported, "{name}");
            assert_eq!(
                later.minimum.map(|release| release.to_string()).as_deref(),
                minimum
            );
            let first = first_supporting(model).unwrap();
            assert_eq!(first.name, "5.0X/6.0X", "{name}");
        }
        assert!(first_supporting(model("iOS").unwrap()).is_none());
    }

    #[test]
    fn the_wp600_needs_firmware_2_8_22_in_both_editions() {
        for version in ["3.86", "6.01"] {
            let support = support(model("WP600A").unwrap(), &wms(version)).unwrap();
            let minimum = support.minimum.unwrap();
            for (firmware, enough) in [("2.8.21", false), ("2.8.22", true), ("2.10.0", true)] {
                assert_eq!(minimum.reached_by(&wms(firmware)), enough, "{firmware}");
            }
        }
    }

    #[test]
    fn sources_are_those_of_the_edition_in_force() {
        for (version, document) in [
            ("3.86.30011", Document::Guide386),
            ("4.02.1", Document::Guide386),
            ("5.01", Document::Guide50X60X),
            ("7.08", Document::Guide50X60X),
        ] {
            let source = states(Statement::OutgoingTrunksUnsupported, &wms(version)).unwrap();
            assert_eq!(source.document, document, "{version}");
        }
        assert_eq!(
            states(Statement::OutgoingTrunksUnsupported, &wms("3.85")),
            None
        );
    }

    #[test]
    fn years_read_as_spans() {
        assert_eq!(Years::to(2014).to_string(), "2014 or earlier");
        assert_eq!(Years::from(2015).to_string(), "2015 or later");
        let both = Years {
            from: Some(2015),
            to: Some(2016),
        };
        assert_eq!(both.to_string(), "2015–2016");
        assert_eq!(Years::ANY.to_string(), "any year");
    }
}
