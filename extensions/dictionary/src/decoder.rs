//! The receiving half.

use std::sync::Arc;

use cloverleaf_proto::extension::{Decoded, Decoder, Failure, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use crate::codec::Decompressor;
use crate::config::Known;
use crate::window_bits::WindowBits;

pub(crate) struct MessageDecoder {
    known: Arc<Known>,
    window_bits: WindowBits,
    /// Whether the message at hand is compressed.
    compressed: bool,
    /// From its first octet to its last.
    decompressor: Option<Decompressor>,
}

impl MessageDecoder {
    pub(crate) const fn new(known: Arc<Known>, window_bits: WindowBits) -> Self {
        Self {
            known,
            window_bits,
            compressed: false,
            decompressor: None,
        }
    }

    fn borrow(&self) -> Result<Decompressor, Failure> {
        let mut decompressor = match self.known.decompressors.take(|_| true) {
            Some(decompressor) => decompressor,
            None => Decompressor::new(self.known.dictionary.content())?,
        };
        decompressor.begin(self.window_bits)?;
        Ok(decompressor)
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
            self.compressed = head.rsv.contains(Rsv::RSV1);
            self.decompressor = None;
        }
        if !self.compressed {
            return Ok(Decoded::Unchanged);
        }
        // Out of its place while at work, so that it is gone if it fails.
        let mut decompressor = self.decompressor.take();
        if !payload.is_empty() {
            let mut it = match decompressor {
                Some(decompressor) => decompressor,
                None => self.borrow()?,
            };
            it.piece(payload, out)?;
            decompressor = Some(it);
        }
        if !head.fin {
            self.decompressor = decompressor;
            return Ok(Decoded::Replaced);
        }
        match decompressor {
            Some(decompressor) if decompressor.has_ended() => {
                self.known.decompressors.put(decompressor);
                Ok(Decoded::Replaced)
            }
            // Not even an empty message is an empty frame.
            _ => Err(Failure::invalid_data("the zstd frame is cut short")),
        }
    }
}
