//! What a user may set.

use std::borrow::Cow;

use crate::quota::Windows;

/// Multiplexing, as configured: an extension for [`Config::extensions`]. One value serves every
/// connection, of clients and of servers.
///
/// ```
/// use cloverleaf_mux::Mux;
/// use cloverleaf_proto::extension::Extensions;
///
/// let mux = Mux::new().channels(16).memory(256 * 1024);
/// let extensions = Extensions::new().with(mux)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`Config::extensions`]: cloverleaf_proto::Config
#[derive(Clone, Debug)]
pub struct Mux {
    pub(crate) token: Cow<'static, str>,
    pub(crate) channels: u32,
    pub(crate) window: u32,
    pub(crate) memory: u64,
    pub(crate) grant_percent: u8,
    pub(crate) max_opens: u32,
    pub(crate) max_empty: u32,
    pub(crate) delta: bool,
    pub(crate) lenient: bool,
}

impl Default for Mux {
    fn default() -> Self {
        Self {
            token: Cow::Borrowed(Self::TOKEN),
            channels: 64,
            window: 64 * 1024,
            memory: 1024 * 1024,
            grant_percent: 50,
            max_opens: 100,
            max_empty: 100,
            delta: false,
            lenient: false,
        }
    }
}

impl Mux {
    /// The extension token of the draft.
    pub const TOKEN: &str = "mux";

    /// The token of pywebsocket, the one other implementation that can still be run.
    pub const TOKEN_OF_PYWEBSOCKET: &str = "mux_DO_NOT_USE";

    /// With the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The extension token. Default: `mux`.
    #[must_use]
    pub fn token(self, token: impl Into<Cow<'static, str>>) -> Self {
        Self {
            token: token.into(),
            ..self
        }
    }

    /// How many channels there may be beside the first, at once. As a server, that many slots are
    /// given; as a client, no more are used, whatever the server gives. Default: 64.
    #[must_use]
    pub fn channels(self, channels: u32) -> Self {
        Self { channels, ..self }
    }

    /// How many octets a channel may hold at most, sent by the peer and not yet consumed. It starts
    /// with its part of half of the [`memory`](Self::memory), and grows to this while others leave
    /// room. At least 128. Default: 64 KiB.
    #[must_use]
    pub fn window(self, octets: u32) -> Self {
        Self {
            window: octets,
            ..self
        }
    }

    /// How many octets all channels may hold together; it is never exceeded, unless it is less than
    /// 128 octets for each channel. Default: 1 MiB.
    #[must_use]
    pub fn memory(self, octets: u64) -> Self {
        Self {
            memory: octets,
            ..self
        }
    }

    /// When to let the peer send more: as soon as so many percent of what a channel should hold have
    /// been consumed. 0 is after every frame; what is above 100 counts as 100. Default: 50.
    #[must_use]
    pub fn grant_after(self, percent: u8) -> Self {
        Self {
            grant_percent: percent.min(100),
            ..self
        }
    }

    /// Server: how many channels may be opened in about ten seconds. Slots are not given back beyond
    /// it until the engine says that the time is over. Default: 100.
    #[must_use]
    pub fn max_opens(self, channels: u32) -> Self {
        Self {
            max_opens: channels,
            ..self
        }
    }

    /// How many empty continuations may come on a channel in about ten seconds: they cost no quota.
    /// Default: 100.
    #[must_use]
    pub fn max_empty_frames(self, frames: u32) -> Self {
        Self {
            max_empty: frames,
            ..self
        }
    }

    /// Client: writes requests as the difference to an earlier one where that is certain to be
    /// understood. Fewer octets; but nobody else has tried it much. Default: off.
    #[must_use]
    pub fn delta(self, delta: bool) -> Self {
        Self { delta, ..self }
    }

    /// Accepts what pywebsocket accepts: channel ids that are longer than they need be, and
    /// parameters in the server's answer. Default: off.
    #[must_use]
    pub fn lenient(self, lenient: bool) -> Self {
        Self { lenient, ..self }
    }

    pub(crate) fn windows(&self) -> Windows {
        Windows::new(
            self.memory,
            u64::from(self.window),
            self.channels,
            self.grant_percent,
        )
    }

    /// What a channel may hold from the start: the quota of a slot, and of channel 1.
    pub(crate) fn initial_quota(&self) -> u32 {
        // Not more than the window.
        u32::try_from(self.windows().initial).unwrap_or(self.window)
    }
}
