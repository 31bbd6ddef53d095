//! Multiplexing as the judge speaks it (draft-ietf-hybi-websocket-multiplexing): channel ids,
//! numbers, control blocks, and an account of what either end may send.
//!
//! The draft has expired, so what is judged is what its implementations agree on.

mod block;
mod channel;
mod ledger;
#[cfg(test)]
mod ledger_tests;
mod number;
mod opening;

use std::fmt;

pub use block::{Block, Encoding};
pub(crate) use channel::cost;
pub use channel::{Channel, State};
pub use ledger::{Happened, Ledger};
pub use number::{channel_id, number, take_channel_id, take_number};

use crate::http::Head;
use crate::session::Compression;

/// The token of the extension.
pub const TOKEN: &str = "mux";

/// The control channel.
pub const CONTROL: u32 = 0;

/// The channel that the opening handshake of the connection opens.
pub const FIRST: u32 = 1;

/// What is wrong with a message, and the code of the DropChannel that answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a code and words for it")]
pub struct Wrong {
    /// The code: 2000 to 2999.
    pub code: u16,
    /// What it is.
    pub what: &'static str,
}

impl Wrong {
    /// With this code and these words.
    pub const fn new(code: u16, what: &'static str) -> Self {
        Self { code, what }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.code)
    }
}

/// What an opening handshake with `mux` agreed on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Agreed {
    /// What the server may send on channel 1 at first.
    pub quota: u64,
    /// What works on channel 1.
    pub first: Option<Compression>,
    /// The head of the physical request.
    pub request: Head,
}

impl Agreed {
    /// With this request, this quota of the server, and this compression on channel 1.
    pub fn new(request: Head, quota: u64, first: Option<Compression>) -> Self {
        Self {
            quota,
            first,
            request,
        }
    }
}
