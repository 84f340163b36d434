//! How long something still waits, for people: the time that is left first, since nobody compares clocks under stress.

/// `4 min 58 s (20:35:28 UTC)`; of what is over, `no time (20:35:28 UTC)`.
#[must_use]
pub fn time_left(until: jiff::Timestamp) -> String {
    left(until, jiff::Timestamp::now())
}

fn left(until: jiff::Timestamp, now: jiff::Timestamp) -> String {
    let seconds = until.duration_since(now).as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let left = match (hours, minutes, rest) {
        _ if seconds <= 0 => "no time".to_owned(),
        (0, 0, rest) => format!("{rest} s"),
        (0, minutes, rest) => format!("{minutes} min {rest} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    };
    format!("{left} ({} UTC)", until.strftime("%H:%M:%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_that_is_left_comes_first() {
        let until: jiff::Timestamp = "2026-03-02T20:35:28Z".parse().unwrap();
        for (now, shown) in [
            ("2026-03-02T20:30:30Z", "4 min 58 s (20:35:28 UTC)"),
            ("2026-03-02T20:35:20Z", "8 s (20:35:28 UTC)"),
            ("2026-03-02T18:30:00Z", "2 h 5 min (20:35:28 UTC)"),
            ("2026-03-02T20:35:28Z", "no time (20:35:28 UTC)"),
            ("2026-03-03T20:35:28Z", "no time (20:35:28 UTC)"),
        ] {
            assert_eq!(left(until, now.parse().unwrap()), shown);
        }
    }
}
