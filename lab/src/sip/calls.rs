//! Calls of a phone: it answers whoever calls it, and calls whom it is told to. It has one line, which is engaged while a
//! call is up. No sound flows.

use bytes::Bytes;
use ezk_sip_auth::{ClientAuthenticator as _, RequestParts, ResponseParts};
use ezk_sip_types::header::typed::{CSeq, CallID, ContentType, FromTo, Routing};
use ezk_sip_types::msg::MessageLine;
use ezk_sip_types::print::AppendCtx as _;
use ezk_sip_types::uri::{NameAddr, SipUri, SipUriUserPart};
use ezk_sip_types::{Method, Name, StatusCode};
use tokio::time::Instant;

use super::link::{LinkEvent, authenticator, token};
use super::message::{Message, TransactionKey};
use super::sdp;
use super::session::{ALLOW, CHALLENGES, End, Purpose, Session};
use super::state::SipChange;
use super::transaction::{Due, Resending};

/// The calls of one connection.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: Vec<Call>,
}

/// A dialog (RFC 3261, 12).
#[derive(Debug)]
struct Call {
    call_id: String,
    own_tag: String,
    /// Both parties as this side's requests name them, tags included.
    own: FromTo,
    other: FromTo,
    /// Where requests to the other go, and through whom.
    target: SipUri,
    routes: Vec<Routing>,
    number: u32,
    incoming: bool,
    up: bool,
    /// The answer to the other's `INVITE`, until it is acknowledged.
    unacknowledged: Option<Resending>,
    /// What acknowledged the other's answer, should that come again.
    acknowledgement: Option<Bytes>,
}

impl Call {
    fn peer(&self) -> String {
        self.other.uri.uri.default_print_ctx().to_string()
    }
}

impl Calls {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waiting = self
            .open
            .iter()
            .filter_map(|call| call.unacknowledged.as_ref());
        waiting.map(Resending::deadline).min()
    }

    fn find(&mut self, message: &Message, own_tag: &Name) -> Option<usize> {
        let (call_id, tag) = (message.call_id()?, message.tag(own_tag.clone())?);
        self.open
            .iter()
            .position(|call| call.call_id == call_id && call.own_tag == tag)
    }
}

impl Session<'_> {
    /// Answers a call.
    pub(crate) async fn called(
        &mut self,
        key: TransactionKey,
        request: &Message,
    ) -> Result<(), End> {
        if request.tag(Name::TO).is_some() {
            return self.called_again(key, request).await;
        }
        let parties = (
            request.headers.get::<FromTo>(Name::FROM),
            request.headers.get::<FromTo>(Name::TO),
            request.contacts().into_iter().next(),
        );
        let (Ok(other), Ok(mut own), Some(contact)) = parties else {
            return self.answer(key, request, StatusCode::BAD_REQUEST).await;
        };
        let for_this_phone = matches!(&request.line, MessageLine::Request(line)
            if matches!(&line.uri.user_part, SipUriUserPart::User(user) if *user == self.link.account.user.as_str()));
        if !for_this_phone {
            return self.answer(key, request, StatusCode::NOT_FOUND).await;
        }
        if !self.calls.open.is_empty() {
            return self.answer(key, request, StatusCode::BUSY_HERE).await;
        }
        let Some(description) = self.description(request) else {
            let code = StatusCode::NOT_ACCEPTABLE_HERE;
            return self.answer(key, request, code).await;
        };
        let tag = token(&mut self.link.random);
        // It does not ring: what is said at once may come in either order, and 180 behind 200 confuses callers.
        let bytes = self.accept(request, &tag, description);
        self.give(key, bytes.clone()).await?;
        own.tag = Some(tag.as_str().into());
        self.calls.open.push(Call {
            call_id: request.call_id().unwrap_or_default().to_owned(),
            own_tag: tag,
            own,
            other,
            target: contact.uri.uri,
            routes: request
                .headers
                .get::<Vec<Routing>>(Name::RECORD_ROUTE)
                .unwrap_or_default(),
            number: 0,
            incoming: true,
            up: false,
            unacknowledged: Some(Resending::new(bytes, Instant::now(), self.link.pace.timers)),
            acknowledgement: None,
        });
        Ok(())
    }

    /// Answers a change of a call that is up: the other may hold it, say.
    async fn called_again(&mut self, key: TransactionKey, request: &Message) -> Result<(), End> {
        let Some(place) = self.calls.find(request, &Name::TO) else {
            let code = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            return self.answer(key, request, code).await;
        };
        let Some(description) = self.description(request) else {
            let code = StatusCode::NOT_ACCEPTABLE_HERE;
            return self.answer(key, request, code).await;
        };
        let bytes = self.accept(request, "", description);
        self.give(key, bytes.clone()).await?;
        let resending = Resending::new(bytes, Instant::now(), self.link.pace.timers);
        self.calls.open[place].unacknowledged = Some(resending);
        Ok(())
    }

    fn description(&self, request: &Message) -> Option<String> {
        let address = self.connection.local().ip();
        if request.body.is_empty() {
            return Some(sdp::offer(address));
        }
        sdp::answer(std::str::from_utf8(&request.body).ok()?, address)
    }

    fn accept(&self, request: &Message, tag: &str, description: String) -> Bytes {
        let mut accepted = Message::answer(request, StatusCode::OK, tag);
        accepted.headers.insert_named(&self.contact());
        accepted.headers.insert(Name::ALLOW, ALLOW);
        accepted.headers.insert_named(&sdp_type());
        accepted.body = description.into();
        accepted.to_bytes()
    }

    /// The other has the answer to its call.
    pub(crate) fn acknowledged(&mut self, request: &Message) {
        let Some(place) = self.calls.find(request, &Name::TO) else {
            return;
        };
        self.calls.open[place].unacknowledged = None;
        self.confirm(place);
    }

    /// The other has our answer: the call is up.
    fn confirm(&mut self, place: usize) {
        let call = &mut self.calls.open[place];
        if !call.up {
            call.up = true;
            let (peer, incoming) = (call.peer(), call.incoming);
            self.call_is_up(peer, incoming);
        }
    }

    /// The other ends a call.
    pub(crate) async fn ended_by_the_other(
        &mut self,
        key: TransactionKey,
        request: &Message,
    ) -> Result<(), End> {
        let Some(place) = self.calls.find(request, &Name::TO) else {
            let code = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            return self.answer(key, request, code).await;
        };
        // It has our answer, though its `BYE` may have overtaken its `ACK` on the way.
        self.confirm(place);
        let call = self.calls.open.remove(place);
        self.call_is_over(&call, "ended by the other");
        self.answer(key, request, StatusCode::OK).await
    }

    /// Calls somebody at this server.
    pub(crate) async fn call(&mut self, peer: &str) -> Result<(), End> {
        let target = self.link.address_of(peer);
        let mut request = self.request(Method::INVITE, target.clone());
        let tag = token(&mut self.link.random);
        let from = FromTo::new(self.own_address(), Some(tag.into()));
        let to = FromTo::new(NameAddr::uri(target), None);
        request.headers.insert_type(Name::FROM, &from);
        request.headers.insert_type(Name::TO, &to);
        let call_id = CallID::new(token(&mut self.link.random));
        request.headers.insert_named(&call_id);
        request.headers.insert_named(&CSeq::new(1, Method::INVITE));
        request.headers.insert_named(&self.contact());
        request.headers.insert(Name::ALLOW, ALLOW);
        request.headers.insert_named(&sdp_type());
        request.body = sdp::offer(self.connection.local().ip()).into();
        self.invite(request, 0).await
    }

    async fn invite(&mut self, request: Message, challenges: u8) -> Result<(), End> {
        let purpose = Purpose::Invite {
            request: Box::new(request.clone()),
            challenges,
        };
        self.start(&request, purpose, None).await
    }

    pub(crate) async fn invite_answered(
        &mut self,
        request: Message,
        challenges: u8,
        response: Message,
        code: u16,
    ) -> Result<(), End> {
        if code < 300 {
            return self.accepted(&request, &response).await;
        }
        let (MessageLine::Request(asked), MessageLine::Response(answer)) =
            (&request.line, &response.line)
        else {
            return Ok(());
        };
        let bytes = refusal_acknowledged(asked.uri.clone(), &request, &response).to_bytes();
        if let Some(key) = request.transaction() {
            self.give(key, bytes).await?;
        }
        if !matches!(code, 401 | 407) || challenges >= CHALLENGES {
            self.call_failed(&request, response.status());
            return Ok(());
        }
        // Not the one of the registrations: an authenticator holds the answer for one kind of request.
        let mut authenticator = authenticator(&self.link.account);
        let proven = authenticator.handle_rejection(
            RequestParts {
                line: asked,
                headers: &request.headers,
                body: &request.body,
            },
            ResponseParts {
                line: answer,
                headers: &response.headers,
                body: &response.body,
            },
        );
        if proven.is_err() {
            self.call_failed(&request, response.status());
            return Ok(());
        }
        let mut again = self.request(Method::INVITE, asked.uri.clone());
        let kept = [
            Name::FROM,
            Name::TO,
            Name::CALL_ID,
            Name::CONTACT,
            Name::ALLOW,
            Name::CONTENT_TYPE,
        ];
        for name in kept {
            // Each was in the request; one that was not is not needed.
            let _ = request.headers.clone_into(&mut again.headers, name);
        }
        let number = request.number().unwrap_or(0) + 1;
        again
            .headers
            .insert_named(&CSeq::new(number, Method::INVITE));
        authenticator.authorize_request(&mut again.headers);
        again.body = request.body;
        self.invite(again, challenges + 1).await
    }

    async fn accepted(&mut self, request: &Message, response: &Message) -> Result<(), End> {
        let parties = (
            request.headers.get::<FromTo>(Name::FROM),
            response.headers.get::<FromTo>(Name::TO),
        );
        let (Ok(own), Ok(other)) = parties else {
            self.call_failed(request, "an answer without parties".to_owned());
            return Ok(());
        };
        let mut routes = response
            .headers
            .get::<Vec<Routing>>(Name::RECORD_ROUTE)
            .unwrap_or_default();
        routes.reverse();
        let target = response.contacts().into_iter().next();
        let target = target.map_or_else(|| other.uri.uri.clone(), |contact| contact.uri.uri);
        let number = request.number().unwrap_or(1);
        let mut call = Call {
            call_id: request.call_id().unwrap_or_default().to_owned(),
            own_tag: request.tag(Name::FROM).unwrap_or_default(),
            own,
            other,
            target,
            routes,
            number,
            incoming: false,
            up: true,
            unacknowledged: None,
            acknowledgement: None,
        };
        let ack = self.within(&call, Method::ACK).to_bytes();
        self.send(&ack).await?;
        call.acknowledgement = Some(ack);
        self.call_is_up(call.peer(), false);
        self.calls.open.push(call);
        Ok(())
    }

    /// Acknowledges an answer that comes again because the acknowledgement got lost.
    pub(crate) async fn acknowledge_again(
        &mut self,
        key: &TransactionKey,
        response: &Message,
        now: Instant,
    ) -> Result<(), End> {
        let is_invite = response
            .headers
            .get_named::<CSeq>()
            .is_ok_and(|cseq| cseq.method == Method::INVITE);
        if !is_invite {
            return Ok(());
        }
        let bytes = match self.calls.find(response, &Name::FROM) {
            Some(place) => self.calls.open[place].acknowledgement.clone(),
            None => self.answers.again(key, now),
        };
        match bytes {
            Some(bytes) => self.send(&bytes).await,
            None => Ok(()),
        }
    }

    /// Ends every call.
    pub(crate) async fn hang_up(&mut self) -> Result<(), End> {
        for call in std::mem::take(&mut self.calls.open) {
            self.end(call, "ended").await?;
        }
        Ok(())
    }

    async fn end(&mut self, mut call: Call, why: &str) -> Result<(), End> {
        call.number += 1;
        let bye = self.within(&call, Method::BYE);
        self.call_is_over(&call, why);
        self.start(&bye, Purpose::Bye, None).await
    }

    /// A request within a call.
    fn within(&mut self, call: &Call, method: Method) -> Message {
        let mut request = self.request(method.clone(), call.target.clone());
        let headers = &mut request.headers;
        if !call.routes.is_empty() {
            headers.insert_type(Name::ROUTE, &call.routes);
        }
        headers.insert_type(Name::FROM, &call.own);
        headers.insert_type(Name::TO, &call.other);
        headers.insert_named(&CallID::new(call.call_id.as_str()));
        headers.insert_named(&CSeq::new(call.number, method));
        request
    }

    /// Sends answers again that nobody has acknowledged, and ends the calls of those who never will.
    pub(crate) async fn resend_answers(&mut self, now: Instant) -> Result<(), End> {
        let mut resend = Vec::new();
        let mut given_up = Vec::new();
        for (place, call) in self.calls.open.iter_mut().enumerate() {
            match call.unacknowledged.as_mut().and_then(|it| it.due(now)) {
                Some(Due::Resend(bytes)) => resend.push(bytes),
                Some(Due::GiveUp) => given_up.push(place),
                None => {}
            }
        }
        for bytes in resend {
            self.send(&bytes).await?;
        }
        for place in given_up.into_iter().rev() {
            let call = self.calls.open.remove(place);
            self.end(call, "never acknowledged").await?;
        }
        Ok(())
    }

    pub(crate) fn calls_end_with_the_session(&mut self) {
        for call in std::mem::take(&mut self.calls.open) {
            self.call_is_over(&call, "the connection is gone");
        }
        let waiting: Vec<Purpose> = self.requests.take_all().collect();
        for purpose in waiting {
            if let Purpose::Invite { request, .. } = purpose {
                self.call_failed(&request, "the connection is gone".to_owned());
            }
        }
    }

    pub(crate) fn call_failed(&self, request: &Message, why: String) {
        let peer = request.headers.get::<FromTo>(Name::TO);
        let peer = peer.map_or_else(
            |_| String::new(),
            |to| to.uri.uri.default_print_ctx().to_string(),
        );
        let change = SipChange::CallFailed { peer, why };
        self.link.send(LinkEvent::Told(change));
    }

    fn call_is_up(&self, peer: String, incoming: bool) {
        let server = self.link.role;
        self.link.send(LinkEvent::Told(SipChange::CallUp {
            server,
            peer,
            incoming,
        }));
    }

    fn call_is_over(&self, call: &Call, why: &str) {
        if !call.up {
            return;
        }
        self.link.send(LinkEvent::Told(SipChange::CallOver {
            server: self.link.role,
            peer: call.peer(),
            why: why.to_owned(),
        }));
    }
}

fn sdp_type() -> ContentType {
    ContentType("application/sdp".into())
}

/// The `ACK` for an answer that is no (RFC 3261, 17.1.1.3): part of the same transaction.
fn refusal_acknowledged(uri: SipUri, request: &Message, response: &Message) -> Message {
    let mut ack = Message::request(Method::ACK, uri);
    let from_request = [
        Name::VIA,
        Name::MAX_FORWARDS,
        Name::ROUTE,
        Name::FROM,
        Name::CALL_ID,
    ];
    for name in from_request {
        // A header that the request lacks is lacking here.
        let _ = request.headers.clone_into(&mut ack.headers, name);
    }
    let _ = response.headers.clone_into(&mut ack.headers, Name::TO);
    let number = request.number().unwrap_or(1);
    ack.headers.insert_named(&CSeq::new(number, Method::ACK));
    ack
}
