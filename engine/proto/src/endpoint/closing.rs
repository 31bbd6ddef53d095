//! The closing handshake (RFC 6455 §7): every transition is in this file.
//!
//! ```text
//!            close()                      peer's close frame
//!   Open ──────────────► Closing ───────────────────────────────► Closed
//!    │ │                    │                                       ▲
//!    │ └── peer's close ────┼──► Replying ── our close frame sent ──┘
//!    │                      │        │
//!    └── error, EOF ────────┴────────┴──► Failing
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use crate::close::{CloseCode, CloseFrame};
use crate::error::ConnectionError;
use crate::event::Closed;
use crate::frame::{Frame, Head, OpCode};
use crate::message::Utf8Bytes;
use crate::role::Role;

/// Where an endpoint stands between open and closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the closing handshake has these states"
)]
pub enum State {
    /// Messages go both ways.
    Open,
    /// We asked to close; the peer has not answered. What it still sends is thrown away.
    Closing,
    /// The peer asked to close; our answer is not sent yet.
    Replying,
    /// An error ended the connection. What the peer still sends is thrown away.
    Failing,
    /// Both close frames have crossed.
    Closed,
}

/// Nothing, and small, as long as the endpoint is open.
#[derive(Debug, Default)]
pub(super) struct Closing(Option<Box<Begun>>);

/// What has become of a closing handshake.
#[derive(Debug, Default)]
struct Begun {
    /// The payload of our close frame, until it is sent.
    due: Option<Bytes>,
    sent: bool,
    /// The peer's close frame; inside, `None` if it was empty.
    received: Option<Option<CloseFrame>>,
    initiator: Option<Role>,
    error: Option<ConnectionError>,
}

impl Closing {
    #[inline]
    pub(super) fn state(&self) -> State {
        match &self.0 {
            Some(begun) => begun.state(),
            None => State::Open,
        }
    }

    pub(super) fn error(&self) -> Option<&ConnectionError> {
        self.0.as_ref()?.error.as_ref()
    }

    /// Whether our close frame waits to be sent.
    #[inline]
    pub(super) fn is_due(&self) -> bool {
        self.0.as_ref().is_some_and(|begun| begun.due.is_some())
    }

    /// We close. Only the first close frame counts.
    pub(super) fn start(&mut self, code: CloseCode, reason: &str, role: Role) {
        if self.0.is_none() {
            self.0 = Some(Box::new(Begun {
                due: Some(payload(code, reason)),
                initiator: Some(role),
                ..Begun::default()
            }));
        }
    }

    /// The peer's close frame came.
    pub(super) fn receive(&mut self, frame: Option<CloseFrame>, role: Role) {
        let begun = self.0.get_or_insert_default();
        begun.initiator.get_or_insert_with(|| role.peer());
        if !begun.sent && begun.due.is_none() {
            // §5.5.1: "When sending a Close frame in response, the endpoint typically echos the
            // status code it received." An empty close frame is answered with an empty one.
            begun.due = Some(match &frame {
                Some(frame) => payload(frame.code, ""),
                None => Bytes::new(),
            });
        }
        begun.received = Some(frame);
    }

    /// An error: our close frame goes out with its code, unless one went out before.
    pub(super) fn fail(&mut self, error: ConnectionError, role: Role) {
        let begun = self.0.get_or_insert_default();
        if begun.error.is_some() {
            return;
        }
        begun.due = None;
        if let Some(code) = error.close_code().filter(|_| !begun.sent) {
            begun.initiator.get_or_insert(role);
            begun.due = Some(payload(code, &reason_of(&error)));
        }
        begun.error = Some(error);
    }

    /// Our close frame, once.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let begun = self.0.as_mut()?;
        let payload = begun.due.take()?;
        begun.sent = true;
        Some(Frame::new(Head::new(OpCode::CLOSE), payload))
    }

    pub(super) fn closed(&self) -> Closed {
        match &self.0 {
            Some(begun) => begun.closed(),
            None => Begun::default().closed(),
        }
    }
}

impl Begun {
    fn state(&self) -> State {
        match (&self.error, &self.received) {
            (Some(_), _) => State::Failing,
            (None, None) => State::Closing,
            (None, Some(_)) if self.sent => State::Closed,
            (None, Some(_)) => State::Replying,
        }
    }

    fn closed(&self) -> Closed {
        let (code, reason) = match &self.received {
            Some(Some(frame)) => (frame.code, frame.reason.clone()),
            // §7.1.5: a close frame without a code counts as 1005, none at all as 1006.
            Some(None) => (CloseCode::NO_STATUS, Utf8Bytes::new()),
            None => (CloseCode::ABNORMAL, Utf8Bytes::new()),
        };
        Closed {
            code,
            reason,
            initiator: self.initiator,
            clean: self.sent && self.received.is_some() && self.error.is_none(),
            error: self.error.clone(),
        }
    }
}

fn payload(code: CloseCode, reason: &str) -> Bytes {
    let reason = CloseFrame::cut_reason(reason);
    let mut payload = BytesMut::with_capacity(2 + reason.len());
    payload.put_u16(code.number());
    payload.put_slice(reason.as_bytes());
    payload.freeze()
}

fn reason_of(error: &ConnectionError) -> String {
    match error {
        ConnectionError::Deadline(deadline) => deadline.message().to_owned(),
        ConnectionError::Extension(failure) => failure.reason().to_owned(),
        ConnectionError::Limit(limit) => limit.message().to_owned(),
        ConnectionError::Dropped(_) | ConnectionError::Lost => String::new(),
        ConnectionError::Protocol(error) => error.message().to_owned(),
    }
}
