//! The sending half: which messages are compressed, and in what context.

use cloverleaf_proto::extension::{Encoded, Encoder, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use crate::context::SendingContext;

pub(super) struct MessageEncoder {
    threshold: usize,
    context: SendingContext,
    /// Whether the message at hand is being compressed.
    compressing: bool,
}

impl MessageEncoder {
    pub(super) const fn new(threshold: usize, context: SendingContext) -> Self {
        Self {
            threshold,
            context,
            compressing: false,
        }
    }

    fn compress(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        let compressor = if head.starts_message() {
            self.context.begin()
        } else {
            self.context.current()
        };
        let Some(compressor) = compressor else {
            // Every compressor is busy, or was when the message began. To go uncompressed is always
            // allowed (RFC 7692 §6).
            return Ok(Encoded::Unchanged);
        };
        if !head.fin {
            compressor.part(payload, out)?;
        } else {
            compressor.last(payload, out)?;
            self.context.end();
            // Only if it helps. With takeover it is in our window and must get into theirs.
            let grows = out.written().len() >= payload.len();
            if head.starts_message() && grows && !self.context.takes_over() {
                return Ok(Encoded::Unchanged);
            }
        }
        // RSV1 stands on the first frame of a message only (RFC 7692 §6).
        Ok(Encoded::Replaced(if head.starts_message() {
            Rsv::RSV1
        } else {
            Rsv::NONE
        }))
    }
}

impl Encoder for MessageEncoder {
    fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        if head.starts_message() {
            let small = head.fin && payload.len() < self.threshold;
            self.compressing = hints.may_compress() && !small;
        }
        if !self.compressing {
            return Ok(Encoded::Unchanged);
        }
        let result = self.compress(head, payload, out);
        if result.is_err() {
            self.context.forget();
        }
        if head.fin {
            self.compressing = false;
        }
        result
    }
}
