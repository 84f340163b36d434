//! Session descriptions of a phone without a loudspeaker: audio is agreed on and none flows (RFC 3264).

use std::net::IpAddr;

/// The payload types this phone knows: PCMU and PCMA.
const KNOWN: [&str; 2] = ["0", "8"];

/// The port of a medium that is inactive: nothing may be sent to it (the discard port, as RFC 3264 allows).
const DISCARD: u16 = 9;

/// Offers audio.
pub(crate) fn offer(address: IpAddr) -> String {
    format!("{}{}", session(address), medium(&KNOWN.join(" ")))
}

/// Answers an offer: the first medium of plain audio that both know is taken, every other is declined. `None` when there is
/// none to take.
pub(crate) fn answer(offer: &str, address: IpAddr) -> Option<String> {
    let mut text = session(address);
    let mut taken = false;
    let offered = offer.lines().filter_map(|line| line.strip_prefix("m="));
    for line in offered {
        let mut words = line.split_whitespace();
        let (kind, _port, profile) = (words.next()?, words.next()?, words.next()?);
        let formats: Vec<&str> = words.collect();
        let known = formats.iter().find(|format| KNOWN.contains(format));
        match known {
            Some(format) if !taken && kind == "audio" && profile == "RTP/AVP" => {
                taken = true;
                text.push_str(&medium(format));
            }
            _ => text.push_str(&format!("m={kind} 0 {profile} {}\r\n", formats.join(" "))),
        }
    }
    taken.then_some(text)
}

fn session(address: IpAddr) -> String {
    let family = if address.is_ipv4() { "IP4" } else { "IP6" };
    format!("v=0\r\no=- 0 0 IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\n")
}

fn medium(formats: &str) -> String {
    format!("m=audio {DISCARD} RTP/AVP {formats}\r\na=inactive\r\n")
}

#[cfg(test)]
mod tests {
    use super::{answer, offer};

    const ADDRESS: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn an_offer_of_our_own_is_taken() {
        let text = answer(&offer(ADDRESS), ADDRESS).unwrap();
        assert!(
            text.contains("m=audio 9 RTP/AVP 0\r\na=inactive\r\n"),
            "{text}"
        );
        assert!(text.contains("c=IN IP4 127.0.0.1\r\n"), "{text}");
    }

    #[test]
    fn each_medium_offered_is_answered_in_its_place() {
        let offer = "v=0\r\nm=video 4000 RTP/AVP 96 97\r\nm=audio 4002 RTP/AVP 101 8\r\nm=audio 4004 RTP/AVP 0\r\n";
        let text = answer(offer, ADDRESS).unwrap();
        let media: Vec<&str> = text.lines().filter(|line| line.starts_with("m=")).collect();
        assert_eq!(
            media,
            [
                "m=video 0 RTP/AVP 96 97",
                "m=audio 9 RTP/AVP 8",
                "m=audio 0 RTP/AVP 0"
            ]
        );
    }

    #[test]
    fn nothing_in_common_is_no_answer() {
        assert_eq!(answer("m=audio 4000 RTP/AVP 18\r\n", ADDRESS), None);
        assert_eq!(answer("m=audio 4000 RTP/SAVP 0\r\n", ADDRESS), None);
        assert_eq!(answer("m=audio", ADDRESS), None);
        assert_eq!(answer("", ADDRESS), None);
    }
}
