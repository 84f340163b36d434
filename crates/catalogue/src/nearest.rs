//! Which known name a mistyped one stands for.

/// Longer than any name of ours: comparing is quadratic, and nobody means one of them.
const LONGEST: usize = 256;

/// How many letters a written name is away from a known one; none where it is too far to be that name mistyped.
/// Capitals mean nothing.
#[must_use]
pub fn mistyped(written: &str, known: &str) -> Option<usize> {
    Written::of(written)?.away_from(known)
}

/// The known name that a mistyped one most likely stands for; of several, the first.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = Written::of(written)?;
    known
        .into_iter()
        .filter_map(|name| Some((written.away_from(name)?, name)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A name that may be mistyped, ready to be compared with many.
struct Written {
    folded: String,
    length: usize,
    letters: Letters,
}

impl Written {
    fn of(name: &str) -> Option<Self> {
        if name.len() > LONGEST {
            return None;
        }
        let folded = name.to_lowercase();
        Some(Self {
            length: folded.chars().count(),
            letters: Letters::of(&folded),
            folded,
        })
    }

    fn away_from(&self, known: &str) -> Option<usize> {
        let far = known.chars().count().max(3) / 3;
        let lower = known.to_lowercase();
        if lower.chars().count().abs_diff(self.length) > far {
            return None;
        }
        // Most names are far off, which is seen without a search for the distance.
        if self.letters.distance_at_least(&Letters::of(&lower)) > far {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&self.folded, &lower);
        (distance <= far).then_some(distance)
    }
}

/// How often each letter is in a word; letters that share a place are counted together.
struct Letters([u32; 64]);

impl Letters {
    fn of(word: &str) -> Self {
        let mut counts = [0; 64];
        for letter in word.chars() {
            counts[letter as usize % 64] += 1;
        }
        Self(counts)
    }

    /// What it takes at least to make one word of the other: an edit adds a letter, drops one, or puts one in the place of
    /// another.
    fn distance_at_least(&self, other: &Self) -> usize {
        let surplus = |ours: &Self, theirs: &Self| -> usize {
            let each = ours.0.iter().zip(theirs.0);
            each.map(|(ours, theirs)| ours.saturating_sub(theirs) as usize)
                .sum()
        };
        surplus(self, other).max(surplus(other, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_the_nearest_is_meant() {
        let known = ["gateway", "dns", "dhcp", "domain"];
        assert_eq!(nearest("gatway", known), Some("gateway"));
        assert_eq!(nearest("DSN", known), Some("dns"));
        assert_eq!(nearest("dhc", known), Some("dhcp"));
        assert_eq!(nearest("pool", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(mistyped(&"a".repeat(1000), &"a".repeat(1000)), None);
    }

    /// Else a name that was meant could be left out unseen.
    #[test]
    fn a_distance_is_never_less_than_what_it_takes_at_least() {
        let words = [
            "", "a", "ab", "ba", "aab", "voice", "vioce", "VOICE", "gäste", "gaste", "kea1", "ke1",
            "kea12",
        ];
        for a in words {
            for b in words {
                let least = Letters::of(a).distance_at_least(&Letters::of(b));
                let distance = strsim::damerau_levenshtein(a, b);
                assert!(least <= distance, "{a} {b}: {least} > {distance}");
            }
        }
    }
}
