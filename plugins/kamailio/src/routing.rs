//! The routing: what Kamailio does with a request, the same text in every file.

/// Everything between the two markers.
pub(crate) const TEXT: &str = include_str!("routing.cfg");

/// Stands before the text.
pub(crate) const BEGIN: &str =
    "# -- routing, the same everywhere: what is changed here is changed back";
/// Stands after it.
pub(crate) const END: &str = "# -- end of the routing";

/// FNV-1a with 64 bits, in hexadecimal: enough to tell that somebody changed the text.
pub(crate) fn digest(text: &str) -> String {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let hash = text.bytes().fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(digest(""), "cbf29ce484222325");
        assert_eq!(digest("a"), "af63dc4c8601ec8c");
        assert_eq!(digest("foobar"), "85944171f73967e8");
    }

    #[test]
    fn the_text_does_not_end_itself() {
        assert!(TEXT.ends_with('\n'));
        assert!(!TEXT.lines().any(|line| line == BEGIN || line == END));
        assert!(!switchover_sdk::text::has_reference(TEXT));
    }
}
