//! The fast reader of plain nodes says what the KDL parser says, or leaves the node to it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use switchover_topology::readers_disagree;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Some(difference) = readers_disagree(text)
    {
        panic!("{difference}");
    }
});
