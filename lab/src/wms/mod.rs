//! A stand-in for a WMS: the documented part of its HTTP API, strict where a client could be careless.
//!
//! What is public about the API is kept: `/api/v1/`, a bearer token or a signed request, the envelope with `records`
//! and `total`, paging by `count` and `start`, errors with a `reason`, creations that answer `Success` and nothing
//! else. Unknown paths, methods, parameters and fields are refused, so that a client which guesses is found out. What
//! no source tells (names of fields in a few records) is a choice made here; clients make it a setting.
//!
//! Read [`Wms`] first; `api` holds the paths, `users` and `devices` the records with a life of their own.

mod api;
mod auth;
mod behind;
mod body;
mod certificate;
mod devices;
mod fault;
mod handle;
mod reply;
mod server;
mod state;
mod users;

pub use auth::{S2sKey, canonical_request};
pub(crate) use behind::{Behind, Served};
pub use certificate::WmsCertificate;
pub use fault::{Matching, WmsFault};
pub use handle::{Synchronisation, Wms, WmsSettings};
pub use server::WmsRequest;
