use std::path::Path;

use switchover_rules::{all, reference};

#[test]
fn the_reference_lists_every_rule_and_links_to_its_explanation() {
    let page = reference();
    insta::assert_snapshot!(page);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for rule in all() {
        let explanation = format!("crates/rules/explanations/{}.md", rule.code);
        assert!(
            page.contains(&format!("| [{}](../{explanation}) |", rule.code)),
            "{}",
            rule.code
        );
        assert!(root.join(&explanation).is_file(), "{explanation}");
    }
}
