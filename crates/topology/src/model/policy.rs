//! What a site accepts and keeps without anybody being asked each time.

use std::time::Duration;

use crate::source::{Span, Spanned};

/// `large-change percent=… removals=…`, of a site or of a target, which goes before its site.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct LargeChange {
    pub span: Span,
    pub percent: Option<Spanned<u32>>,
    pub removals: Option<Spanned<u32>>,
}

/// `retention generations=… younger-than=…`: a generation stays that one of both keeps.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct Retention {
    pub span: Span,
    pub generations: Option<Spanned<u32>>,
    pub younger_than: Option<Spanned<Duration>>,
}

/// `known-drift ADDRESS reason=… until=…`
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "each is the property of that name")]
pub struct KnownDrift {
    pub span: Span,
    pub address: Spanned<String>,
    pub reason: Spanned<String>,
    pub until: Option<Spanned<jiff::civil::Date>>,
}
