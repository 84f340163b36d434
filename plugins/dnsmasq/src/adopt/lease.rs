//! The time of a lease as dnsmasq reads it.

/// How long a lease lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lease {
    Seconds(u32),
    Infinite,
}

/// `45m`, `12h`, `7d`, `2w`, seconds, `infinite`.
pub(super) fn lease(text: &str) -> Option<Lease> {
    if text == "infinite" {
        return Some(Lease::Infinite);
    }
    let last = text.chars().next_back()?;
    let (number, worth) = match last {
        'w' | 'W' => (&text[..text.len() - 1], 604_800),
        'd' | 'D' => (&text[..text.len() - 1], 86_400),
        'h' | 'H' => (&text[..text.len() - 1], 3600),
        'm' | 'M' => (&text[..text.len() - 1], 60),
        _ => (text, 1),
    };
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u32 = number.parse().ok().filter(|_| digits)?;
    number.checked_mul(worth).map(Lease::Seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("12h", Some(Lease::Seconds(43_200))),
            ("45m", Some(Lease::Seconds(2700))),
            ("3600", Some(Lease::Seconds(3600))),
            ("2w", Some(Lease::Seconds(1_209_600))),
            ("infinite", Some(Lease::Infinite)),
            ("9999999999h", None),
            ("h", None),
            ("", None),
            ("ü", None),
            ("10.0.0.1", None),
        ] {
            assert_eq!(lease(text), expected, "{text}");
        }
    }
}
