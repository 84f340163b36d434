//! Tests of the bundle: the search for a compiler as a table, and what came out of the build.

#[path = "../build/toolchain.rs"]
#[expect(
    dead_code,
    reason = "only the search is tested, not the look at this machine"
)]
mod toolchain;

mod bundle;
mod search;
