//! The sending half: which messages are compressed, and in what context.

use std::sync::Arc;

use cloverleaf_proto::extension::{Encoded, Encoder, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use crate::codec::Compressor;
use crate::config::PermessageDeflate;
use crate::parameters::WindowBits;
use crate::pool::{Lease, Pool};

pub(crate) struct DeflateEncoder {
    level: u8,
    memory_level: u8,
    threshold: usize,
    window_bits: WindowBits,
    takeover: bool,
    pool: Arc<Pool<Compressor>>,
    /// With takeover, from the first message on; without, in the middle of a message only.
    context: Option<Lease<Compressor>>,
    /// Whether the message at hand is being compressed.
    compressing: bool,
}

impl DeflateEncoder {
    pub(crate) fn new(config: &PermessageDeflate, window_bits: WindowBits, takeover: bool) -> Self {
        Self {
            level: config.level,
            memory_level: config.memory_level,
            threshold: config.threshold,
            window_bits,
            takeover,
            pool: Arc::clone(&config.compressors),
            context: None,
            compressing: false,
        }
    }

    /// The context for a message that begins, if there is one to be had.
    fn begin(&mut self) -> Option<&mut Lease<Compressor>> {
        let Self {
            level,
            memory_level,
            window_bits,
            ..
        } = *self;
        let make = || Compressor::new(level, memory_level, window_bits);
        if self.takeover {
            return Some(self.context.get_or_insert_with(|| Lease::own(make())));
        }
        self.context = None;
        self.context = self.pool.take(|c| c.window_bits() == window_bits, make);
        if let Some(context) = &mut self.context {
            context.restart();
        }
        self.context.as_mut()
    }

    fn compress(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        let context = if head.starts_message() {
            self.begin()
        } else {
            self.context.as_mut()
        };
        let Some(context) = context else {
            // Every compressor is busy, or was when the message began. To go uncompressed is always
            // allowed (RFC 7692 §6).
            return Ok(Encoded::Unchanged);
        };
        if !head.fin {
            context.part(payload, out)?;
        } else {
            context.last(payload, out)?;
            if !self.takeover {
                self.context = None;
                // Only if it helps. With takeover it is in our window and must get into theirs.
                if head.starts_message() && out.written().len() >= payload.len() {
                    return Ok(Encoded::Unchanged);
                }
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

impl Encoder for DeflateEncoder {
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
            // Nobody has received what the window now holds. An empty one is always right.
            self.context = None;
        }
        if head.fin {
            self.compressing = false;
        }
        result
    }
}
