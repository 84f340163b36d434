//! SIP messages: reading them from datagrams and streams, and writing them.

use std::fmt::Write as _;

use bytes::{Buf, Bytes, BytesMut};
use ezk_sip_types::header::typed::{CSeq, Contact, ContentLength, FromTo, Via};
use ezk_sip_types::msg::{Line, MessageLine, PullParser, RequestLine, StatusLine};
use ezk_sip_types::parse::Parse as _;
use ezk_sip_types::print::{AppendCtx as _, PrintCtx, UriContext};
use ezk_sip_types::uri::SipUri;
use ezk_sip_types::{Headers, Method, Name, StatusCode};
use thiserror::Error;

/// What a peer sent that is no SIP message.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum MessageError {
    /// The first line is neither a request nor a status.
    #[error("the first line is neither a request nor a status")]
    FirstLine,
    /// The head has no end.
    #[error("the head of the message has no end")]
    NoEnd,
    /// The message is not text where it has to be.
    #[error("the head of the message is not UTF-8")]
    NotText,
    /// The length of the body is missing where nothing else tells it, or is not a number.
    #[error("the length of the body is not known")]
    Length,
    /// More than any phone takes.
    #[error("the message is larger than {LARGEST} bytes")]
    TooLarge,
}

/// The size of a UDP datagram at most; streams are held to the same.
const LARGEST: usize = 65_535;

/// One request or response.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) line: MessageLine,
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// What tells a transaction from others of the same peer (RFC 3261, 17.1.3): the branch and the method. An `ACK` belongs to
/// its `INVITE`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct TransactionKey {
    branch: String,
    method: Method,
}

impl TransactionKey {
    pub(crate) fn new(branch: &str, method: &Method) -> Self {
        let method = if *method == Method::ACK {
            Method::INVITE
        } else {
            method.clone()
        };
        Self {
            branch: branch.to_owned(),
            method,
        }
    }
}

impl Message {
    /// A request with no header yet.
    pub(crate) fn request(method: Method, uri: SipUri) -> Self {
        Self {
            line: MessageLine::Request(RequestLine { method, uri }),
            headers: Headers::new(),
            body: Bytes::new(),
        }
    }

    /// The answer to a request, with the headers that every answer takes over from it.
    pub(crate) fn answer(request: &Self, code: StatusCode, to_tag: &str) -> Self {
        let mut headers = Headers::new();
        for name in [Name::VIA, Name::RECORD_ROUTE, Name::FROM] {
            for value in request.headers.get_raw(&name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        if let Ok(mut to) = request.headers.get::<FromTo>(Name::TO) {
            if to.tag.is_none() && code.into_u16() > 100 {
                to.tag = Some(to_tag.into());
            }
            headers.insert_type(Name::TO, &to);
        }
        for name in [Name::CALL_ID, Name::CSEQ] {
            for value in request.headers.get_raw(&name) {
                headers.insert(name.clone(), value.clone());
            }
        }
        Self {
            line: MessageLine::Response(StatusLine {
                code,
                reason: code.text().map(Into::into),
            }),
            headers,
            body: Bytes::new(),
        }
    }

    /// Reads one datagram. Without a `Content-Length` the body is what is left of it.
    pub(crate) fn from_datagram(datagram: &Bytes) -> Result<Self, MessageError> {
        let (mut message, head) = parse_head(datagram)?;
        let rest = datagram.len() - head;
        let length = match message.length()? {
            Some(length) if length > rest => return Err(MessageError::Length),
            Some(length) => length,
            None => rest,
        };
        message.body = datagram.slice(head..head + length);
        Ok(message)
    }

    /// As it goes over the wire, with the length of its body.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut text = String::new();
        let context = PrintCtx {
            method: self.line.request_method(),
            uri: Some(UriContext::ReqUri),
        };
        let length = self.body.len();
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "{}\r\n{}Content-Length: {length}\r\n\r\n",
            self.line.print_ctx(context),
            self.headers
        );
        let mut bytes = Vec::from(text);
        bytes.extend_from_slice(&self.body);
        bytes.into()
    }

    /// The method of a request.
    pub(crate) fn method(&self) -> Option<&Method> {
        self.line.request_method()
    }

    /// The code of a response.
    pub(crate) fn code(&self) -> Option<u16> {
        match &self.line {
            MessageLine::Response(line) => Some(line.code.into_u16()),
            MessageLine::Request(_) => None,
        }
    }

    /// The code and the words of a response, for people.
    pub(crate) fn status(&self) -> String {
        match &self.line {
            MessageLine::Response(StatusLine { code, reason }) => match reason {
                Some(reason) => format!("{} {reason}", code.into_u16()),
                None => code.into_u16().to_string(),
            },
            MessageLine::Request(_) => String::new(),
        }
    }

    /// The transaction this message belongs to.
    pub(crate) fn transaction(&self) -> Option<TransactionKey> {
        let via = self.headers.get_named::<Vec<Via>>().ok()?;
        let branch = via.first()?.params.get_val("branch")?.as_str().to_owned();
        let cseq = self.headers.get_named::<CSeq>().ok()?;
        Some(TransactionKey::new(&branch, &cseq.method))
    }

    /// The `Call-ID`.
    pub(crate) fn call_id(&self) -> Option<&str> {
        self.headers
            .get_raw(&Name::CALL_ID)
            .next()
            .map(|id| id.trim())
    }

    /// The number of the request within its dialog.
    pub(crate) fn number(&self) -> Option<u32> {
        self.headers.get_named::<CSeq>().ok().map(|cseq| cseq.cseq)
    }

    /// The tag of `From` or `To`.
    pub(crate) fn tag(&self, name: Name) -> Option<String> {
        let party = self.headers.get::<FromTo>(name).ok()?;
        party.tag.map(|tag| tag.as_str().to_owned())
    }

    /// Every contact named.
    pub(crate) fn contacts(&self) -> Vec<Contact> {
        self.headers.get_named::<Vec<Contact>>().unwrap_or_default()
    }

    fn length(&self) -> Result<Option<usize>, MessageError> {
        match self.headers.try_get_named::<ContentLength>() {
            None => Ok(None),
            Some(Ok(ContentLength(length))) if length <= LARGEST => Ok(Some(length)),
            Some(Ok(_)) => Err(MessageError::TooLarge),
            Some(Err(_)) => Err(MessageError::Length),
        }
    }
}

/// Reads the first line and the headers; gives where the body begins.
fn parse_head(bytes: &Bytes) -> Result<(Message, usize), MessageError> {
    let mut parser = PullParser::new(bytes, 0);
    let mut first = None;
    let mut headers = Headers::new();
    for line in &mut parser {
        let line = line.map_err(|_| MessageError::NoEnd)?;
        let line = std::str::from_utf8(line).map_err(|_| MessageError::NotText)?;
        if first.is_none() {
            let (_, parsed) =
                MessageLine::parse(bytes)(line).map_err(|_| MessageError::FirstLine)?;
            first = Some(parsed);
        } else if let Ok((_, Line { name, value })) = Line::parse(bytes, line) {
            // A line that is no header is passed over, as RFC 4475 asks for.
            headers.insert(name, value);
        }
    }
    let message = Message {
        line: first.ok_or(MessageError::FirstLine)?,
        headers,
        body: Bytes::new(),
    };
    Ok((message, parser.head_end()))
}

/// What arrives on a stream (RFC 5626, 4.4.1).
#[derive(Debug)]
pub(crate) enum Frame {
    /// The peer asks whether this side is there: two line ends.
    Ping,
    /// The peer answers that it is: one line end.
    Pong,
    /// A message.
    Message(Box<Message>),
}

/// Cuts a stream into messages by their `Content-Length`.
#[derive(Debug, Default)]
pub(crate) struct Framer {
    pub(crate) buffer: BytesMut,
}

impl Framer {
    /// The next whole frame, if it is there.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, MessageError> {
        if self.buffer.starts_with(b"\r\n\r\n") {
            self.buffer.advance(4);
            return Ok(Some(Frame::Ping));
        }
        if self.buffer.starts_with(b"\r\n") {
            self.buffer.advance(2);
            return Ok(Some(Frame::Pong));
        }
        let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else {
            if self.buffer.len() > LARGEST {
                return Err(MessageError::TooLarge);
            }
            return Ok(None);
        };
        let head = Bytes::copy_from_slice(&self.buffer[..end + 4]);
        let (mut message, _) = parse_head(&head)?;
        let length = message.length()?.ok_or(MessageError::Length)?;
        if self.buffer.len() < head.len() + length {
            return Ok(None);
        }
        self.buffer.advance(head.len());
        message.body = self.buffer.split_to(length).freeze();
        Ok(Some(Frame::Message(Box::new(message))))
    }
}

#[cfg(test)]
mod tests;
