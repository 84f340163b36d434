//! One connection's life: registering, staying registered, finding out that the server is gone, and what the server asks.

use std::time::Duration;

use bytes::Bytes;
use ezk_sip_auth::{ClientAuthenticator as _, DigestError, RequestParts, ResponseParts};
use ezk_sip_types::header::typed::{
    CSeq, CallID, Contact, Expires, FromTo, MaxForwards, MinExpires, Via,
};
use ezk_sip_types::msg::MessageLine;
use ezk_sip_types::uri::params::Param;
use ezk_sip_types::uri::{NameAddr, SipUri};
use ezk_sip_types::{Method, Name, StatusCode};
use tokio::time::{Instant, sleep_until};

use super::calls::Calls;
use super::link::{Link, LinkOrder, token};
use super::message::{Frame, Message, TransactionKey};
use super::settings::Keepalive;
use super::switch::Moment;
use super::transaction::{Answered, Answers, RequestDue, Requests};
use super::transport::{Connection, TransportError};

/// Why a session is over.
#[derive(Debug)]
pub(crate) enum End {
    /// The server is gone since that moment.
    Gone { why: String, gone: Moment },
    /// The server does not take the registration.
    Refused { status: String },
    /// The phone was told to leave.
    Left,
}

/// What a request is for. Those that may be asked to prove who they are keep themselves to be sent again.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// To register. How often it was challenged already.
    Register {
        request: Box<Message>,
        challenges: u8,
    },
    /// To take the registration back.
    Leave {
        request: Box<Message>,
        challenges: u8,
    },
    /// To find out whether the server is there.
    Keepalive,
    /// To call.
    Invite {
        request: Box<Message>,
        challenges: u8,
    },
    /// To end a call, whose answer changes nothing.
    Bye,
}

/// How often one request may be challenged: once for the first nonce, once for one that was too old.
pub(crate) const CHALLENGES: u8 = 2;

/// The one line in which a phone says what it is.
const USER_AGENT: &str = "switchover-lab";

pub(crate) struct Session<'a> {
    pub(crate) link: &'a mut Link,
    pub(crate) connection: Connection,
    pub(crate) requests: Requests<Purpose>,
    pub(crate) answers: Answers,
    pub(crate) calls: Calls,
    /// When the server last was heard.
    heard: Instant,
    refresh: Option<Instant>,
    keepalive: Option<Instant>,
    /// When the line ends that wait for an answer were sent, and when the server is given up without one.
    unanswered: Option<(Instant, Instant)>,
    leaving: bool,
}

impl<'a> Session<'a> {
    pub(crate) fn new(link: &'a mut Link, connection: Connection) -> Self {
        let timers = link.pace.timers;
        Self {
            requests: Requests::new(timers, connection.is_reliable()),
            answers: Answers::new(timers),
            calls: Calls::default(),
            heard: Instant::now(),
            refresh: None,
            keepalive: None,
            unanswered: None,
            leaving: false,
            link,
            connection,
        }
    }

    pub(crate) async fn run(mut self) -> End {
        let end = match self.serve().await {
            Err(end) => end,
            Ok(never) => match never {},
        };
        self.calls_end_with_the_session();
        end
    }

    async fn serve(&mut self) -> Result<std::convert::Infallible, End> {
        self.register(self.link.identity.expires, 0).await?;
        loop {
            let deadline = self.deadline();
            let timer = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                frame = self.connection.receive() => {
                    let frame = frame.map_err(|error| self.broken(&error))?;
                    self.take(frame).await?;
                }
                order = self.link.orders.recv() => self.obey(order).await?,
                () = timer => self.timers().await?,
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        [
            self.requests.deadline(),
            self.calls.deadline(),
            self.refresh,
            self.keepalive,
            self.unanswered.map(|(_, until)| until),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// What a connection that broke says of the server: on a stream it went just now; a datagram that was refused says only
    /// that it is not there.
    fn broken(&self, error: &TransportError) -> End {
        let now = Instant::now();
        let earliest = if self.connection.is_reliable() && !matches!(error, TransportError::Silent)
        {
            now
        } else {
            self.heard
        };
        End::Gone {
            why: error.to_string(),
            gone: Moment {
                earliest,
                latest: now,
            },
        }
    }

    /// What a request that nobody answered says: the server went before it was sent.
    fn silent(&self, what: &str, sent: Instant) -> End {
        End::Gone {
            why: format!("no answer to {what}"),
            gone: Moment {
                earliest: self.heard,
                latest: sent.max(self.heard),
            },
        }
    }

    async fn timers(&mut self) -> Result<(), End> {
        let now = Instant::now();
        for due in self.requests.due(now) {
            match due {
                RequestDue::Resend(bytes) => self.send(&bytes).await?,
                RequestDue::TimedOut(Purpose::Leave { .. }, _) => return Err(End::Left),
                RequestDue::TimedOut(Purpose::Bye, _) => {}
                RequestDue::TimedOut(Purpose::Invite { request, .. }, _) => {
                    self.call_failed(&request, "no answer".to_owned());
                }
                RequestDue::TimedOut(Purpose::Register { .. }, sent) => {
                    return Err(self.silent("REGISTER", sent));
                }
                RequestDue::TimedOut(Purpose::Keepalive, sent) => {
                    return Err(self.silent("OPTIONS", sent));
                }
            }
        }
        self.resend_answers(now).await?;
        if let Some((sent, _)) = self.unanswered.filter(|(_, until)| now >= *until) {
            return Err(self.silent("a keepalive", sent));
        }
        if self.refresh.is_some_and(|at| now >= at) {
            self.refresh = None;
            self.register(self.link.identity.expires, 0).await?;
        }
        if self.keepalive.is_some_and(|at| now >= at) {
            self.ask_whether_it_is_there(now).await?;
        }
        Ok(())
    }

    /// Sends a keepalive, and plans the next.
    async fn ask_whether_it_is_there(&mut self, now: Instant) -> Result<(), End> {
        match self.link.pace.keepalive {
            Keepalive::None | Keepalive::Usual => self.keepalive = None,
            Keepalive::Crlf => {
                self.send(b"\r\n\r\n").await?;
                if self.connection.is_reliable() && self.unanswered.is_none() {
                    self.unanswered = Some((now, now + self.link.pace.answer));
                }
                self.keepalive = Some(self.next_keepalive(now));
            }
            Keepalive::Options => {
                let mut request = self.request(Method::OPTIONS, self.link.home());
                let own = self.link.address_of(&self.link.account.user.clone());
                let tag = token(&mut self.link.random);
                let headers = &mut request.headers;
                headers.insert_type(
                    Name::FROM,
                    &FromTo::new(NameAddr::uri(own), Some(tag.into())),
                );
                headers.insert_type(
                    Name::TO,
                    &FromTo::new(NameAddr::uri(self.link.home()), None),
                );
                headers.insert_named(&CallID::new(token(&mut self.link.random)));
                headers.insert_named(&CSeq::new(1, Method::OPTIONS));
                let patience = Some(self.link.pace.answer);
                self.start(&request, Purpose::Keepalive, patience).await?;
                self.keepalive = Some(self.next_keepalive(now));
            }
        }
        Ok(())
    }

    fn next_keepalive(&mut self, now: Instant) -> Instant {
        let (shortest, longest) = self.link.pace.pause;
        now + shortest + (longest - shortest).mul_f64(self.link.random.f64())
    }

    async fn obey(&mut self, order: Option<LinkOrder>) -> Result<(), End> {
        match order {
            Some(LinkOrder::Call(peer)) if self.link.registered => self.call(&peer).await,
            Some(LinkOrder::Call(peer)) => {
                self.link.cannot_call(peer);
                Ok(())
            }
            Some(LinkOrder::HangUp) => self.hang_up().await,
            None | Some(LinkOrder::Leave) => {
                self.hang_up().await?;
                if !self.link.registered {
                    return Err(End::Left);
                }
                self.leaving = true;
                self.refresh = None;
                self.keepalive = None;
                self.register(0, 0).await
            }
        }
    }

    /// A request with what every request has; `From`, `To`, `Call-ID` and `CSeq` are the caller's.
    pub(crate) fn request(&mut self, method: Method, uri: SipUri) -> Message {
        let mut request = Message::request(method, uri);
        let branch = format!("z9hG4bK{}", token(&mut self.link.random));
        let mut via = Via::new(self.connection.via(), self.connection.local(), branch);
        via.params.push(Param::name("rport"));
        request.headers.insert_named(&via);
        request.headers.insert_named(&MaxForwards(70));
        request.headers.insert(Name::USER_AGENT, USER_AGENT);
        request
    }

    /// Where this phone can be reached over this connection.
    pub(crate) fn contact(&self) -> Contact {
        let mut uri = SipUri::new(self.connection.local().into())
            .user(self.link.account.user.as_str().into());
        if let Some(transport) = self.connection.parameter() {
            uri.uri_params.push(Param::value("transport", transport));
        }
        Contact::new(NameAddr::uri(uri))
    }

    /// This phone as others see it.
    pub(crate) fn own_address(&self) -> NameAddr {
        let uri = self.link.address_of(&self.link.account.user);
        match &self.link.account.display_name {
            // What a quoted name may not hold is left out of it.
            Some(name) => NameAddr::new(
                name.replace(|c: char| c.is_control() || matches!(c, '"' | '\\'), ""),
                uri,
            ),
            None => NameAddr::uri(uri),
        }
    }

    async fn register(&mut self, expires: u32, challenges: u8) -> Result<(), End> {
        let mut request = self.request(Method::REGISTER, self.link.home());
        let own = self.own_address();
        let contact = self.contact();
        let identity = &mut self.link.identity;
        identity.number += 1;
        let headers = &mut request.headers;
        let tag = identity.tag.as_str().into();
        headers.insert_type(Name::FROM, &FromTo::new(own.clone(), Some(tag)));
        headers.insert_type(Name::TO, &FromTo::new(NameAddr::uri(own.uri), None));
        headers.insert_named(&CallID::new(identity.call_id.as_str()));
        headers.insert_named(&CSeq::new(identity.number, Method::REGISTER));
        headers.insert_named(&contact);
        headers.insert_named(&Expires(expires));
        identity.authenticator.authorize_request(headers);
        let kept = Box::new(request.clone());
        let (purpose, patience) = if self.leaving {
            let purpose = Purpose::Leave {
                request: kept,
                challenges,
            };
            (purpose, Some(self.link.pace.answer))
        } else {
            let purpose = Purpose::Register {
                request: kept,
                challenges,
            };
            // A server that was away is asked again soon rather than waited for.
            let patience = (!self.link.registered)
                .then_some(self.link.pace.probe.max(self.link.pace.seconds(4.0)));
            (purpose, patience)
        };
        self.start(&request, purpose, patience).await
    }

    /// Sends a request, and again until it is answered.
    pub(crate) async fn start(
        &mut self,
        request: &Message,
        purpose: Purpose,
        patience: Option<Duration>,
    ) -> Result<(), End> {
        let bytes = request.to_bytes();
        let invite = request.method() == Some(&Method::INVITE);
        self.send(&bytes).await?;
        if let Some(key) = request.transaction() {
            let now = Instant::now();
            self.requests
                .start(key, purpose, bytes, invite, now, patience);
        }
        Ok(())
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), End> {
        let patience = self.link.pace.answer;
        let sent = self.connection.send(bytes, patience).await;
        sent.map_err(|error| self.broken(&error))
    }

    async fn take(&mut self, frame: Frame) -> Result<(), End> {
        self.heard = Instant::now();
        self.unanswered = None;
        match frame {
            Frame::Ping => self.send(b"\r\n").await,
            Frame::Pong => Ok(()),
            Frame::Message(message) => match message.code() {
                Some(code) => self.take_response(*message, code).await,
                None => self.take_request(*message).await,
            },
        }
    }

    async fn take_response(&mut self, response: Message, code: u16) -> Result<(), End> {
        let Some(key) = response.transaction() else {
            return Ok(());
        };
        let now = Instant::now();
        match self.requests.answered(&key, code, now) {
            Answered::Provisional => Ok(()),
            Answered::Unknown => self.acknowledge_again(&key, &response, now).await,
            Answered::Final {
                purpose,
                unanswered,
            } => {
                if !self.link.registered {
                    self.link.away = self.link.away.max(unanswered);
                }
                self.answered(purpose, response, code).await
            }
        }
    }

    async fn answered(
        &mut self,
        purpose: Purpose,
        response: Message,
        code: u16,
    ) -> Result<(), End> {
        match purpose {
            Purpose::Keepalive | Purpose::Bye => Ok(()),
            Purpose::Leave { challenges, .. } | Purpose::Register { challenges, .. }
                if matches!(code, 401 | 407) && challenges >= CHALLENGES =>
            {
                Err(refused(&response))
            }
            Purpose::Leave {
                request,
                challenges,
            } if matches!(code, 401 | 407) => {
                self.prove(&request, &response)?;
                self.register(0, challenges + 1).await
            }
            Purpose::Leave { .. } => Err(End::Left),
            // The phone has been told to leave in between, and what it asked for before no longer counts.
            Purpose::Register { .. } if self.leaving => Ok(()),
            Purpose::Register {
                request,
                challenges,
            } if matches!(code, 401 | 407) => {
                self.prove(&request, &response)?;
                self.register(self.link.identity.expires, challenges + 1)
                    .await
            }
            Purpose::Register { challenges, .. } if code == 423 && challenges < CHALLENGES => {
                match response.headers.get_named::<MinExpires>() {
                    Ok(MinExpires(least)) if least > self.link.identity.expires => {
                        self.link.identity.expires = least;
                        self.register(least, challenges + 1).await
                    }
                    _ => Err(refused(&response)),
                }
            }
            Purpose::Register { .. } => self.registered(&response, code),
            Purpose::Invite {
                request,
                challenges,
            } => {
                self.invite_answered(*request, challenges, response, code)
                    .await
            }
        }
    }

    /// Answers a challenge in the requests that follow.
    fn prove(&mut self, request: &Message, response: &Message) -> Result<(), End> {
        let (MessageLine::Request(asked), MessageLine::Response(answer)) =
            (&request.line, &response.line)
        else {
            return Err(refused(response));
        };
        let asked = RequestParts {
            line: asked,
            headers: &request.headers,
            body: &request.body,
        };
        let answer = ResponseParts {
            line: answer,
            headers: &response.headers,
            body: &response.body,
        };
        self.link
            .identity
            .authenticator
            .handle_rejection(asked, answer)
            .map_err(|error| match error {
                // The same challenge again: the password is wrong.
                DigestError::FailedToAuthenticate(_) => refused(response),
                error => End::Refused {
                    status: format!("{}: {error}", response.status()),
                },
            })
    }

    /// Takes the registrar's last word.
    fn registered(&mut self, response: &Message, code: u16) -> Result<(), End> {
        let now = Instant::now();
        match code {
            200..=299 => {}
            // A server that has no time, or whose own server does not answer, is as good as gone.
            408 | 500..=599 => {
                return Err(End::Gone {
                    why: response.status(),
                    gone: Moment::exactly(now),
                });
            }
            _ => return Err(refused(response)),
        }
        let own = self.contact().uri.uri;
        let kept = response
            .contacts()
            .into_iter()
            .find(|contact| contact.uri.uri.compare(&own));
        let Some(kept) = kept else {
            return Err(End::Refused {
                status: format!("{} without this phone's contact", response.status()),
            });
        };
        let granted = kept
            .params
            .get_val("expires")
            .and_then(|seconds| seconds.parse().ok())
            .or_else(|| {
                response
                    .headers
                    .get_named::<Expires>()
                    .ok()
                    .map(|expires| expires.0)
            })
            .unwrap_or(self.link.identity.expires);
        self.refresh = Some(now + self.link.pace.seconds(f64::from(granted.max(1)) * 0.8));
        if self.keepalive.is_none() {
            self.keepalive = Some(self.next_keepalive(now));
        }
        self.link.is_registered(granted);
        Ok(())
    }

    async fn take_request(&mut self, request: Message) -> Result<(), End> {
        let (Some(key), Some(method)) = (request.transaction(), request.method().cloned()) else {
            return Ok(());
        };
        let now = Instant::now();
        if method == Method::ACK {
            self.acknowledged(&request);
            return Ok(());
        }
        if let Some(bytes) = self.answers.again(&key, now) {
            return self.send(&bytes).await;
        }
        match method {
            Method::INVITE => self.called(key, &request).await,
            Method::BYE => self.ended_by_the_other(key, &request).await,
            Method::OPTIONS => self.answer(key, &request, StatusCode::OK).await,
            // The phone answers at once, so there is nothing left to cancel; the caller ends the call instead.
            Method::CANCEL => {
                let code = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
                self.answer(key, &request, code).await
            }
            Method::NOTIFY | Method::INFO | Method::MESSAGE => {
                self.answer(key, &request, StatusCode::OK).await
            }
            _ => {
                self.answer(key, &request, StatusCode::METHOD_NOT_ALLOWED)
                    .await
            }
        }
    }

    /// Answers with a code alone.
    pub(crate) async fn answer(
        &mut self,
        key: TransactionKey,
        request: &Message,
        code: StatusCode,
    ) -> Result<(), End> {
        let tag = token(&mut self.link.random);
        let mut answer = Message::answer(request, code, &tag);
        answer.headers.insert(Name::ALLOW, ALLOW);
        self.give(key, answer.to_bytes()).await
    }

    /// Sends an answer, which is sent again when the request comes again.
    pub(crate) async fn give(&mut self, key: TransactionKey, bytes: Bytes) -> Result<(), End> {
        self.answers.give(key, bytes.clone(), Instant::now());
        self.send(&bytes).await
    }
}

/// What a phone understands.
pub(crate) const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, INFO, MESSAGE";

fn refused(response: &Message) -> End {
    End::Refused {
        status: response.status(),
    }
}
