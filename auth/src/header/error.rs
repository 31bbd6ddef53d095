//! What is wrong with a header, and with what was to become one. Neither repeats a value.

use core::fmt;

/// Why a header of authentication is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// It breaks the grammar of RFC 9110 §11.
    Syntax,
    /// It is longer than [`MAX_LINE`](super::MAX_LINE).
    TooLong,
    /// It has more parameters than [`MAX_PARAMS`](super::MAX_PARAMS).
    TooManyParams,
    /// A parameter stands there twice (RFC 9110 §11.2).
    DuplicateParam,
    /// The header stands there twice, and may once.
    TwoHeaders,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "it breaks the grammar of RFC 9110 section 11",
            Self::TooLong => "it is longer than 16 KiB",
            Self::TooManyParams => "it has more than 32 parameters",
            Self::DuplicateParam => "a parameter stands there twice",
            Self::TwoHeaders => "the header stands there twice; send it once",
        })
    }
}

impl core::error::Error for HeaderError {}

/// Why something cannot stand in a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritable {
    what: &'static str,
}

impl Unwritable {
    pub(crate) const fn new(what: &'static str) -> Self {
        Self { what }
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has characters that cannot stand there in a header",
            self.what
        )
    }
}

impl core::error::Error for Unwritable {}
