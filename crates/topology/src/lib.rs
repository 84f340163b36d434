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
mod load;
mod locate;
pub mod model;
mod read;
mod report;
mod resolve;
mod schema;
mod show;
mod source;
mod syntax;
pub mod value;

pub use diagnostic::{Diagnostic, Related, Severity, in_report_order};
pub use load::{Loaded, load, load_text};
pub use model::Topology;
pub use schema::schema;
pub use show::{FORMAT_VERSION, to_json, to_kdl};
pub use source::{FileId, Position, SourceFile, Sources, Span, Spanned};
