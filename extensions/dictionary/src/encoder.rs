//! The sending half: which messages are compressed, and how.

use std::sync::Arc;

use cloverleaf_proto::extension::{Encoded, Encoder, Failure, Hints, Output};
use cloverleaf_proto::frame::{Head, Rsv};

use crate::codec::{Compressor, Settings};
use crate::config::Known;

pub(crate) struct MessageEncoder {
    known: Arc<Known>,
    settings: Settings,
    threshold: usize,
    /// Of a message in parts, while it is being compressed.
    compressor: Option<Compressor>,
}

impl MessageEncoder {
    pub(crate) const fn new(known: Arc<Known>, settings: Settings, threshold: usize) -> Self {
        Self {
            known,
            settings,
            threshold,
            compressor: None,
        }
    }

    fn borrow(&self) -> Result<Compressor, Failure> {
        let idle = self
            .known
            .compressors
            .take(|it| it.settings() == self.settings);
        match idle {
            Some(compressor) => Ok(compressor),
            None => Compressor::new(self.known.dictionary.content(), self.settings),
        }
    }

    fn whole(&self, payload: &[u8], out: &mut Output<'_>) -> Result<Encoded, Failure> {
        if payload.len() < self.threshold {
            return Ok(Encoded::Unchanged);
        }
        let mut compressor = self.borrow()?;
        let smaller = compressor.whole(payload, out)?;
        self.known.compressors.put(compressor);
        Ok(if smaller {
            Encoded::Replaced(Rsv::RSV1)
        } else {
            Encoded::Unchanged
        })
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
            self.compressor = None;
            if !hints.may_compress() {
                return Ok(Encoded::Unchanged);
            }
            if head.fin {
                return self.whole(payload, out);
            }
            let mut compressor = self.borrow()?;
            compressor.begin()?;
            self.compressor = Some(compressor);
        }
        // Out of its place while at work, so that it is gone if it fails.
        let Some(mut compressor) = self.compressor.take() else {
            return Ok(Encoded::Unchanged);
        };
        compressor.part(payload, head.fin, out)?;
        if head.fin {
            self.known.compressors.put(compressor);
        } else {
            self.compressor = Some(compressor);
        }
        Ok(Encoded::Replaced(if head.starts_message() {
            Rsv::RSV1
        } else {
            Rsv::NONE
        }))
    }
}
