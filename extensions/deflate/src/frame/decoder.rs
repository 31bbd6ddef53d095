//! The receiving half.

use cloverleaf_proto::extension::{Decoded, Decoder, Failure, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use super::may_be_compressed;
use crate::context::ReceivingContext;

pub(super) struct FrameDecoder {
    context: ReceivingContext,
}

impl FrameDecoder {
    pub(super) const fn new(context: ReceivingContext) -> Self {
        Self { context }
    }

    fn inflate(&mut self, payload: &[u8], out: &mut Output<'_>) -> Result<(), Failure> {
        let inflater = self.context.inflater();
        inflater.piece(payload, out)?;
        inflater.end(out)?;
        self.context.end();
        Ok(())
    }
}

impl Decoder for FrameDecoder {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if !head.rsv.contains(Rsv::RSV1) {
            return Ok(Decoded::Unchanged);
        }
        if !may_be_compressed(head.opcode) {
            return Err(Failure::protocol(
                "compressed frame that carries no message",
            ));
        }
        if payload.is_empty() {
            // No compressor writes nothing at all. It is taken as empty, and the inflater does not
            // hear of it: the bare tail would leave it in the middle of a block.
            return Ok(Decoded::Unchanged);
        }
        let result = self.inflate(payload, out);
        if result.is_err() {
            self.context.forget();
        }
        result.map(|()| Decoded::Replaced)
    }
}
