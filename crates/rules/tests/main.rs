//! One binary for all integration tests of this crate.

mod acknowledgements;
mod edges;
mod fixtures;
mod page;
mod showing;
