//! permessage-deflate as the judge speaks it (RFC 7692, RFC 1951).
//!
//! The inflater is the judge's own, as it has to see what others overlook: how far back each
//! reference goes, and whether a message ends as RFC 7692 §7.2.1 says. The deflater, which need
//! only be right, is zlib's.

mod bits;
mod craft;
mod deflater;
mod error;
mod huffman;
mod inflate;

pub use bits::TAIL;
pub use craft::{Block, Stream, Symbol, bomb, fixed, stored, stored_by};
pub use deflater::Deflater;
pub use error::InflateError;
pub use huffman::Alphabet;
pub use inflate::Inflater;
