//! The extension as configured.

use core::fmt;
use std::sync::Arc;

use crate::codec::{Compressor, Decompressor};
use crate::dictionary::Dictionary;
use crate::pool::Pool;
use crate::window_bits::WindowBits;

/// The extension `x-zstd-dictionary`: each message a zstd frame, with a dictionary that both ends
/// have.
///
/// On a client it stands in front of what it falls back to; a server takes what the client likes
/// best. One value serves all connections, which share its contexts.
pub struct ZstdDictionary {
    pub(crate) known: Vec<Arc<Known>>,
    pub(crate) level: i32,
    pub(crate) threshold: usize,
    pub(crate) max_window_bits: WindowBits,
}

/// A dictionary with the contexts that have digested it.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) dictionary: Dictionary,
    pub(crate) compressors: Pool<Compressor>,
    pub(crate) decompressors: Pool<Decompressor>,
}

impl ZstdDictionary {
    /// With these dictionaries, the preferred one first. A client offers the first 8 of them; a
    /// server knows all.
    #[must_use]
    pub fn new(dictionaries: impl IntoIterator<Item = Dictionary>) -> Self {
        let known = dictionaries.into_iter().map(|dictionary| {
            Arc::new(Known {
                dictionary,
                compressors: Pool::new(),
                decompressors: Pool::new(),
            })
        });
        Self {
            known: known.collect(),
            level: 1,
            threshold: 32,
            max_window_bits: WindowBits::DEFAULT,
        }
    }

    /// How hard to compress, 1 to 19; a number out of range is the nearest in it. Default 1.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.level = i32::from(level).clamp(1, 19);
        self
    }

    /// Whole messages of fewer octets go uncompressed. Default 32.
    #[must_use]
    pub const fn threshold(mut self, octets: usize) -> Self {
        self.threshold = octets;
        self
    }

    /// The largest window of either direction, as its binary logarithm: 10 to 23; a number out of
    /// range is the nearest in it. Default 17, 128 KiB. The smaller one of the two ends' is agreed.
    ///
    /// A decompressor in the middle of a message holds about as much, and 256 KiB.
    #[must_use]
    pub fn max_window_bits(mut self, bits: u8) -> Self {
        self.max_window_bits = WindowBits::clamped(bits.into());
        self
    }
}

impl fmt::Debug for ZstdDictionary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ZstdDictionary")
            .field("known", &self.known)
            .field("level", &self.level)
            .field("threshold", &self.threshold)
            .field("max_window_bits", &self.max_window_bits)
            .finish()
    }
}
