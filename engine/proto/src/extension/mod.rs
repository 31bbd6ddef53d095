//! Extensions: what goes beyond RFC 6455 is a plug-in (RFC 6455 §9).
//!
//! An [`Extension`] is configuration: immutable, shared by every connection, able to offer, accept
//! and confirm. A successful negotiation yields an [`Agreement`]: at most one [`Encoder`] and one
//! [`Decoder`], owned by that connection and dropped with it.
//!
//! ```text
//!  send:  message ─► [message stage] ─► fragmenter ─► [frame stage] ─► mask, header ─► octets
//!  recv:  message ◄─ assembler, UTF-8 ◄─ [message stage] ◄─ [frame stage] ◄─ admit ◄─ octets
//! ```
//!
//! An extension *claims* what it takes for itself: reserved bits and where they may stand, opcodes,
//! a stage. The engine alone checks conflicts, placement and unknown bits, so an extension holds no
//! such code and cannot get it wrong. Its halves see one frame at a time, answer "unchanged" or
//! "replaced", and write into a bounded [`Output`]: they cannot touch FIN, the opcode or a bit of
//! somebody else, and a decompression bomb is impossible by construction.
//!
//! Order is the order of the server's answer (RFC 6455 §9.1): outgoing data passes from the first
//! extension to the last, incoming data from the last to the first.
//!
//! # Beside the frames
//!
//! - Parameters are read strictly with [`Params::reader`].
//! - Every offer that led to nothing is kept with its reason: [`Negotiated::skipped`].
//! - A half may tell the application something: [`Output::notify`].
//! - What each extension has done is counted: [`Statistics`].
//! - A [`Tap`] looks on, at one of three places ([`View`]), without being negotiated;
//!   [`Extensions::with_local`] takes part without being negotiated.
//!
//! `extensions/README.md` in the repository is the guide: an extension from nothing to a published
//! crate. The crate `cloverleaf-testkit` has the laws of this contract as a test.
//!
//! # A whole extension
//!
//! It turns every payload around and says so with RSV2:
//!
//! ```
//! use cloverleaf_proto::extension::{
//!     Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
//!     Output, Params, Placement, Stage,
//! };
//! use cloverleaf_proto::frame::{Head, Rsv};
//!
//! #[derive(Debug)]
//! struct Reverse;
//!
//! impl Extension for Reverse {
//!     fn name(&self) -> &str {
//!         "x-reverse"
//!     }
//!     fn claims(&self) -> Claims {
//!         const { Claims::at(Stage::Frame).rsv(Rsv::RSV2, Placement::DataFrames) }
//!     }
//!     fn offers(&self) -> Vec<Params> {
//!         vec![Params::new()]
//!     }
//!     fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
//!         if !offer.is_empty() {
//!             return Err(Declined::new("x-reverse has no parameters"));
//!         }
//!         Ok(Agreement::new(Params::new()).encoder(Half).decoder(Half))
//!     }
//! }
//!
//! struct Half;
//!
//! impl Encoder for Half {
//!     fn encode(
//!         &mut self,
//!         head: Head,
//!         _hints: Hints,
//!         payload: &[u8],
//!         out: &mut Output<'_>,
//!     ) -> Result<Encoded, Failure> {
//!         if head.opcode.is_control() {
//!             return Ok(Encoded::Unchanged);
//!         }
//!         payload.iter().rev().try_for_each(|octet| out.write(&[*octet]))?;
//!         Ok(Encoded::Replaced(Rsv::RSV2))
//!     }
//! }
//!
//! impl Decoder for Half {
//!     fn decode(
//!         &mut self,
//!         head: Head,
//!         payload: &[u8],
//!         out: &mut Output<'_>,
//!     ) -> Result<Decoded, Failure> {
//!         if !head.rsv.contains(Rsv::RSV2) {
//!             return Ok(Decoded::Unchanged);
//!         }
//!         payload.iter().rev().try_for_each(|octet| out.write(&[*octet]))?;
//!         Ok(Decoded::Replaced)
//!     }
//! }
//! ```

mod agreement;
mod carrier;
mod claims;
mod codec;
mod hints;
mod negotiate;
mod params;
mod pipeline;
mod registry;
mod statistics;
mod tap;

pub use agreement::{Agreement, Declined};
pub use carrier::{Action, Carrier, ChannelId, Dropped, EndsFor};
pub use claims::{Claims, Conflict, Placement, Stage};
pub use codec::{Decoded, Decoder, Encoded, Encoder, Failure, Output};
pub use hints::Hints;
pub use negotiate::{Agreed, Negotiated, Offer, Refused, Skipped, Why};
pub use params::{Params, ParamsReader};
pub(crate) use pipeline::{Link, Pipelines, Step};
pub use registry::{Extensions, Order};
pub use statistics::{Clock, Flow, Statistics};
pub(crate) use tap::Watchers;
pub use tap::{Direction, Tap, View, Watcher};

use core::fmt;

/// A WebSocket extension, as configured. One value serves every connection.
pub trait Extension: fmt::Debug + Send + Sync {
    /// The extension token in `Sec-WebSocket-Extensions`, in lower case as registered.
    fn name(&self) -> &str;

    /// What the extension takes for itself. The same for every negotiation.
    fn claims(&self) -> Claims;

    /// Client: the offers to make, most preferred first. Empty: do not offer.
    fn offers(&self) -> Vec<Params>;

    /// Server: answers one offer.
    ///
    /// # Errors
    ///
    /// [`Declined`] for an offer that is not acceptable. The client's next offer of the same
    /// extension is tried then; a declined offer never fails the handshake.
    fn accept(&self, offer: &Params) -> Result<Agreement, Declined>;

    /// Client: checks the server's answer against what was offered.
    ///
    /// As it stands, the answer must be one of the offers, word for word, and is agreed as
    /// [`accept`](Self::accept) would agree it. That is right wherever a server answers with what it
    /// was offered, and both ends do the same.
    ///
    /// # Errors
    ///
    /// [`Declined`] for an answer that fits none of the offers; it fails the connection.
    fn confirm(&self, offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        if offered.contains(answer) {
            self.accept(answer)
        } else {
            Err(Declined::new("not what was offered"))
        }
    }
}
