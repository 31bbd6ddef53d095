//! How permessage-deflate is configured.

use core::fmt;

use crate::context::Contexts;
use crate::window_bits::WindowBits;

/// The permessage-deflate extension (RFC 7692), for clients and servers.
///
/// One value serves every connection and owns the pools its connections borrow from. Numbers out of
/// range are taken as the nearest in range.
///
/// ```
/// use cloverleaf_deflate::PermessageDeflate;
///
/// // Better compression for few connections: every connection keeps its windows.
/// let dedicated = PermessageDeflate::new()
///     .server_no_context_takeover(false)
///     .client_no_context_takeover(false)
///     .level(3)
///     .threshold(32);
/// # drop(dedicated);
/// ```
pub struct PermessageDeflate {
    pub(super) contexts: Contexts,
    pub(super) threshold: usize,
    pub(super) server_no_context_takeover: Option<bool>,
    pub(super) client_no_context_takeover: Option<bool>,
    pub(super) server_max_window_bits: WindowBits,
    pub(super) client_max_window_bits: WindowBits,
    pub(super) fallback: bool,
}

impl PermessageDeflate {
    /// The defaults: level 1, messages from 256 octets, pooled contexts, full windows.
    #[must_use]
    pub fn new() -> Self {
        Self {
            contexts: Contexts::new(),
            threshold: 256,
            server_no_context_takeover: None,
            client_no_context_takeover: None,
            server_max_window_bits: WindowBits::MAX,
            client_max_window_bits: WindowBits::MAX,
            fallback: false,
        }
    }

    /// How hard to compress, 1 to 9. Default 1.
    ///
    /// On JSON without takeover, level 1 takes a third of the time of level 3 and makes messages of
    /// 1 KiB to 64 KiB 2.4 to 3.3 times smaller; level 3 makes them 3.2 to 4.9 times smaller. Level
    /// 6 takes up to twice the time of level 3 for 5 % more. On a busy server time is what is short.
    #[must_use]
    pub fn level(mut self, level: u8) -> Self {
        self.contexts.set_level(level);
        self
    }

    /// How much memory a compressor spends on symbols not yet written, 1 to 9. Default 8.
    ///
    /// Each step down halves 112 KiB.
    #[must_use]
    pub fn memory_level(mut self, level: u8) -> Self {
        self.contexts.set_memory_level(level);
        self
    }

    /// Messages of fewer octets are sent as they are, unless they are sent in parts. Default 256:
    /// on its own, a smaller message hardly shrinks. With context takeover less is sensible.
    #[must_use]
    pub const fn threshold(mut self, octets: usize) -> Self {
        self.threshold = octets;
        self
    }

    /// Whether the server's compressor starts every message with an empty window.
    ///
    /// A server insists on it (`true`) or keeps its window if the client lets it (`false`); not
    /// set, it insists. A client asks for it if set to `true`; not set, it does not.
    #[must_use]
    pub const fn server_no_context_takeover(mut self, yes: bool) -> Self {
        self.server_no_context_takeover = Some(yes);
        self
    }

    /// Whether the client's compressor starts every message with an empty window.
    ///
    /// A server demands it (`true`) or leaves it to the client (`false`); not set, it demands it. A
    /// client does so and says so in its offer (`true`), or keeps its window if the server lets it
    /// (`false`); not set, it does so and says nothing, since some servers decline an offer that
    /// has the parameter.
    #[must_use]
    pub const fn client_no_context_takeover(mut self, yes: bool) -> Self {
        self.client_no_context_takeover = Some(yes);
        self
    }

    /// The largest window of the server's compressor, as a power of two, 8 to 15. Default 15.
    ///
    /// A server never uses more; a client set to less than 15 demands it.
    #[must_use]
    pub fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.server_max_window_bits = WindowBits::clamped(bits);
        self
    }

    /// The largest window of the client's compressor, as a power of two, 8 to 15. Default 15.
    ///
    /// A client never uses more; a server set to less than 15 demands it, and declines an offer
    /// that does not say the client can do so.
    #[must_use]
    pub fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.client_max_window_bits = WindowBits::clamped(bits);
        self
    }

    /// Client: behind an offer that asks for anything, make a second one that does not. Default
    /// no: then a server that cannot do what is asked declines compression.
    #[must_use]
    pub const fn fallback(mut self, yes: bool) -> Self {
        self.fallback = yes;
        self
    }

    /// How many pooled contexts to keep of each kind. Default 64.
    ///
    /// No more compressors than that are borrowed at once, either: what would need one more is sent
    /// uncompressed. A whole message borrows for the time of one call, so that it takes as many
    /// threads, or as many messages in parts half way, to get there. Inflaters are always lent; each
    /// connection has at most one, in the middle of a message.
    #[must_use]
    pub fn max_pooled(mut self, contexts: usize) -> Self {
        self.contexts.set_max_pooled(contexts);
        self
    }
}

impl Default for PermessageDeflate {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PermessageDeflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PermessageDeflate")
            .field("level", &self.contexts.level())
            .field("threshold", &self.threshold)
            .field("compressors", &self.contexts.compressors)
            .field("inflaters", &self.contexts.inflaters)
            .finish_non_exhaustive()
    }
}
