//! Damaged components: refused, or harmless.

use switchover_plugin_host::Source;

use crate::guest::{Guest, assert_alive, run, strict_host};

/// Loads and runs whatever it is; only a crash of this process is wrong.
fn survive(host: &switchover_plugin_host::Host, component: Vec<u8>) -> bool {
    host.load("guest", &Source::new(component))
        .and_then(|plugin| plugin.start())
        .and_then(|mut session| run(&mut session))
        .is_ok()
}

/// Its number in the binary format.
const CUSTOM_SECTION: u8 = 0;

#[test]
fn no_truncated_component_loads() {
    let host = strict_host();
    let whole = Guest::default().component();
    for length in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
        let error = match host.load("guest", &Source::new(&whole[..length])) {
            Err(error) => error,
            // The last sections only name things, and a component without them is whole.
            Ok(_) => {
                assert_eq!(whole[length], CUSTOM_SECTION, "a part is not the whole");
                continue;
            }
        };
        // Cut between two sections, what is left is a valid component, of another world.
        let text = error.to_string();
        assert!(
            text.contains("not a valid WebAssembly component")
                || text.contains("does not speak the contract"),
            "{length}: {text}"
        );
    }
    assert_alive(&host);
}

#[test]
fn flipped_bits_never_bring_the_host_down() {
    let host = strict_host();
    let whole = Guest::default().component();
    let mut refused = 0;
    for (turn, at) in (0..whole.len()).step_by(whole.len() / 300 + 1).enumerate() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (turn % 8);
        refused += usize::from(!survive(&host, damaged));
    }
    assert!(refused > 50, "only {refused} were refused");
    assert_alive(&host);
}
