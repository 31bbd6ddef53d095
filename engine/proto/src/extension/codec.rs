//! The two halves of an agreement, and what they write into.

use core::fmt;
use std::borrow::Cow;

use bytes::Bytes;

use super::Hints;
use crate::close::CloseCode;
use crate::frame::{Head, OpCode, Rsv};

/// The sending half of an agreement.
pub trait Encoder: Send {
    /// Sees one outgoing frame.
    ///
    /// At the message stage that is a whole data message, or one part of a message sent in parts,
    /// with FIN on the last; never a control frame. At the frame stage it is every frame, control
    /// frames included. After `Unchanged` the encoder's state must be as if the frame had never
    /// been seen.
    ///
    /// # Errors
    ///
    /// A [`Failure`] refuses the message: nothing of it leaves, and the connection ends. From the
    /// message stage, `send` reports it, and the connection closes with 1011; from the frame stage,
    /// it fails the connection.
    fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure>;
}

/// What an encoder did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the whole vocabulary of encoders")]
pub enum Encoded {
    /// The payload goes on as it is; what was written to the output is dropped.
    Unchanged,
    /// The output goes on in place of the payload, with these bits set. Bits outside the claim are
    /// dropped.
    Replaced(Rsv),
    /// The output is *extension data* (RFC 6455 §5.2): it goes in front of the payload, which stays
    /// as it is, with these bits set. Bits outside the claim are dropped. Both must fit: a control
    /// frame holds 125 octets in all.
    Prefixed(Rsv),
}

/// The receiving half of an agreement.
pub trait Decoder: Send {
    /// Sees one incoming frame, unmasked, with its claimed bits still set; the engine clears them
    /// afterwards.
    ///
    /// At the message stage a large frame may come in pieces: the first keeps opcode and bits, the
    /// others are continuations, and FIN is on the last. At the frame stage frames come whole.
    ///
    /// # Errors
    ///
    /// A [`Failure`] fails the connection with its close code.
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure>;
}

/// What a decoder did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the whole vocabulary of decoders")]
pub enum Decoded {
    /// The payload goes on as it is; what was written to the output is dropped.
    Unchanged,
    /// The output goes on in place of the payload.
    Replaced,
    /// So many octets at the front were *extension data* (RFC 6455 §5.2). What is behind them goes on
    /// as it is, uncopied; what was written to the output is dropped. More octets than the payload
    /// has fail the connection (1002): at the message stage a piece may end inside of them, and the
    /// decoder strips the rest off the next.
    Stripped(usize),
    /// The frame ends here. Only for a claimed opcode; elsewhere the same as `Unchanged`.
    Consumed,
    /// The frame ends here, and the output is sent back as a frame with this opcode, which must be
    /// claimed. Only for a claimed opcode; elsewhere the same as `Unchanged`.
    Answered(OpCode),
}

/// A bounded sink for a payload.
///
/// Writing past the limit is [`Failure::too_big`], so that `?` behind every write is all an
/// extension needs against bombs.
#[derive(Debug)]
pub struct Output<'a> {
    buffer: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
    notices: Option<&'a mut Vec<Bytes>>,
}

/// So many notices an extension may give in one call; what is beyond is dropped.
const MAX_NOTICES: usize = 16;

impl<'a> Output<'a> {
    /// A sink that appends at most `limit` octets to `buffer`.
    #[must_use]
    pub const fn new(buffer: &'a mut Vec<u8>, limit: usize) -> Self {
        let start = buffer.len();
        Self {
            buffer,
            start,
            limit,
            notices: None,
        }
    }

    /// The same, with a place for notices.
    #[must_use]
    pub fn with_notices(self, notices: &'a mut Vec<Bytes>) -> Self {
        notices.clear();
        Self {
            notices: Some(notices),
            ..self
        }
    }

    /// Tells the application something, such as a figure that was measured: it gets an
    /// [`Event::Notice`](crate::Event::Notice) with the extension's name, before the event of the
    /// frame at hand. At most 16 in one call, and 64 wait for the application; nothing is told of a
    /// call that fails.
    pub fn notify(&mut self, notice: impl Into<Bytes>) {
        if let Some(notices) = &mut self.notices
            && notices.len() < MAX_NOTICES
        {
            notices.push(notice.into());
        }
    }

    /// Appends octets.
    ///
    /// # Errors
    ///
    /// [`Failure::too_big`] if there is not room for all of them; then none is written.
    pub fn write(&mut self, octets: &[u8]) -> Result<(), Failure> {
        if octets.len() > self.room() {
            return Err(Failure::too_big());
        }
        self.buffer.extend_from_slice(octets);
        Ok(())
    }

    /// How many octets may still be written.
    #[must_use]
    pub fn room(&self) -> usize {
        self.limit - self.written().len()
    }

    /// What has been written so far.
    #[must_use]
    pub fn written(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Takes back the last `n` octets, or all if there are fewer.
    pub fn truncate_by(&mut self, n: usize) {
        let keep = self.written().len().saturating_sub(n);
        self.buffer.truncate(self.start + keep);
    }
}

/// Ends the connection, or refuses to send, with a close code.
///
/// `?` behind [`Output::write`] is the normal way to get 1009.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: CloseCode,
    reason: Cow<'static, str>,
}

impl Failure {
    /// The peer broke the extension's protocol: 1002.
    #[must_use]
    pub fn protocol(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: CloseCode::PROTOCOL_ERROR,
            reason: reason.into(),
        }
    }

    /// The data makes no sense, as a corrupt deflate stream: 1007.
    #[must_use]
    pub fn invalid_data(reason: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: CloseCode::INVALID_PAYLOAD,
            reason: reason.into(),
        }
    }

    /// The decoded message would be larger than allowed: 1009.
    #[must_use]
    pub const fn too_big() -> Self {
        Self {
            code: CloseCode::MESSAGE_TOO_BIG,
            reason: Cow::Borrowed("message too big"),
        }
    }

    /// The code our close frame carries.
    #[must_use]
    pub const fn close_code(&self) -> CloseCode {
        self.code
    }

    /// One short sentence. Our close frame carries it, cut to what fits.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl core::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_takes_its_limit_and_not_one_octet_more() {
        let mut buffer = b"before".to_vec();
        let mut out = Output::new(&mut buffer, 4);
        assert_eq!(out.write(b"abc"), Ok(()));
        assert_eq!(out.write(b"de"), Err(Failure::too_big()));
        assert_eq!((out.room(), out.written()), (1, &b"abc"[..]));
        out.truncate_by(2);
        assert_eq!(out.write(b"xyz"), Ok(()));
        out.truncate_by(100);
        assert_eq!(out.room(), 4);
        assert_eq!(buffer, b"before");
    }
}
