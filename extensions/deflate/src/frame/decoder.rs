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
        // Of a frame without octets, which no compressor makes, it does not hear: the tail alone would
        // leave it in the middle of a block.
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
        let result = self.inflate(payload, out);
        if result.is_err() {
            self.context.forget();
        }
        result.map(|()| Decoded::Replaced)
    }
}
