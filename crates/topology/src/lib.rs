//! KDL → typed topology with spans.
//!
//! It must never touch a server, a terminal or a plugin; it reads only the topology's own files. Start with
//! [`Topology`].
//!
//! A text goes through `syntax` (nodes as written), `read` (values checked against the table in `schema`), `load`
//! (includes, defaults), `resolve` (what nodes are to each other) and `model` (the types that everything else uses).

mod choice;
mod diagnostic;
mod element;
mod format;
mod load;
mod locate;
pub mod model;
mod origin;
mod read;
mod report;
mod resolve;
mod schema;
mod show;
mod source;
mod syntax;
mod table;
pub mod value;

pub use diagnostic::{Diagnostic, Related, Severity, in_report_order};
pub use format::{Formatted, Unformatted, format, format_text};
pub use load::{Loaded, load, load_text};
pub use model::Topology;
pub use origin::{Origin, Origins};
pub use schema::{kdl_schema, schema};
pub use show::{
    FORMAT_VERSION, kdl_text, to_json, to_json_with_origins, to_kdl, to_kdl_with_origins,
};
pub use source::{FileId, Position, SourceFile, Sources, Span, Spanned};
pub use switchover_catalogue::{mistyped, nearest};
pub use table::{TableNodes, TableOf, table, table_text};

/// What the fast reader of plain nodes says otherwise than the KDL parser does; none where they agree, as they must on
/// every text. For tests of exactly that.
#[doc(hidden)]
#[must_use]
pub fn readers_disagree(text: &str) -> Option<String> {
    syntax::disagreement(text)
}

/// A mistake that is reported though the KDL parser accepts the text; none where there is none, as it must be. For tests
/// of exactly that.
#[doc(hidden)]
#[must_use]
pub fn false_alarm(text: &str) -> Option<String> {
    syntax::false_alarm(text)
}
