//! The receiving half.

use cloverleaf_proto::extension::{Decoded, Decoder, Failure, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use crate::context::ReceivingContext;

pub(super) struct MessageDecoder {
    context: ReceivingContext,
    /// Whether the message at hand is compressed.
    compressed: bool,
}

impl MessageDecoder {
    pub(super) const fn new(context: ReceivingContext) -> Self {
        Self {
            context,
            compressed: false,
        }
    }

    fn inflate(&mut self, fin: bool, payload: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        if !payload.is_empty() {
            self.context.inflater().piece(payload, out)?;
        }
        if fin {
            // No inflater: no octet has come, and there is nothing to end.
            if let Some(inflater) = self.context.current() {
                inflater.end(out)?;
            }
            self.context.end();
        }
        Ok(())
    }
}

impl Decoder for MessageDecoder {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if head.starts_message() {
            // Only the first frame says whether a message is compressed (RFC 7692 §6).
            self.compressed = head.rsv.contains(Rsv::RSV1);
        }
        if !self.compressed {
            return Ok(Decoded::Unchanged);
        }
        let result = self.inflate(head.fin, payload, out);
        if result.is_err() {
            self.context.forget();
        }
        result.map(|()| Decoded::Replaced)
    }
}
