//! What the application asks of extensions for one message.

/// Wishes of the application for one message. Never on the wire; the same for all its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints(u8);

impl Hints {
    const DO_NOT_COMPRESS: u8 = 1;
    /// Where the flags begin, and how many there are.
    const FLAGS: u8 = 4;

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

    /// A wish whose meaning an application and an extension of its own agree on, 0 to 3. The
    /// extensions that come with the engine do not look at them.
    ///
    /// # Panics
    ///
    /// For a number over 3; in a `const`, that does not compile.
    #[must_use]
    pub const fn flag(self, number: u8) -> Self {
        assert!(number < Self::FLAGS, "flags are numbered 0 to 3");
        Self(self.0 | 1 << (Self::FLAGS + number))
    }

    /// Whether this flag was set; never for a number over 3.
    #[must_use]
    pub const fn has_flag(self, number: u8) -> bool {
        number < Self::FLAGS && self.0 & 1 << (Self::FLAGS + number) != 0
    }

    /// Whether a compressor may touch the message.
    #[must_use]
    pub const fn may_compress(self) -> bool {
        self.0 & Self::DO_NOT_COMPRESS == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_no_other_flag_and_no_wish_about_compression() {
        for number in 0..4 {
            let hints = Hints::new().flag(number);
            let set: Vec<u8> = (0..=255).filter(|n| hints.has_flag(*n)).collect();
            assert_eq!(set, [number]);
            assert!(hints.may_compress());
            assert!(!hints.do_not_compress().may_compress());
        }
    }

    #[test]
    #[should_panic(expected = "flags are numbered 0 to 3")]
    fn there_is_no_fifth_flag() {
        let _ = Hints::new().flag(4);
    }
}
