//! One value as written → what its field's shape asks for.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use ipnet::IpNet;
use percent_encoding::percent_decode_str;
use smol_str::ToSmolStr;
use url::Url;

use super::blanks::{is_blank, is_invisible};
use crate::choice::{self, AUTH_SCHEMES};
use crate::element::Scalar;
use crate::report::{did_you_mean, either, quoted};
use crate::schema::{Arity, Field, Shape};
use crate::syntax::{RawValue, Written};
use crate::value::{self, MacAddr};

/// Why a value was refused: what goes behind "`key` …", and what to do.
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The value as it should be written: shown with its key where it has one.
    pub(super) corrected: Option<String>,
    /// Whether a secret stands there, or may stand there: the text must not be shown.
    pub(super) secret: bool,
}

fn refuse(message: impl Into<String>) -> Refused {
    Refused {
        message: message.into(),
        help: None,
        corrected: None,
        secret: false,
    }
}

impl Refused {
    fn corrected(mut self, value: impl Into<String>) -> Self {
        self.corrected = Some(value.into());
        self
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    fn advised(mut self, shape: Shape) -> Self {
        self.help.get_or_insert_with(|| advice(shape));
        self
    }
}

/// How a value looks in a message.
fn found(value: &Written) -> String {
    match value {
        Written::Text(text) => quoted(text),
        Written::Integer(number) => format!("`{number}`"),
        Written::Float(number) => format!("`{number}`"),
        Written::Boolean(flag) => format!("`#{flag}`"),
        Written::Null => "`#null`".to_owned(),
    }
}

/// What a shape asks for, in words that follow "must be".
fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Text | Shape::Loose => "a text".to_owned(),
        Shape::Boolean => "`#true` or `#false`".to_owned(),
        Shape::Integer(least, most) => format!("a whole number from {least} to {most}"),
        Shape::Duration(_) => "a duration such as `90s`, `5m` or `1h30m`".to_owned(),
        Shape::Address => "an IPv4 or IPv6 address".to_owned(),
        Shape::Subnet => "a subnet such as `10.20.30.0/24`".to_owned(),
        Shape::Mac => {
            "a MAC address: six bytes in hexadecimal, such as `9c:75:14:00:01:01`".to_owned()
        }
        Shape::Version => "a version: digits separated by dots, such as `3.86.30011`".to_owned(),
        Shape::Date => "a date such as `2027-03-31`".to_owned(),
        Shape::Url(schemes) => format!("a URL with the scheme {}", either(schemes)),
        Shape::Root => "a folder, or `ssh://…`".to_owned(),
        Shape::Hostname => "a host name".to_owned(),
        Shape::Host => "a host name or an address".to_owned(),
        Shape::Domain => "a domain name".to_owned(),
        Shape::Email => "a mail address".to_owned(),
        Shape::Extension => "an extension: 1 to 32 digits, `*` or `#`".to_owned(),
        Shape::Secret => "the source of a secret".to_owned(),
        Shape::Choice(words) => either(words),
        Shape::Scheme => either(AUTH_SCHEMES),
        Shape::Reference(kind) => format!("the name of a {kind}"),
        Shape::OptionCode => "the number of a DHCP option from 1 to 254, or its name".to_owned(),
        Shape::Code => "the code of a finding, such as `SW205`".to_owned(),
        Shape::Language => "a language of two letters (ISO 639-1), such as `it`".to_owned(),
        Shape::Region => "a region of two letters (ISO 3166-1), such as `IT`".to_owned(),
        Shape::RecordType => "a DNS record type, such as `A` or `TXT`".to_owned(),
    }
}

/// What to write instead, where nothing better is known.
fn advice(shape: Shape) -> String {
    let advice = match shape {
        Shape::Text | Shape::Loose => "write the text in quotes",
        Shape::Boolean => "write it without quotes, or leave it out",
        Shape::Integer(..) => "write a number in that range, without quotes",
        Shape::Duration(_) => {
            "write whole numbers with `d`, `h`, `m` or `s`, the larger unit first and without blanks: `8h`, `1h30m`"
        }
        Shape::Address => {
            "write the address itself, such as `10.20.0.10` or `2001:db8::10`: names are not looked up"
        }
        Shape::Subnet => {
            "write its first address and its prefix length: `10.20.30.0/24`, `2001:db8:30::/64`"
        }
        Shape::Mac => "copy the twelve digits from the label of the device",
        Shape::Version => "copy it from where the PBX or the device shows it, digits and dots only",
        Shape::Date => "write year, month and day, with zeros: `2027-03-31`",
        Shape::Url(_) => "write it whole, such as `http://prov.acme.example/`",
        Shape::Root => {
            "name the folder relative to this file, absolute, or as `ssh://USER@HOST/FOLDER`"
        }
        Shape::Hostname | Shape::Domain => {
            "write letters, digits and hyphens between dots, such as `pbx1.acme.example`"
        }
        Shape::Host => {
            "write a name such as `pbx1.acme.example`, or an address such as `10.20.0.10`"
        }
        Shape::Email => "write it without a display name: `reception@acme.example`",
        Shape::Extension => "write the number that people dial, such as `\"101\"`",
        Shape::Secret => "name where it is to be had: `(secret)\"env:NAME\"`",
        Shape::Choice(_) | Shape::Scheme => "write one of these words",
        Shape::Reference(kind) => {
            return format!("write the name that the {kind} is declared with, in quotes");
        }
        Shape::OptionCode => {
            "write the number, such as 66, or the name, such as `tftp-server-name`"
        }
        Shape::Code => "copy the code from the report, such as `\"SW205\"`",
        Shape::Language => "write its ISO 639-1 code, such as `it` or `de`",
        Shape::Region => "write its ISO 3166-1 code, such as `IT` or `DE`",
        Shape::RecordType => "write the type as zone files do: `A`, `AAAA`, `CNAME`, `TXT`",
    };
    advice.to_owned()
}

/// Checks a value. Annotations are the caller's.
pub(super) fn parse(raw: &RawValue, field: &Field) -> Result<Scalar, Refused> {
    let text = raw.value.as_string().unwrap_or_default();
    match surrounded(text, field) {
        Some(refused) => Err(refused),
        None => check(raw, field).map_err(|refused| refused.advised(field.shape)),
    }
}

fn check(raw: &RawValue, field: &Field) -> Result<Scalar, Refused> {
    let shape = field.shape;
    let mismatch = || {
        refuse(format!(
            "must be {}, not {}",
            wanted(shape),
            found(&raw.value)
        ))
    };
    match (&raw.value, shape) {
        (Written::Null, _) => Err(refuse(format!("must be {}, not `#null`", wanted(shape)))
            .help("leave it out where there is nothing to say")),
        (Written::Boolean(flag), Shape::Boolean) => Ok(Scalar::Boolean(*flag)),
        (Written::Integer(number), Shape::Integer(least, most)) => u32::try_from(*number)
            .ok()
            .filter(|number| (least..=most).contains(number))
            .map(Scalar::Integer)
            .ok_or_else(mismatch),
        (Written::Integer(number), Shape::OptionCode) => u32::try_from(*number)
            .ok()
            .filter(|number| (1..=254).contains(number))
            .map(Scalar::Integer)
            .ok_or_else(mismatch),
        (Written::Integer(number), Shape::Loose) => Ok(Scalar::Text(number.to_smolstr())),
        (Written::Boolean(flag), Shape::Loose) => Ok(Scalar::Text(flag.to_smolstr())),

        (Written::Text(text), _) if is_empty(text, field) => Err(empty(field)),
        (Written::Text(text), Shape::Integer(..) | Shape::OptionCode)
            if let Ok(Scalar::Integer(number)) = check_plain(text, field)
                && text.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Err(refuse("is a number: write it without quotes").corrected(number.to_string()))
        }
        (Written::Text(text), Shape::Boolean) if let Some(meant) = truth(text) => {
            let refused = match text.trim_start_matches('#') {
                "true" | "false" => refuse("is `#true` or `#false`: write it without quotes"),
                _ => mismatch(),
            };
            Err(refused.corrected(meant))
        }
        (Written::Integer(0), Shape::Boolean) => Err(mismatch().corrected("#false")),
        (Written::Integer(1), Shape::Boolean) => Err(mismatch().corrected("#true")),
        (Written::Integer(number), Shape::Duration(_)) if *number >= 0 => {
            Err(mismatch().help(with_unit(&number.to_string())))
        }
        (Written::Text(text), _) => {
            parse_text(text, shape).map_err(|refused| refused.unwrap_or_else(mismatch))
        }
        (
            Written::Integer(_) | Written::Float(_),
            Shape::Integer(..) | Shape::Boolean | Shape::OptionCode,
        ) => Err(mismatch()),
        (Written::Integer(_) | Written::Float(_), _) => {
            // A number that was written as it is shown: not `0101`, nor `3.100`.
            let shown = found(&raw.value);
            let shown = shown.trim_matches('`');
            let length = (raw.span.end - raw.span.start) as usize;
            Err(mismatch().help(match shown.len() == length {
                true => format!("write it in quotes: `\"{shown}\"`"),
                false => "write it in quotes".to_owned(),
            }))
        }
        (Written::Boolean(_), _) => Err(mismatch()),
    }
}

/// Checks a text that stands for a value of any type: a cell of a table, or a string with parameters in it.
pub(super) fn parse_plain(text: &str, field: &Field) -> Result<Scalar, Refused> {
    match surrounded(text, field) {
        Some(refused) => Err(refused),
        None => check_plain(text, field).map_err(|refused| refused.advised(field.shape)),
    }
}

fn check_plain(text: &str, field: &Field) -> Result<Scalar, Refused> {
    let shape = field.shape;
    let mismatch = || refuse(format!("must be {}, not {}", wanted(shape), quoted(text)));
    let number = |least: u32, most: u32| {
        text.parse()
            .ok()
            .filter(|number| {
                text.bytes().all(|byte| byte.is_ascii_digit()) && (least..=most).contains(number)
            })
            .map(Scalar::Integer)
    };
    match shape {
        Shape::Integer(least, most) => number(least, most).ok_or_else(mismatch),
        Shape::OptionCode if number(0, u32::MAX).is_some() => number(1, 254).ok_or_else(mismatch),
        Shape::Boolean => match text {
            "true" | "#true" => Ok(Scalar::Boolean(true)),
            "false" | "#false" => Ok(Scalar::Boolean(false)),
            _ => Err(mismatch()),
        },
        _ if is_empty(text, field) => Err(empty(field)),
        _ => parse_text(text, shape).map_err(|refused| refused.unwrap_or_else(mismatch)),
    }
}

/// Whether there is no value between the quotes. The data of a record or an option may be empty.
fn is_empty(text: &str, field: &Field) -> bool {
    match field.shape {
        Shape::Loose => false,
        _ if field.key == "description" => text.is_empty(),
        _ => text.trim_matches(is_blank).is_empty(),
    }
}

fn empty(field: &Field) -> Refused {
    let what = match field.shape {
        Shape::Text => "a value".to_owned(),
        shape => wanted(shape),
    };
    refuse("must not be empty").help(match (field.key, field.arity) {
        ("reason", _) => "say why it is accepted".to_owned(),
        (key, Arity::Optional) => format!("write {what}, or leave `{key}` out"),
        _ => format!("write {what} between the quotes"),
    })
}

/// Blanks around a value, and what cannot be seen in it: nobody means them, and nobody finds them.
fn surrounded(text: &str, field: &Field) -> Option<Refused> {
    let is_plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if bytes.is_ascii() && is_plain(bytes.first()) && is_plain(bytes.last()) {
        return None;
    }
    // What somebody says in a sentence is not looked up anywhere.
    if field.key == "description" {
        return None;
    }
    let is_free = match field.shape {
        // The data of a record or an option is its writer's.
        Shape::Loose => return None,
        // It may hold a password, which is looked for first.
        Shape::Url(_) | Shape::Root if text.contains('@') => return None,
        Shape::Text | Shape::Reference(_) => true,
        _ => false,
    };
    let trimmed = text.trim_matches(is_blank);
    if trimmed.is_empty() || text.contains('\n') {
        return None;
    }
    if trimmed != text {
        let help = format!("write `\"{trimmed}\"`");
        return Some(refuse(format!("has spaces around it: {}", spaced(text))).help(help));
    }
    let hidden = text
        .chars()
        .find(|letter| is_invisible(*letter) && !is_free)?;
    let cleaned: String = text
        .chars()
        .filter(|letter| !is_invisible(*letter))
        .collect();
    let message = format!(
        "contains an invisible character (U+{:04X})",
        u32::from(hidden)
    );
    Some(refuse(message).help(format!("write `\"{cleaned}\"`")))
}

/// A text in which blanks can be seen.
fn spaced(text: &str) -> String {
    let visible = |letter: char| match letter {
        letter if is_blank(letter) => "␣".to_owned(),
        letter => letter.to_string(),
    };
    let begins = text.len() - text.trim_start_matches(is_blank).len();
    let ends = text.trim_end_matches(is_blank).len();
    let around = |part: &str| part.chars().map(visible).collect::<String>();
    let inside = quoted(&text[begins..ends]);
    format!(
        "`{}{}{}`",
        around(&text[..begins]),
        inside.trim_matches('`'),
        around(&text[ends..])
    )
}

/// `#true` or `#false` in other words.
fn truth(text: &str) -> Option<&'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "enabled" | "#true" => Some("#true"),
        "false" | "no" | "off" | "disabled" | "#false" => Some("#false"),
        _ => None,
    }
}

/// A number that lacks its unit.
fn with_unit(number: &str) -> String {
    match number.parse::<u64>() {
        Ok(number @ 1..60) => {
            format!("write its unit: `\"{number}s\"`, `\"{number}m\"` or `\"{number}h\"`")
        }
        _ => format!("write its unit: `\"{number}s\"`"),
    }
}

/// A duration in other words: `60`, `3 minutes`, `8 h`, `1.5h`.
fn meant_duration(text: &str) -> Option<String> {
    let plain: String = text.to_lowercase().split_whitespace().collect();
    let end = plain
        .find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))
        .unwrap_or(plain.len());
    let (number, unit) = plain.split_at(end);
    let (seconds, short) = match unit {
        "" if !number.contains('.') && !number.is_empty() => return Some(with_unit(number)),
        "s" | "sec" | "secs" | "second" | "seconds" => (1.0, 's'),
        "m" | "min" | "mins" | "minute" | "minutes" => (60.0, 'm'),
        "h" | "hr" | "hrs" | "hour" | "hours" => (3600.0, 'h'),
        "d" | "day" | "days" => (86_400.0, 'd'),
        "w" | "week" | "weeks" => (604_800.0, 'w'),
        _ => {
            // Blanks between the parts of what is right otherwise.
            let duration = value::parse_duration(&plain).ok()?;
            return (!duration.is_zero()).then(|| format!("did you mean `\"{plain}\"`?"));
        }
    };
    let count: f64 = number
        .parse()
        .ok()
        .filter(|count| *count > 0.0 && *count < 1e6)?;
    let meant = match (number.contains('.'), short) {
        (false, 'w') => format!("{}d", number.parse::<u64>().ok()? * 7),
        (false, unit) => format!("{number}{unit}"),
        (true, _) => {
            let minutes = (count * seconds / 60.0).round();
            let (hours, rest) = ((minutes / 60.0).floor(), minutes % 60.0);
            match (hours > 0.0, rest > 0.0) {
                (true, true) => format!("{hours}h{rest}m"),
                (true, false) => format!("{hours}h"),
                (false, true) => format!("{rest}m"),
                (false, false) => format!("{}s", (count * seconds).round()),
            }
        }
    };
    let duration = value::parse_duration(&meant).ok()?;
    (!duration.is_zero()).then(|| format!("did you mean `\"{meant}\"`?"))
}

/// None: the general words will do.
type Why = Option<Refused>;

fn parse_text(text: &str, shape: Shape) -> Result<Scalar, Why> {
    let from = |done: Option<Scalar>| done.ok_or(None);
    let as_text = |good: bool| from(good.then(|| Scalar::Text(text.into())));
    match shape {
        Shape::Text | Shape::Loose | Shape::Reference(_) => {
            if text
                .chars()
                .any(|letter| letter.is_control() && letter != '\n' && letter != '\t')
            {
                return Err(Some(refuse(format!(
                    "must not hold control characters: {}",
                    quoted(text)
                ))));
            }
            as_text(true)
        }
        Shape::Boolean | Shape::Integer(..) | Shape::Secret => Err(None),
        Shape::Duration(zero) => match value::parse_duration(text) {
            Ok(duration) if duration.is_zero() && !zero => {
                Err(Some(refuse("must be longer than nothing")))
            }
            Ok(duration) => Ok(Scalar::Duration(duration)),
            Err(_) => Err(meant_duration(text).map(|help| {
                refuse(format!("must be {}, not {}", wanted(shape), quoted(text))).help(help)
            })),
        },
        Shape::Address => parse_address(text),
        Shape::Subnet => parse_subnet(text),
        Shape::Mac => parse_mac(text),
        Shape::Version => from(text.parse().ok().map(Scalar::Version)),
        // Nothing but the plain form: the crate reads times and time zones too.
        Shape::Date if text.len() != "2027-03-31".len() => Err(None),
        Shape::Date => from(text.parse().ok().map(Scalar::Date)),
        Shape::Url(schemes) => parse_url(text, schemes),
        Shape::Root => {
            refuse_password(text)?;
            match text.strip_prefix("ssh://") {
                Some(rest) => check_ssh_root(text, rest).and_then(|()| as_text(true)),
                None => as_text(!text.contains("://") && !text.is_empty() && !text.contains('\0')),
            }
        }
        Shape::Hostname => as_text(is_host_name(text)),
        Shape::Host => as_text(text.parse::<IpAddr>().is_ok() || is_host_name(text)),
        Shape::Domain => {
            let domain = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
            from(is_host_name(&domain).then_some(Scalar::Text(domain.into())))
        }
        Shape::Email => as_text(text.split_once('@').is_some_and(|(user, domain)| {
            let plain = |letter: char| !letter.is_whitespace() && !letter.is_control();
            !user.is_empty() && user.chars().all(plain) && is_host_name(domain)
        })),
        Shape::Extension => match text.parse() {
            Ok(extension) => Ok(Scalar::Extension(extension)),
            Err(_) => Err(is_scientific(text).then(|| made_a_number(text, shape))),
        },
        Shape::Choice(words) => one_of(words, text, shape),
        Shape::Scheme => one_of(AUTH_SCHEMES, text, shape),
        Shape::OptionCode => match switchover_catalogue::dhcp_option_by_name(text) {
            Some(option) => Ok(Scalar::Integer(u32::from(option.code))),
            None => {
                let names = switchover_catalogue::dhcp_options()
                    .iter()
                    .map(|option| option.name);
                let unknown = refuse(format!(
                    "must be {}: no option is called {}",
                    wanted(shape),
                    quoted(text)
                ));
                Err(Some(Refused {
                    help: did_you_mean(text, names),
                    ..unknown
                }))
            }
        },
        Shape::Code => as_text(is_code(text)),
        Shape::Language => {
            from(two_letters(text).then(|| Scalar::Text(text.to_ascii_lowercase().into())))
        }
        Shape::Region => {
            from(two_letters(text).then(|| Scalar::Text(text.to_ascii_uppercase().into())))
        }
        Shape::RecordType => {
            let word = (1..=16).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            from(word.then(|| Scalar::Text(text.to_ascii_uppercase().into())))
        }
    }
}

fn one_of(words: &[&'static str], text: &str, shape: Shape) -> Result<Scalar, Why> {
    if words.contains(&text) {
        return Ok(Scalar::Text(text.into()));
    }
    let help = match choice::meant(text, words) {
        Some(word) => Some(format!("did you mean `{word}`?")),
        None => did_you_mean(text, words.iter().copied()).filter(|help| help.starts_with("did")),
    };
    Err(help
        .map(|help| refuse(format!("must be {}, not {}", wanted(shape), quoted(text))).help(help)))
}

/// One that a host can have. An imported topology has `0.0.0.0` where the address is still to be written.
fn parse_address(text: &str) -> Result<Scalar, Why> {
    let address: IpAddr = text.parse().map_err(|_| None)?;
    let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    let why = if address.is_multicast() {
        "a multicast address"
    } else if broadcast {
        "the broadcast address"
    } else {
        return Ok(Scalar::Address(address));
    };
    Err(Some(refuse(format!(
        "must be the address of one host, not {why} {}",
        quoted(text)
    ))))
}

/// One that a device can have: IEEE 802 sets the lowest bit of the first byte for groups.
fn parse_mac(text: &str) -> Result<Scalar, Why> {
    let mac = MacAddr::from_str(text)
        .map_err(|_| is_scientific(text).then(|| made_a_number(text, Shape::Mac)))?;
    let why = match mac.0 {
        [0, 0, 0, 0, 0, 0] => "the all-zero address",
        [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] => "the broadcast address",
        [first, ..] if first & 1 == 1 => "a multicast address",
        _ => return Ok(Scalar::Mac(mac)),
    };
    Err(Some(refuse(format!(
        "must be the hardware address of one device, not {why} {}",
        quoted(text)
    ))))
}

fn made_a_number(text: &str, shape: Shape) -> Refused {
    refuse(format!("must be {}, not {}", wanted(shape), quoted(text)))
        .help("Excel made a number of it: format the column as text, and enter it again")
}

/// `9,75E+12`, as spreadsheets show a long number.
fn is_scientific(text: &str) -> bool {
    text.replace(',', ".")
        .split_once(['E', 'e'])
        .is_some_and(|(number, power)| {
            let digits = |text: &str| {
                text.bytes().any(|byte| byte.is_ascii_digit())
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_digit() || byte == b'.')
            };
            digits(number) && power.strip_prefix('+').is_some_and(digits)
        })
}

fn parse_subnet(text: &str) -> Result<Scalar, Why> {
    let subnet = IpNet::from_str(text).map_err(|_| {
        text.parse::<IpAddr>()
            .ok()
            .map(|_| refuse(format!("must have a prefix length: {}", quoted(text))))
    })?;
    if subnet != subnet.trunc() {
        let help = format!("did you mean `{}`?", subnet.trunc());
        return Err(Some(
            refuse(format!(
                "must be the subnet itself, not an address in it: {}",
                quoted(text)
            ))
            .help(help),
        ));
    }
    Ok(Scalar::Subnet(subnet))
}

fn parse_url(text: &str, schemes: &[&str]) -> Result<Scalar, Why> {
    refuse_password(text)?;
    // The parser drops them, or encodes them; who wrote them meant neither.
    if text.contains(char::is_whitespace) {
        let plain: String = text.split_whitespace().collect();
        return Err(Some(match text.contains('@') {
            true => refuse("must hold no blanks"),
            false => refuse(format!("must hold no blanks: {}", quoted(text)))
                .help(format!("did you mean {}?", quoted(&plain))),
        }));
    }
    match Url::parse(text) {
        Ok(url) if schemes.contains(&url.scheme()) && url.has_host() => {
            Ok(Scalar::Url(Box::new(url)))
        }
        // What looks like a sign-on may hold a password that the parser could not find.
        _ if text.contains('@') => Err(Some(Refused {
            secret: true,
            ..refuse(
                format!("must be {}", wanted(Shape::Url(&[]))).replace(" with the scheme ", ""),
            )
        })),
        _ => Err(None),
    }
}

/// A password in a URL is a secret in clear text.
fn refuse_password(text: &str) -> Result<(), Why> {
    let after_scheme = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = after_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => Err(Some(Refused {
            secret: true,
            ..refuse("holds a password in clear text")
                .help("put it in `auth \"basic\" user=… password=(secret)\"env:NAME\"`")
        })),
        _ => Ok(()),
    }
}

/// `ssh://USER@HOST:PORT/FOLDER`: what could be taken for an option or lead elsewhere is refused here, where it stands.
fn check_ssh_root(text: &str, rest: &str) -> Result<(), Why> {
    let url = Url::parse(text).map_err(|_| None)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Some(
            refuse("holds a `?` or `#`")
                .help("write them as `%3F` and `%23` where a folder is called so"),
        ));
    }
    let decoded = |part: &str| {
        percent_decode_str(part)
            .decode_utf8()
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| None)
    };
    let host = decoded(url.host_str().ok_or(None)?)?;
    let user = decoded(url.username())?;
    let odd = |name: &str| {
        name.starts_with('-')
            || name.contains(|letter: char| {
                letter.is_control()
                    || letter.is_whitespace()
                    || "/\\'\"`$;&|<>(){}*?!".contains(letter)
            })
    };
    if odd(host.trim_matches(['[', ']'])) || host.is_empty() || odd(&user) {
        return Err(Some(
            refuse("names a user or host that `ssh` would take for something else").help(
                "letters, digits, dots, hyphens and underscores, not beginning with a hyphen",
            ),
        ));
    }
    // The crate resolves `..` away before it could be seen.
    let folder = rest.split_once('/').map_or("", |(_, folder)| folder);
    let folder = decoded(folder.trim_end_matches('/'))?;
    if folder.is_empty() {
        return Err(Some(refuse("names no folder").help(
            "write it behind the host: `ssh://prov.acme.example/srv/provisioning`",
        )));
    }
    if folder.chars().any(char::is_control)
        || folder
            .split('/')
            .any(|part| matches!(part, "" | "." | ".."))
    {
        return Err(Some(
            refuse("holds a `.` or `..` part, an empty part, or a control character")
                .help("write the folder as it is, from the root of the host's file system"),
        ));
    }
    Ok(())
}

/// RFC 1123, and underscores as SRV owners have them; nothing that could be taken for an address.
pub(crate) fn is_host_name(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.split('.').all(label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_code(text: &str) -> bool {
    let digits = text.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
    let letters = text.len() - digits.len();
    (2..=16).contains(&letters)
        && (1..=6).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn two_letters(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}
