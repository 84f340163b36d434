//! `--shard 3/10`: one of several parts of a fleet, so that as many machines share the work.
//!
//! A site's part follows from its path alone, by jump consistent hashing: a site that comes or goes moves no other, and of
//! 10 parts becoming 11 only every eleventh site moves, all of them into the new one.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

/// `3/10`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Counts from 0.
    index: u32,
    of: u32,
}

/// It is no part of something.
#[derive(Debug, thiserror::Error)]
#[error("a part is written as `3/10`: the third of ten")]
pub(crate) struct NotAShard;

impl Shard {
    /// Whether the site of this path is in it. The path is relative to the folder that was named, with `/`.
    pub(crate) fn holds(self, path: &str) -> bool {
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(path.as_bytes()));
        jump(u64::from_be_bytes([a, b, c, d, e, f, g, h]), self.of) == self.index
    }
}

/// Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014.
fn jump(mut key: u64, buckets: u32) -> u32 {
    let (mut bucket, mut next) = (0, 0_u64);
    while next < u64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        // floor((bucket + 1) · 2³¹ / ((key >> 33) + 1)), which fits: the divisor is 1 at least, the product below 2⁶³.
        next = ((bucket + 1) << 31) / ((key >> 33) + 1);
    }
    u32::try_from(bucket).unwrap_or(u32::MAX)
}

impl FromStr for Shard {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let (number, of) = text.split_once('/').ok_or(NotAShard)?;
        let parse = |text: &str| text.parse::<u32>().map_err(|_| NotAShard);
        let (number, of) = (parse(number)?, parse(of)?);
        if (1..=of).contains(&number) {
            let index = number - 1;
            Ok(Self { index, of })
        } else {
            Err(NotAShard)
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.index + 1, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> Vec<String> {
        (0..1_000)
            .map(|number| format!("sites/site-{number:04}/switchover.kdl"))
            .collect()
    }

    fn place(path: &str, of: u32) -> u32 {
        let holders: Vec<u32> = (0..of)
            .filter(|&index| Shard { index, of }.holds(path))
            .collect();
        let [holder] = holders.as_slice() else {
            panic!("{path} is in {} parts of {of}", holders.len());
        };
        *holder
    }

    #[test]
    fn every_site_is_in_one_part_and_parts_are_of_a_size() {
        for of in [1, 2, 3, 10] {
            let mut sizes = vec![0_u32; of as usize];
            for path in paths() {
                sizes[place(&path, of) as usize] += 1;
            }
            let fair = 1_000 / of;
            assert!(
                sizes.iter().all(|size| size.abs_diff(fair) <= fair / 3),
                "{of} parts: {sizes:?}"
            );
        }
    }

    #[test]
    fn one_part_more_takes_its_share_and_moves_nothing_else() {
        let moved: Vec<u32> = paths()
            .iter()
            .filter(|path| place(path, 10) != place(path, 11))
            .map(|path| place(path, 11))
            .collect();
        assert!(moved.iter().all(|&part| part == 10), "{moved:?}");
        assert!((50..150).contains(&moved.len()), "{}", moved.len());
    }

    /// A matrix may run different versions of the command: what is where must never change.
    #[test]
    fn where_a_site_is_stays() {
        let found = ["berlin/switchover.kdl", "rome/switchover.kdl", "a.kdl"]
            .map(|path| [2, 3, 10].map(|of| place(path, of)));
        assert_eq!(found, [[0, 0, 0], [0, 0, 5], [1, 2, 7]]);
    }

    #[test]
    fn only_parts_are_parsed() {
        for text in ["1/1", "3/10", "10/10"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "3", "0/3", "4/3", "a/3", "3/", "-1/3", "1/0", "1/2/3"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }
}
