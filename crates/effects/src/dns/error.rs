use std::io;
use std::time::Duration;

use miette::Diagnostic;

/// A request to a DNS server that may not be sent, or has no answer that counts.
///
/// `at` is what was asked and of whom, such as `UPDATE acme.example at 10.20.0.53:53`.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum DnsError {
    /// The server's address.
    #[error("`{text}` is no address of a server")]
    #[diagnostic(
        code("effects::dns::address"),
        help(
            "an address, or a host's name, with a port if it is not 53: `10.20.0.53:53`, `[2001:db8::53]:53`"
        )
    )]
    Address {
        /// As given.
        text: String,
    },
    /// A TSIG key.
    #[error("the TSIG key `{name}` {problem}")]
    #[diagnostic(
        code("effects::dns::key"),
        help(
            "a key has a name, an algorithm (hmac-sha256, hmac-sha384, hmac-sha512 or hmac-sha1) and a secret in \
             base64, all as in the server's configuration; `tsig-keygen` makes one"
        )
    )]
    Key {
        /// Its name.
        name: String,
        /// A phrase such as `has an empty secret`.
        problem: &'static str,
    },
    /// Another answer than the expected one.
    #[error("{at}: the server answers {found}, expected {expected}")]
    #[diagnostic(
        code("effects::dns::differs"),
        help(
            "does it serve the zone from elsewhere, or to us from another view than to its primary?"
        )
    )]
    Differs {
        /// What was asked where.
        at: String,
        /// Data in presentation form.
        found: String,
        /// Likewise.
        expected: String,
    },
    /// Not a domain name.
    #[error("`{text}` is no domain name")]
    #[diagnostic(code("effects::dns::name"))]
    Name {
        /// As given.
        text: String,
    },
    /// A name that is not in the zone.
    #[error("`{owner}` is not in the zone `{zone}`")]
    #[diagnostic(code("effects::dns::outside"))]
    Outside {
        /// The name.
        owner: String,
        /// The zone.
        zone: String,
    },
    /// A type that is not changed by updates.
    #[error("records of type `{rtype}` are not changed here")]
    #[diagnostic(
        code("effects::dns::type"),
        help(
            "SOA and the records of DNSSEC are the server's own; types are written as `SRV` or `TYPE33`"
        )
    )]
    Type {
        /// As given.
        rtype: String,
    },
    /// Data that its type does not have.
    #[error("`{data}` is no data of a record `{owner}` {rtype}: {problem}")]
    #[diagnostic(
        code("effects::dns::data"),
        help("data is written as in a zone file, names in full with a final dot")
    )]
    Data {
        /// The record's name.
        owner: String,
        /// Its type.
        rtype: String,
        /// As given.
        data: String,
        /// Why.
        problem: String,
    },
    /// An update that does not fit into a message.
    #[error("the request is longer than the {limit} bytes of a DNS message")]
    #[diagnostic(code("effects::dns::too-long"), help("nothing was sent"))]
    TooLong {
        /// Bytes.
        limit: usize,
    },
    /// No such host.
    #[error("{at}: the host's name cannot be resolved")]
    #[diagnostic(
        code("effects::dns::resolve"),
        help(
            "write the server's address instead of its name, or check that this machine's DNS knows it"
        )
    )]
    Resolve {
        /// What and where.
        at: String,
        /// Why.
        source: io::Error,
    },
    /// Nobody listens.
    #[error("{at}: connection refused")]
    #[diagnostic(
        code("effects::dns::refused"),
        help(
            "the machine is there, but nothing listens at this TCP port: is the server running, and is the port right?"
        )
    )]
    Refused {
        /// What and where.
        at: String,
    },
    /// No way there.
    #[error("{at}: cannot connect")]
    #[diagnostic(
        code("effects::dns::unreachable"),
        help("check routes and firewalls; this goes over TCP, not UDP")
    )]
    Unreachable {
        /// What and where.
        at: String,
        /// Why.
        source: io::Error,
    },
    /// No connection in time.
    #[error("{at}: no connection within {} s", limit.as_secs_f32())]
    #[diagnostic(
        code("effects::dns::connect-timeout"),
        help(
            "the machine is off or a firewall drops what is sent to it: this goes over TCP, not UDP"
        )
    )]
    ConnectTimeout {
        /// What and where.
        at: String,
        /// The time it had.
        limit: Duration,
    },
    /// No whole answer in time.
    #[error("{at}: no whole answer within {} s", limit.as_secs_f32())]
    #[diagnostic(
        code("effects::dns::timeout"),
        help(
            "nobody knows whether an update was carried out; a query changes nothing. Look at the server's log before trying again"
        )
    )]
    Timeout {
        /// What and where.
        at: String,
        /// The time it had.
        limit: Duration,
        /// Whether the request was on its way.
        sent: bool,
    },
    /// The connection ended before the answer did.
    #[error("{at}: the server closed the connection {} its answer", if *begun { "in the middle of" } else { "before" })]
    #[diagnostic(
        code("effects::dns::closed"),
        help(
            "look at the server's log: it may have crashed. Nobody knows whether an update was carried out; a query changes nothing"
        )
    )]
    Closed {
        /// What and where.
        at: String,
        /// Whether a part of the answer had come.
        begun: bool,
    },
    /// The connection failed in a way that has no variant of its own.
    #[error("{at}: the request broke off ({kind})")]
    #[diagnostic(
        code("effects::dns::broken"),
        help("look at the server's log before trying again")
    )]
    Broken {
        /// What and where.
        at: String,
        /// How.
        kind: io::ErrorKind,
    },
    /// What came is not an answer.
    #[error("{at}: the answer cannot be understood: {problem}")]
    #[diagnostic(
        code("effects::dns::garbled"),
        help("is this a DNS server, and the one that is meant?")
    )]
    Garbled {
        /// What and where.
        at: String,
        /// Why.
        problem: &'static str,
    },
    /// More than the limit.
    #[error("{at}: the answer has more than {limit} bytes")]
    #[diagnostic(
        code("effects::dns::too-large"),
        help("zones of this size are not managed here")
    )]
    TooLarge {
        /// What and where.
        at: String,
        /// Bytes.
        limit: usize,
    },
    /// BADKEY.
    #[error(
        "{at}: the server has no TSIG key `{key}` with this algorithm, or none that may do this (BADKEY)"
    )]
    #[diagnostic(
        code("effects::dns::unknown-key"),
        help(
            "name and algorithm of the target's `tsig` must be exactly those of a key in the server's configuration"
        )
    )]
    UnknownKey {
        /// What and where.
        at: String,
        /// Its name.
        key: String,
    },
    /// BADSIG.
    #[error("{at}: the secret of the TSIG key `{key}` is not the server's (BADSIG)")]
    #[diagnostic(
        code("effects::dns::bad-signature"),
        help(
            "compare what the target's `tsig` refers to with the key in the server's configuration"
        )
    )]
    BadSignature {
        /// What and where.
        at: String,
        /// Its name.
        key: String,
    },
    /// BADTIME.
    #[error(
        "{at}: this machine's clock and the server's are {} s apart (BADTIME), this one is {}",
        ahead.unsigned_abs(),
        if *ahead > 0 { "ahead" } else { "behind" }
    )]
    #[diagnostic(
        code("effects::dns::bad-time"),
        help("set both by NTP; signatures allow for 5 minutes")
    )]
    BadTime {
        /// What and where.
        at: String,
        /// Seconds by which this machine's clock is ahead.
        ahead: i64,
    },
    /// The answer's time does not fit.
    #[error("{at}: the answer was signed at another time than now")]
    #[diagnostic(
        code("effects::dns::answer-time"),
        help(
            "the clocks of this machine and the server differ, or somebody repeats old answers; set both by NTP"
        )
    )]
    AnswerTime {
        /// What and where.
        at: String,
    },
    /// The answer should be signed and is not.
    #[error("{at}: the answer is not signed")]
    #[diagnostic(
        code("effects::dns::unsigned"),
        help(
            "the server ignores the key, or somebody else answers in its place; nothing of the answer was believed"
        )
    )]
    Unsigned {
        /// What and where.
        at: String,
    },
    /// The answer's signature does not hold.
    #[error("{at}: the signature of the answer does not hold: {problem}")]
    #[diagnostic(
        code("effects::dns::not-trusted"),
        help(
            "somebody changes the answer on its way, or the server is at fault; nothing of it was believed"
        )
    )]
    NotTrusted {
        /// What and where.
        at: String,
        /// Why.
        problem: String,
    },
    /// A prerequisite of an update does not hold.
    #[error(
        "{at}: somebody else changed the records since they were read ({rcode}); the server changed nothing"
    )]
    #[diagnostic(
        code("effects::dns::moved"),
        help("make a new plan: it shows what the zone holds now")
    )]
    Moved {
        /// What and where.
        at: String,
        /// Such as `NXRRSET`.
        rcode: String,
    },
    /// REFUSED.
    #[error("{at}: the server does not allow this to {key} (REFUSED)")]
    #[diagnostic(
        code("effects::dns::denied"),
        help(
            "allow transfers and updates of the zone to the key: BIND `allow-transfer` and `update-policy`, Knot `acl` \
             with `action: [transfer, update]`, PowerDNS `TSIG-ALLOW-AXFR` and `TSIG-ALLOW-DNSUPDATE` with `dnsupdate=yes`; \
             BIND also refuses updates of a zone that somebody has frozen (`rndc thaw ZONE`)"
        )
    )]
    Denied {
        /// What and where.
        at: String,
        /// Who asked.
        key: String,
    },
    /// NOTAUTH.
    #[error("{at}: the server does not serve this zone as its primary, or not to {key} (NOTAUTH)")]
    #[diagnostic(
        code("effects::dns::not-authoritative"),
        help(
            "`server` of the target must be the zone's primary, and the key one that it knows: name, algorithm, secret"
        )
    )]
    NotAuthoritative {
        /// What and where.
        at: String,
        /// Who asked.
        key: String,
    },
    /// NOTZONE.
    #[error("{at}: the server says that a name is not in the zone (NOTZONE)")]
    #[diagnostic(
        code("effects::dns::not-in-zone"),
        help("a part of the zone may be a zone of its own at this server")
    )]
    NotInZone {
        /// What and where.
        at: String,
    },
    /// NOTIMP.
    #[error("{at}: the server does not do this at all (NOTIMP)")]
    #[diagnostic(
        code("effects::dns::not-implemented"),
        help("PowerDNS needs `dnsupdate=yes`; other servers may not support updates")
    )]
    NotImplemented {
        /// What and where.
        at: String,
    },
    /// SERVFAIL.
    #[error("{at}: the server failed (SERVFAIL)")]
    #[diagnostic(
        code("effects::dns::server-failed"),
        help(
            "look at its log: a journal that cannot be written, a zone that is frozen or did not load"
        )
    )]
    ServerFailed {
        /// What and where.
        at: String,
    },
    /// Another code.
    #[error("{at}: the server answers {rcode}")]
    #[diagnostic(code("effects::dns::code"), help("look at the server's log"))]
    Code {
        /// What and where.
        at: String,
        /// Such as `FORMERR`.
        rcode: String,
    },
    /// No SOA in the answer.
    #[error("{at}: the server does not serve the zone")]
    #[diagnostic(
        code("effects::dns::no-zone"),
        help("is the zone in its configuration, and has it been loaded or transferred?")
    )]
    NoZone {
        /// What and where.
        at: String,
    },
}

impl DnsError {
    /// The server cannot have carried out the update: it was not sent, or refused as a whole.
    #[must_use]
    pub const fn did_nothing(&self) -> bool {
        match self {
            Self::Timeout { sent, .. } => !*sent,
            Self::Closed { .. }
            | Self::Broken { .. }
            | Self::Garbled { .. }
            | Self::TooLarge { .. }
            | Self::AnswerTime { .. }
            | Self::Unsigned { .. }
            | Self::NotTrusted { .. } => false,
            _ => true,
        }
    }
}
