//! How deflate-frame is configured.

use core::fmt;

use super::parameters::Demands;
use crate::context::Contexts;
use crate::window_bits::WindowBits;

/// The deflate-frame extension, under one of its two names, for clients and servers.
///
/// The forerunner of permessage-deflate, for peers that know nothing newer: WebKit of its time
/// ([`Self::webkit`]), pywebsocket, wspy. A server for all of them registers three extensions side
/// by side; at most one is agreed, and it is answered under the name it was offered with.
///
/// ```
/// use cloverleaf_deflate::{DeflateFrame, PermessageDeflate};
/// use cloverleaf_proto::extension::Extensions;
///
/// let extensions = Extensions::new()
///     .with(PermessageDeflate::new())?
///     .with(DeflateFrame::new())?
///     .with(DeflateFrame::webkit())?;
/// # drop(extensions);
/// # Ok::<(), cloverleaf_proto::error::ConfigError>(())
/// ```
///
/// One value serves every connection and owns the pools its connections borrow from. Numbers out of
/// range are taken as the nearest in range.
pub struct DeflateFrame {
    pub(super) name: &'static str,
    pub(super) threshold: usize,
    pub(super) context_takeover: bool,
    /// Of the peer.
    pub(super) demands: Demands,
    pub(super) fallback: bool,
    pub(super) ignore_unknown_parameters: bool,
    pub(super) contexts: Contexts,
}

impl DeflateFrame {
    /// As `deflate-frame`: level 1, frames from 256 octets, pooled compressors, nothing asked of
    /// the peer.
    #[must_use]
    pub fn new() -> Self {
        Self::named("deflate-frame")
    }

    /// The same as `x-webkit-deflate-frame`, which is what WebKit offers.
    #[must_use]
    pub fn webkit() -> Self {
        Self::named("x-webkit-deflate-frame")
    }

    fn named(name: &'static str) -> Self {
        Self {
            name,
            threshold: 256,
            context_takeover: false,
            demands: Demands::NONE,
            fallback: false,
            ignore_unknown_parameters: false,
            contexts: Contexts::new(),
        }
    }

    /// How hard to compress, 1 to 9. Default 1, for the reasons of
    /// [`PermessageDeflate::level`](crate::PermessageDeflate::level).
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

    /// Frames of fewer octets are sent as they are. Default 256: on its own, a smaller frame hardly
    /// shrinks. With [`Self::context_takeover`] less is sensible.
    #[must_use]
    pub const fn threshold(mut self, octets: usize) -> Self {
        self.threshold = octets;
        self
    }

    /// Whether our own compressor keeps its window from frame to frame if the peer lets it. Default
    /// no: compressors are borrowed, and an idle connection holds none.
    ///
    /// This is our own affair and is not negotiated.
    #[must_use]
    pub const fn context_takeover(mut self, yes: bool) -> Self {
        self.context_takeover = yes;
        self
    }

    /// Demands that the peer's compressor starts every frame with an empty window. Default no.
    ///
    /// Our inflater then is borrowed for each frame too. Some clients, such as Netty's, refuse an
    /// answer that demands anything, and some servers an offer that does.
    #[must_use]
    pub const fn no_context_takeover(mut self, yes: bool) -> Self {
        self.demands.no_context_takeover = yes;
        self
    }

    /// Demands that the peer's compressor uses no larger window than this power of two, 8 to 15.
    /// Default 15, which demands nothing.
    ///
    /// It saves memory at the peer alone: our inflater is always the largest, which inflates
    /// whatever a smaller window wrote.
    #[must_use]
    pub fn max_window_bits(mut self, bits: u8) -> Self {
        self.demands.window_bits = WindowBits::clamped(bits);
        self
    }

    /// Client: behind an offer that demands anything, make a second one that does not. Default no:
    /// then a server that cannot do what is demanded declines compression.
    #[must_use]
    pub const fn fallback(mut self, yes: bool) -> Self {
        self.fallback = yes;
        self
    }

    /// Server: whether an offer with parameters that nobody knows is accepted, as pywebsocket does.
    /// Default no: it is declined.
    #[must_use]
    pub const fn ignore_unknown_parameters(mut self, yes: bool) -> Self {
        self.ignore_unknown_parameters = yes;
        self
    }

    /// How many pooled contexts to keep of each kind. Default 64.
    ///
    /// No more compressors than that are borrowed at once, either: a frame that would need one more
    /// is sent uncompressed. One is borrowed for the time of one frame, so that it takes as many
    /// threads to get there.
    #[must_use]
    pub fn max_pooled(mut self, contexts: usize) -> Self {
        self.contexts.set_max_pooled(contexts);
        self
    }
}

impl Default for DeflateFrame {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for DeflateFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeflateFrame")
            .field("name", &self.name)
            .field("level", &self.contexts.level())
            .field("threshold", &self.threshold)
            .field("compressors", &self.contexts.compressors)
            .field("inflaters", &self.contexts.inflaters)
            .finish_non_exhaustive()
    }
}
