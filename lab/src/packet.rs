//! Finding the options of a DHCP answer in a packet capture, byte for byte as they were on the wire.

use std::collections::BTreeMap;

/// The options of the last DHCPACK to `mac` in a capture, by number. The capture is the bytes of frames one after another;
/// what is found need not be whole at its end, for it may still be growing.
///
/// Answers are found by the cookie of DHCP (RFC 2131) at its place behind the fixed fields, so no framing is needed.
pub(crate) fn last_ack(capture: &[u8], mac: [u8; 6]) -> Option<BTreeMap<u8, Vec<u8>>> {
    const MESSAGE_TYPE: u8 = 53;
    const ACK: &[u8] = &[5];
    const COOKIE: [u8; 4] = [99, 130, 83, 99];
    const FIXED: usize = 236;
    const REPLY: u8 = 2;
    let messages = capture.windows(FIXED + COOKIE.len()).enumerate();
    messages
        .rev()
        .filter(|(_, message)| {
            message.ends_with(&COOKIE) && message[0] == REPLY && message[28..34] == mac
        })
        .filter_map(|(start, message)| parse_options(&capture[start + message.len()..]))
        .find(|options| options.get(&MESSAGE_TYPE).is_some_and(|kind| kind == ACK))
}

/// Options as numbered values, if their end is there; one that is split over several is joined again (RFC 3396).
fn parse_options(mut rest: &[u8]) -> Option<BTreeMap<u8, Vec<u8>>> {
    const PAD: u8 = 0;
    const END: u8 = 255;
    let mut options = BTreeMap::<u8, Vec<u8>>::new();
    loop {
        let (&code, after) = rest.split_first()?;
        rest = match code {
            END => return Some(options),
            PAD => after,
            _ => {
                let (&length, after) = after.split_first()?;
                let (value, after) = after.split_at_checked(usize::from(length))?;
                options.entry(code).or_default().extend_from_slice(value);
                after
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{last_ack, parse_options};

    #[test]
    fn padding_is_skipped_and_split_options_are_joined() {
        let options =
            parse_options(&[0, 66, 2, b'a', b'b', 0, 66, 1, b'c', 6, 0, 255, 66, 1, b'd']).unwrap();
        assert_eq!(options[&66], b"abc");
        assert_eq!(options[&6], b"");
        assert_eq!(options.len(), 2);
    }

    #[test]
    fn options_without_an_end_are_not_taken() {
        assert_eq!(parse_options(&[66, 5, b'a']), None);
        assert_eq!(parse_options(&[66, 1, b'a']), None);
    }

    #[test]
    fn the_last_acknowledgement_to_the_phone_counts() {
        let mac = [0x9c, 0x75, 0x14, 0, 1, 1];
        let message = |kind: u8, last: u8, name: u8| {
            let mut bytes = vec![0; 14 + 28 + 236];
            bytes[42] = 2;
            bytes[42 + 28..42 + 34].copy_from_slice(&[0x9c, 0x75, 0x14, 0, 1, last]);
            bytes.extend([99, 130, 83, 99, 53, 1, kind, 66, 1, name, 255]);
            bytes
        };
        let capture = [
            message(5, 1, b'a'),
            message(5, 1, b'b'),
            message(2, 1, b'c'),
            message(5, 2, b'd'),
        ]
        .concat();
        assert_eq!(last_ack(&capture, mac).unwrap()[&66], b"b");
        assert_eq!(last_ack(&capture[..280], mac), None);
    }
}
