//! What the application asks of extensions for one message.

/// Wishes of the application for one message. Never on the wire; the same for all its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints(u8);

impl Hints {
    const DO_NOT_COMPRESS: u8 = 1;

    /// No wishes.
    #[must_use]
    pub const fn new() -> Self {
        Self(0)
    }

    /// Keeps the message out of compressors and their windows.
    ///
    /// For secrets: compressed beside data that an attacker chooses, their length betrays them
    /// (the CRIME class of attacks). Also for what is compressed already.
    #[must_use]
    pub const fn do_not_compress(self) -> Self {
        Self(self.0 | Self::DO_NOT_COMPRESS)
    }

    /// Whether a compressor may touch the message.
    #[must_use]
    pub const fn may_compress(self) -> bool {
        self.0 & Self::DO_NOT_COMPRESS == 0
    }
}
