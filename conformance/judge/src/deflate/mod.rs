//! permessage-deflate and deflate-frame as the judge speaks them (RFC 7692, RFC 1951).
//!
//! The inflater is the judge's own, as it has to see what others overlook: how far back each
//! reference goes, and whether a message ends as RFC 7692 §7.2.1 says. The deflater, which need
//! only be right, is zlib's.

mod bits;
mod craft;
mod deflater;
mod error;
mod header;
mod huffman;
mod inflate;
#[cfg(test)]
mod inflate_tests;
mod negotiation;
pub mod original;
mod params;
mod per_frame;

pub use bits::TAIL;
pub use craft::{Block, Stream, Symbol, bomb, fixed, stored, stored_by};
pub use deflater::Deflater;
pub use error::InflateError;
pub use header::{Element, GrammarError, Param};
pub use huffman::Alphabet;
pub use inflate::Inflater;
pub use negotiation::{Agreed, AnswerError, Requirement, choose, judge_answer};
pub use params::{Answer, Offer, PERMESSAGE_DEFLATE, ParamError};
pub use per_frame::{DEFLATE_FRAME, Demands, FrameOffer};
