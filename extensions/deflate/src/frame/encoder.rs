//! The sending half: which frames are compressed, and in what context.

use cloverleaf_proto::extension::{Encoded, Encoder, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use super::may_be_compressed;
use crate::context::SendingContext;

pub(super) struct FrameEncoder {
    threshold: usize,
    context: SendingContext,
}

impl FrameEncoder {
    pub(super) const fn new(threshold: usize, context: SendingContext) -> Self {
        Self { threshold, context }
    }

    fn compress(&mut self, payload: &[u8], out: &mut Output<'_>) -> Result<Encoded, Failure> {
        let Some(compressor) = self.context.begin() else {
            // Every compressor is busy. To go uncompressed is a free choice, frame by frame.
            return Ok(Encoded::Unchanged);
        };
        // Every frame loses its tail, whether or not it is the last of its message.
        compressor.last(payload, out)?;
        self.context.end();
        // Only if it helps. With takeover it is in our window and must get into theirs.
        if out.written().len() >= payload.len() && !self.context.takes_over() {
            return Ok(Encoded::Unchanged);
        }
        Ok(Encoded::Replaced(Rsv::RSV1))
    }
}

impl Encoder for FrameEncoder {
    fn encode(
        &mut self,
        head: Head,
        hints: Hints,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        let small = payload.len() < self.threshold;
        if small || !may_be_compressed(head.opcode) || !hints.may_compress() {
            return Ok(Encoded::Unchanged);
        }
        let result = self.compress(payload, out);
        if result.is_err() {
            self.context.forget();
        }
        result
    }
}
