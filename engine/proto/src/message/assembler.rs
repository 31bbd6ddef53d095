//! Fragments into messages, within a budget (RFC 6455 §5.4).

use bytes::{Bytes, BytesMut};

use super::{Kind, Message, Utf8Bytes, Utf8Validator};
use crate::config::Limits;
use crate::error::{ConnectionError, LimitExceeded, ProtocolError};

/// The message that is coming in.
///
/// Fragments are joined in one buffer as they come, so that a fragment costs no memory of its own,
/// and text is checked as it comes.
#[derive(Debug, Default)]
pub(crate) struct Assembler {
    kind: Option<Kind>,
    buffer: BytesMut,
    /// Octets so far, whether in the buffer or handed on as parts.
    size: usize,
    utf8: Utf8Validator,
    fragments: u32,
    empty: u32,
}

impl Assembler {
    /// The kind of the message that is coming in, if one is.
    pub(crate) const fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// Octets so far.
    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn start(&mut self, kind: Kind) {
        self.kind = Some(kind);
    }

    /// Counts a frame of a message that has more than one.
    pub(crate) fn count(&mut self, empty: bool, limits: &Limits) -> Result<(), LimitExceeded> {
        self.fragments += 1;
        if self.fragments > limits.max_fragments {
            return Err(LimitExceeded::Fragments);
        }
        if empty {
            self.empty += 1;
            if self.empty > limits.max_empty_fragments {
                return Err(LimitExceeded::EmptyFragments);
            }
        }
        Ok(())
    }

    /// Checks the next octets and counts them; the caller keeps them.
    pub(crate) fn check(&mut self, payload: &[u8], max: usize) -> Result<(), ConnectionError> {
        self.size = self
            .size
            .checked_add(payload.len())
            .filter(|size| *size <= max)
            .ok_or(LimitExceeded::MessageSize)?;
        if self.kind == Some(Kind::Text) {
            // §8.1, and at once: also in the middle of a frame.
            self.utf8
                .feed(payload)
                .map_err(|_| ProtocolError::TextNotUtf8)?;
        }
        Ok(())
    }

    /// Checks the next octets and keeps them.
    pub(crate) fn push(&mut self, payload: &[u8], max: usize) -> Result<(), ConnectionError> {
        self.check(payload, max)?;
        self.buffer.extend_from_slice(payload);
        Ok(())
    }

    /// Where the next octets may be put directly. Call [`Self::filled`] behind it.
    pub(crate) fn target(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Checks octets that were put into the target from `start` on, after `unmask`.
    pub(crate) fn filled(
        &mut self,
        start: usize,
        max: usize,
        unmask: impl FnOnce(&mut [u8]),
    ) -> Result<(), ConnectionError> {
        let mut buffer = core::mem::take(&mut self.buffer);
        let new = &mut buffer[start..];
        unmask(new);
        let checked = self.check(new, max);
        self.buffer = buffer;
        checked
    }

    /// Ends the message. `None` if text stops inside a character, or if there is no message.
    pub(crate) fn finish(&mut self) -> Result<Message, ProtocolError> {
        let Self {
            kind, buffer, utf8, ..
        } = core::mem::take(self);
        let payload = if buffer.capacity() > 2 * buffer.len() + 64 {
            // A message that the application keeps must not pin a buffer much larger than itself.
            Bytes::copy_from_slice(&buffer)
        } else {
            buffer.freeze()
        };
        message(kind, &utf8, payload)
    }

    /// Ends a message that came in one piece and was never kept here.
    pub(crate) fn finish_with(&mut self, payload: Bytes) -> Result<Message, ProtocolError> {
        let Self { kind, utf8, .. } = core::mem::take(self);
        message(kind, &utf8, payload)
    }

    /// Ends a message whose parts were handed on.
    pub(crate) fn finish_parts(&mut self) -> Result<(), ProtocolError> {
        let Self { utf8, .. } = core::mem::take(self);
        if utf8.is_complete() {
            Ok(())
        } else {
            Err(ProtocolError::TextNotUtf8)
        }
    }
}

fn message(
    kind: Option<Kind>,
    utf8: &Utf8Validator,
    payload: Bytes,
) -> Result<Message, ProtocolError> {
    match kind {
        Some(Kind::Text) if utf8.is_complete() => {
            Ok(Message::Text(Utf8Bytes::from_checked(payload)))
        }
        Some(Kind::Text) => Err(ProtocolError::TextNotUtf8),
        Some(Kind::Binary) | None => Ok(Message::Binary(payload)),
    }
}
