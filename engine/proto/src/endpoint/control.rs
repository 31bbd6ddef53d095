//! Control frames that wait to be sent (RFC 6455 §5.5): one slot for each kind.

use bytes::Bytes;

use crate::frame::{Frame, Head, OpCode};

/// Empty most of the time, and small then: whoever has a great many connections has them idle.
#[derive(Debug, Default)]
pub(super) struct Control(Option<Box<Slots>>);

/// One slot a kind, so that a peer that asks and never reads costs a few hundred octets.
///
/// §5.5.3: "If an endpoint receives a Ping frame and has not yet sent Pong frame(s) in response to
/// previous Ping frame(s), the endpoint MAY elect to send a Pong frame for only the most recently
/// processed Ping frame."
#[derive(Debug, Default)]
pub(super) struct Slots {
    pub(super) pong: Option<Bytes>,
    pub(super) ping: Option<Bytes>,
    /// Of an extension, in answer to a frame.
    pub(super) answer: Option<Frame>,
    /// Of the application.
    pub(super) extension: Option<Frame>,
}

impl Control {
    /// To be filled in.
    pub(super) fn slots(&mut self) -> &mut Slots {
        self.0.get_or_insert_default()
    }

    pub(super) fn next(&mut self) -> Option<Frame> {
        let frame = self.0.as_mut()?.next();
        if frame.is_none() {
            self.0 = None;
        }
        frame
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|slots| slots.is_empty())
    }
}

impl Slots {
    fn next(&mut self) -> Option<Frame> {
        if let Some(payload) = self.pong.take() {
            return Some(Frame::new(Head::new(OpCode::PONG), payload));
        }
        if let Some(payload) = self.ping.take() {
            return Some(Frame::new(Head::new(OpCode::PING), payload));
        }
        self.answer.take().or_else(|| self.extension.take())
    }

    const fn is_empty(&self) -> bool {
        self.pong.is_none()
            && self.ping.is_none()
            && self.answer.is_none()
            && self.extension.is_none()
    }
}
