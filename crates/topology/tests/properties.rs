//! What holds for every text.

use proptest::prelude::*;
use switchover_topology::{Loaded, to_json, to_kdl};

use crate::support::{fixture, read};

fn whole() -> String {
    std::fs::read_to_string(fixture("whole.kdl")).unwrap()
}

/// Everything that can be asked of what was loaded.
fn use_it(loaded: &Loaded) {
    for found in &loaded.diagnostics {
        for span in found
            .span
            .iter()
            .chain(found.related.iter().map(|related| &related.span))
        {
            let (start, end) = loaded.sources.range(*span);
            assert!(start <= end);
            let text = &loaded.sources.file(span.file).text;
            assert!(text.get(span.start as usize..span.end as usize).is_some());
        }
    }
    let mut unique = loaded.diagnostics.clone();
    unique.dedup();
    assert_eq!(unique.len(), loaded.diagnostics.len());
    let again = read(&to_kdl(&loaded.topology));
    if loaded.diagnostics.is_empty() {
        assert_eq!(to_json(&again.topology), to_json(&loaded.topology));
    }
}

/// The top-level nodes of the example.
fn nodes() -> Vec<String> {
    let mut nodes = Vec::<String>::new();
    for line in whole().lines().filter(|line| !line.is_empty()) {
        match nodes.last_mut() {
            Some(last) if line.starts_with([' ', '}']) => *last += &format!("\n{line}"),
            _ => nodes.push(line.to_owned()),
        }
    }
    nodes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn no_text_is_too_strange(text in any::<String>()) {
        use_it(&read(&text));
    }

    #[test]
    fn no_structure_is_too_strange(text in "([a-z]{1,3}|[\"{}()=;#/\\\\*\n -]|/-|//|/\\*|\\*/|\"\"\"|#\"|\"#|site|pbx|[0-9]){0,80}") {
        use_it(&read(&text));
    }

    #[test]
    fn no_damage_is_too_strange(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..12, "[\"{}=;#/\\\\*() \na-z0-9é]{0,4}"), 1..6),
    ) {
        let mut letters: Vec<char> = whole().chars().collect();
        for (at, length, insert) in cuts {
            let at = at.index(letters.len());
            let end = (at + length).min(letters.len());
            letters.splice(at..end, insert.chars());
        }
        use_it(&read(&letters.into_iter().collect::<String>()));
    }

    #[test]
    fn the_order_of_nodes_means_nothing(order in Just(nodes()).prop_shuffle()) {
        let sorted = |text: &str| {
            let loaded = read(text);
            assert!(loaded.diagnostics.is_empty());
            let mut json = to_json(&loaded.topology);
            for nodes in json.as_object_mut().unwrap().values_mut().filter_map(|value| value.as_array_mut()) {
                nodes.sort_by_key(ToString::to_string);
            }
            json
        };
        prop_assert_eq!(sorted(&order.join("\n")), sorted(&whole()));
    }
}
