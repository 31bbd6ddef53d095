//! Every setting of a connection, with its default and the reason for it.

use std::sync::Arc;
use std::time::Duration;

use crate::extension::{Clock, Extensions, Tap};
use crate::frame::MaskSource;

/// How an endpoint behaves. One value, behind an `Arc`, serves every connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Bounds on what a peer can make us hold or do.
    pub limits: Limits,
    /// When to ping, and how long to wait for what.
    pub timing: Timing,
    /// The extensions to offer or accept. Default: none.
    pub extensions: Extensions,
    /// Look at every frame. Default: none.
    pub taps: Vec<Arc<dyn Tap>>,
    /// Measures the time that extensions take, for
    /// [`Statistics`](crate::extension::Statistics). It is asked twice for every frame and
    /// extension. Default: none, and no time is measured.
    pub clock: Option<Arc<dyn Clock>>,
    /// Server: accept unmasked frames, against RFC 6455 §5.1. Default: no. For test rigs and for
    /// byte streams that no intermediary can see.
    pub accept_unmasked: bool,
    /// Deliver the parts of a message as they come, as [`Event::Part`](crate::Event::Part), instead
    /// of whole messages. `max_message_size` still holds. Default: no.
    pub parts: bool,
    /// Where masking keys come from.
    pub mask_source: Arc<dyn MaskSource>,
}

impl Config {
    /// The defaults, with this source of masking keys.
    #[must_use]
    pub fn new(mask_source: Arc<dyn MaskSource>) -> Self {
        Self {
            limits: Limits::default(),
            timing: Timing::default(),
            extensions: Extensions::new(),
            taps: Vec::new(),
            clock: None,
            accept_unmasked: false,
            parts: false,
            mask_source,
        }
    }
}

/// Bounds on what a peer can make us hold or do.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The largest frame on the wire, in octets of payload. Default 1 MiB, as the message.
    pub max_frame_size: usize,
    /// The largest message, in octets after all decoding. Default 1 MiB, as Python's websockets.
    pub max_message_size: usize,
    /// Empty fragments in one message. Default 100: there is no honest use for them.
    pub max_empty_fragments: u32,
    /// Fragments in one message. Default 131,072: a fragment costs no memory of its own here, and
    /// honest peers have been cut off by lower numbers.
    pub max_fragments: u32,
    /// From so many octets of payload, an outgoing message is cut into fragments of this size, so
    /// that a pong does not wait behind all of it. Default 64 KiB.
    pub out_fragment: usize,
    /// From so many octets waiting to be written, senders should wait. Default 64 KiB.
    pub write_high_water: usize,
    /// From so many octets waiting to be written, `send` refuses. Default 1 MiB. One message is
    /// always taken while less than this is waiting, however large it is.
    pub max_write_buffer: usize,
    /// While we linger behind our close frame, so many octets are read and thrown away.
    /// Default 1 MiB.
    pub max_linger: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame_size: 1 << 20,
            max_message_size: 1 << 20,
            max_empty_fragments: 100,
            max_fragments: 131_072,
            out_fragment: 64 << 10,
            write_high_water: 64 << 10,
            max_write_buffer: 1 << 20,
            max_linger: 1 << 20,
        }
    }
}

/// When to ping, and how long to wait for what.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Timing {
    /// After so long without an octet from the peer, a ping is sent. `None`: never. Default 20 s,
    /// give or take a tenth: well under the 60 s after which nginx cuts a silent connection.
    pub ping_interval: Option<Duration>,
    /// After a ping, an octet, whichever, must come within this time. Default 20 s.
    pub ping_timeout: Duration,
    /// A message must be complete this long after its first fragment. Default 120 s.
    pub message_timeout: Duration,
    /// The closing handshake may take this long. Default 10 s.
    pub close_timeout: Duration,
    /// Behind a close frame that ends a failed connection, we read on and throw away for this long,
    /// so that the frame reaches a peer that is still sending instead of a reset. Default 1 s.
    pub close_linger: Duration,
    /// While octets wait to be written, at least one must be within this time. Default 30 s.
    pub write_stall_timeout: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            ping_interval: Some(Duration::from_secs(20)),
            ping_timeout: Duration::from_secs(20),
            message_timeout: Duration::from_secs(120),
            close_timeout: Duration::from_secs(10),
            close_linger: Duration::from_secs(1),
            write_stall_timeout: Duration::from_secs(30),
        }
    }
}
