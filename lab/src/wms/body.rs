//! The body of an answer, whole or cut off.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// Bytes that end early where `lost` is not 0: the length that was promised never comes.
#[derive(Debug)]
pub(super) struct Payload {
    rest: Option<Bytes>,
    lost: u64,
    flushed: bool,
}

impl Payload {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self {
            rest: Some(bytes.into()),
            lost: 0,
            flushed: false,
        }
    }

    /// The first half, and then the end of the connection.
    pub(super) fn cut(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let kept = bytes.len() / 2;
        Self {
            lost: (bytes.len() - kept) as u64,
            rest: Some(bytes.slice(..kept)),
            flushed: false,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.rest.take().filter(|bytes| !bytes.is_empty()) {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        if self.lost == 0 {
            return Poll::Ready(None);
        }
        if !self.flushed {
            // One more round, in which what there is gets written.
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("cut off on purpose"))))
    }

    fn size_hint(&self) -> SizeHint {
        let rest = self.rest.as_ref().map_or(0, |bytes| bytes.len() as u64);
        SizeHint::with_exact(rest + self.lost)
    }
}
