//! One request on its way: connect, sign, send, read, check.

use std::io;

use domain::base::iana::{Rcode, TsigRcode};
use domain::base::message::Message;
use domain::rdata::tsig::{Time48, Tsig};
use domain::tsig::{self, ClientSequence, ValidationError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::message::{self, Answer, Collected, Garbled, Request};
use super::{Address, DnsError, Key, Options, Rrset};

/// One request on its way. What is known of it stays here when time runs out.
pub(super) struct Exchange {
    pub(super) at: String,
    address: Address,
    key: Option<Key>,
    options: Options,
    stage: Stage,
    /// Bytes of answers so far.
    received: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Connecting,
    Sent,
    Answering,
}

/// A connection over which one request went.
struct Connection {
    stream: TcpStream,
    id: u16,
    sequence: Option<ClientSequence<std::sync::Arc<tsig::Key>>>,
}

impl Exchange {
    pub(super) fn new(at: String, address: Address, key: Option<Key>, options: Options) -> Self {
        Self {
            at,
            address,
            key,
            options,
            stage: Stage::Connecting,
            received: 0,
        }
    }

    /// The whole time was used up.
    pub(super) fn out_of_time(&self) -> DnsError {
        DnsError::Timeout {
            at: self.at.clone(),
            limit: self.options.timeout,
            sent: self.stage != Stage::Connecting,
        }
    }

    pub(super) async fn transfer(&mut self, request: Request) -> Result<Vec<Rrset>, DnsError> {
        let zone = request.zone.clone();
        let mut connection = self.send(request).await?;
        let mut collected = Collected::default();
        loop {
            let message = self.receive(&mut connection).await?;
            self.accepted(&message)?;
            let complete = collected
                .take(&message, &zone)
                .map_err(|problem| self.garbled(problem))?;
            if complete {
                break;
            }
        }
        // Messages in the middle may go without a signature; one after them has to vouch for all.
        if let Some(sequence) = connection.sequence {
            sequence
                .done()
                .map_err(|error| self.not_trusted(error, None))?;
        }
        Ok(collected.finish())
    }

    pub(super) async fn serial(&mut self, request: Request) -> Result<u32, DnsError> {
        let zone = request.zone.clone();
        let message = self.ask(request).await?;
        message::serial(&message, &zone)
            .map_err(|problem| self.garbled(problem))?
            .ok_or_else(|| DnsError::NoZone {
                at: self.at.clone(),
            })
    }

    pub(super) async fn answered(
        &mut self,
        request: Request,
        expected: &Rrset,
    ) -> Result<(), DnsError> {
        let zone = request.zone.clone();
        let message = self.ask(request).await?;
        let wanted = message::wanted(expected, &zone)?;
        let found = message::found(&message, &wanted).map_err(|problem| self.garbled(problem))?;
        if wanted.is(&found) {
            return Ok(());
        }
        Err(DnsError::Differs {
            at: self.at.clone(),
            found: message::shown(&found),
            expected: expected.data.join(", "),
        })
    }

    pub(super) async fn update(&mut self, request: Request) -> Result<(), DnsError> {
        self.ask(request).await.map(|_| ())
    }

    async fn ask(&mut self, request: Request) -> Result<Answer, DnsError> {
        let mut connection = self.send(request).await?;
        let message = self.receive(&mut connection).await?;
        self.accepted(&message)?;
        Ok(message)
    }

    async fn send(&mut self, mut request: Request) -> Result<Connection, DnsError> {
        let mut stream = self.connect().await?;
        let id = request.builder.header().id();
        let sequence = match &self.key {
            Some(key) => {
                let signed =
                    ClientSequence::request(key.inner.clone(), &mut request.builder, Time48::now());
                Some(signed.map_err(|_| DnsError::TooLong {
                    limit: usize::from(u16::MAX),
                })?)
            }
            None => None,
        };
        self.stage = Stage::Sent;
        let bytes = request.bytes();
        stream
            .write_all(&bytes)
            .await
            .map_err(|error| self.cut_off(&error))?;
        Ok(Connection {
            stream,
            id,
            sequence,
        })
    }

    async fn connect(&self) -> Result<TcpStream, DnsError> {
        let at = || self.at.clone();
        let connecting = async {
            let host = (self.address.host.as_str(), self.address.port);
            let addresses = tokio::net::lookup_host(host)
                .await
                .map_err(|source| DnsError::Resolve { at: at(), source })?;
            let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
            for address in addresses {
                match TcpStream::connect(address).await {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(match last.kind() {
                io::ErrorKind::ConnectionRefused => DnsError::Refused { at: at() },
                _ => DnsError::Unreachable {
                    at: at(),
                    source: last,
                },
            })
        };
        tokio::time::timeout(self.options.connect_timeout, connecting)
            .await
            .unwrap_or_else(|_| {
                Err(DnsError::ConnectTimeout {
                    at: at(),
                    limit: self.options.connect_timeout,
                })
            })
    }

    /// The next message, its signature checked. Its code is not: that is [`Self::accepted`].
    async fn receive(&mut self, connection: &mut Connection) -> Result<Answer, DnsError> {
        let mut length = [0; 2];
        self.read(connection, &mut length).await?;
        self.stage = Stage::Answering;
        let length = usize::from(u16::from_be_bytes(length));
        self.received += length;
        if self.received > self.options.max_bytes {
            return Err(DnsError::TooLarge {
                at: self.at.clone(),
                limit: self.options.max_bytes,
            });
        }
        let mut bytes = vec![0; length];
        self.read(connection, &mut bytes).await?;
        let mut message = Message::from_octets(bytes)
            .map_err(|_| self.garbled(Garbled("a message is shorter than its head")))?;
        if message.header().id() != connection.id || !message.header().qr() {
            return Err(self.garbled(Garbled("a message answers another question")));
        }
        if let Some(sequence) = &mut connection.sequence {
            let rcode = message.header().rcode();
            let clocks = clocks(&message);
            sequence
                .answer(&mut message, Time48::now())
                .map_err(|error| match (error, clocks) {
                    // BIND signs this one refusal in a way that does not verify. It is believed as those are that come
                    // without a signature: it says no more than that nothing was done.
                    (ValidationError::BadSig, Some((client, server))) => {
                        ValidationError::ServerBadTime { client, server }
                    }
                    (error, _) => error,
                })
                .map_err(|error| self.not_trusted(error, Some(rcode)))?;
        }
        Ok(message)
    }

    async fn read(&self, connection: &mut Connection, into: &mut [u8]) -> Result<(), DnsError> {
        let read = connection.stream.read_exact(into).await;
        read.map(|_| ()).map_err(|error| self.cut_off(&error))
    }

    fn cut_off(&self, error: &io::Error) -> DnsError {
        let at = self.at.clone();
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => DnsError::Closed {
                at,
                begun: self.stage == Stage::Answering,
            },
            kind => DnsError::Broken { at, kind },
        }
    }

    fn garbled(&self, Garbled(problem): Garbled) -> DnsError {
        DnsError::Garbled {
            at: self.at.clone(),
            problem,
        }
    }

    /// The signature of an answer does not hold, or says that ours does not.
    fn not_trusted(&self, error: ValidationError, rcode: Option<Rcode>) -> DnsError {
        let at = self.at.clone();
        let key = self
            .key
            .as_ref()
            .map_or_else(String::new, |key| key.name.clone());
        match error {
            ValidationError::ServerBadKey => DnsError::UnknownKey { at, key },
            ValidationError::ServerBadSig => DnsError::BadSignature { at, key },
            ValidationError::ServerBadTime { client, server } => {
                let seconds = |time: Time48| {
                    let octets = time.into_octets();
                    octets
                        .iter()
                        .fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte))
                };
                DnsError::BadTime {
                    at,
                    ahead: seconds(client) - seconds(server),
                }
            }
            ValidationError::BadTime => DnsError::AnswerTime { at },
            // A server that cannot check a signature has none to give: its refusal comes without, or with an empty one.
            ValidationError::ServerUnsigned | ValidationError::BadTrunc => match rcode {
                Some(rcode) if rcode != Rcode::NOERROR => self.refusal(rcode),
                _ => DnsError::Unsigned { at },
            },
            other => DnsError::NotTrusted {
                at,
                problem: other.to_string(),
            },
        }
    }

    fn accepted(&self, message: &Answer) -> Result<(), DnsError> {
        match message.header().rcode() {
            Rcode::NOERROR => Ok(()),
            rcode => Err(self.refusal(rcode)),
        }
    }

    fn refusal(&self, rcode: Rcode) -> DnsError {
        let at = self.at.clone();
        let key = match &self.key {
            Some(key) => format!("the key `{}`", key.name),
            None => "a request without a key".to_owned(),
        };
        match rcode {
            Rcode::NXRRSET | Rcode::YXRRSET | Rcode::NXDOMAIN | Rcode::YXDOMAIN => {
                DnsError::Moved {
                    at,
                    rcode: name(rcode),
                }
            }
            Rcode::REFUSED => DnsError::Denied { at, key },
            Rcode::NOTAUTH => DnsError::NotAuthoritative { at, key },
            Rcode::NOTZONE => DnsError::NotInZone { at },
            Rcode::NOTIMP => DnsError::NotImplemented { at },
            Rcode::SERVFAIL => DnsError::ServerFailed { at },
            rcode => DnsError::Code {
                at,
                rcode: name(rcode),
            },
        }
    }
}

/// Our time and the server's where an answer says that they differ too much (BADTIME), whoever says it.
fn clocks(message: &Answer) -> Option<(Time48, Time48)> {
    let last = message.additional().ok()?.last()?.ok()?;
    let record = last.to_record::<Tsig<_, _>>().ok()??;
    let told = record.data();
    (message.header().rcode() == Rcode::NOTAUTH && told.error() == TsigRcode::BADTIME)
        .then(|| Some((told.time_signed(), told.other_time()?)))?
}

fn name(rcode: Rcode) -> String {
    rcode.to_string()
}
