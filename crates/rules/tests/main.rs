//! One binary for all integration tests of this crate.

mod acknowledgements;
mod across;
mod coverage;
mod devices;
mod edges;
mod editions;
mod examples;
mod fixtures;
mod limitations;
mod page;
mod requirements;
mod services;
mod showing;
mod sound;
mod writers;
