use std::fmt;

/// Where a fact comes from: a document, and the place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Source {
    /// The document.
    pub document: Document,
    /// Its section, by title or number.
    pub section: &'static str,
}

/// A document that facts are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Document {
    /// The vendor's failover guide for WMS 3.86.
    Guide386,
    /// The same guide's edition for WMS 5.0X and 6.0X.
    Guide50X60X,
    /// A standard of the IETF, by number.
    Rfc(u16),
    /// ISC's manual of the Kea DHCP server, version 2.2.
    KeaManual,
    /// The reference of the topology language: what follows from the language itself.
    Language,
    /// No document: what experience with such systems teaches, and why.
    Practice,
}

/// A section of an RFC.
#[must_use]
pub const fn rfc(number: u16, section: &'static str) -> Source {
    Source {
        document: Document::Rfc(number),
        section,
    }
}

impl fmt::Display for Document {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guide386 => formatter.write_str("failover guide for WMS 3.86"),
            Self::Guide50X60X => formatter.write_str("failover guide for WMS 5.0X/6.0X"),
            Self::Rfc(number) => write!(formatter, "RFC {number}"),
            Self::KeaManual => formatter.write_str("Kea Administrator Reference Manual"),
            Self::Language => formatter.write_str("topology language"),
            Self::Practice => formatter.write_str("sound practice"),
        }
    }
}

impl fmt::Display for Source {
    /// `RFC 2132, section 8.3`, or the section's title in quotation marks.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self
            .section
            .starts_with(|first: char| first.is_ascii_digit())
        {
            write!(formatter, "{}, section {}", self.document, self.section)
        } else {
            write!(formatter, "{}, “{}”", self.document, self.section)
        }
    }
}
