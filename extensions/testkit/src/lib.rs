//! The laws that a Cloverleaf extension must keep, as a test.
//!
//! An extension that compiles can still forget its window at the wrong moment, cut a message at the
//! budget, accept what it does not understand or die of garbage. [`Kit`] drives an extension through
//! two real connections and through its bare halves, in all the ways a peer, an application and
//! other extensions may, and tells the first [`Law`] it breaks with a story: what was sent, how it
//! was cut, what came.
//!
//! ```
//! use cloverleaf_testkit::Kit;
//! # use cloverleaf_proto::extension::{
//! #     Agreement, Claims, Declined, Decoded, Decoder, Encoded, Encoder, Extension, Failure, Hints,
//! #     Output, Params, Stage,
//! # };
//! # use cloverleaf_proto::frame::Head;
//! # #[derive(Debug)]
//! # struct Shift(u8);
//! # impl Extension for Shift {
//! #     fn name(&self) -> &str { "x-shift" }
//! #     fn claims(&self) -> Claims { Claims::at(Stage::Message) }
//! #     fn offers(&self) -> Vec<Params> { vec![Params::new().value("by", self.0)] }
//! #     fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
//! #         let mut params = offer.iter();
//! #         match (params.next(), params.next()) {
//! #             (Some(("by", Some(by))), None) => {
//! #                 let by: u8 = by.parse().map_err(|_| Declined::new("by is a number"))?;
//! #                 Ok(Agreement::new(Params::new().value("by", by)).encoder(Turn(by)).decoder(Turn(by)))
//! #             }
//! #             _ => Err(Declined::new("exactly one parameter: by")),
//! #         }
//! #     }
//! #     fn confirm(&self, _: &[Params], answer: &Params) -> Result<Agreement, Declined> { self.accept(answer) }
//! # }
//! # struct Turn(u8);
//! # impl Encoder for Turn {
//! #     fn encode(&mut self, _: Head, _: Hints, payload: &[u8], out: &mut Output<'_>) -> Result<Encoded, Failure> {
//! #         let turned: Vec<u8> = payload.iter().map(|octet| octet.wrapping_add(self.0)).collect();
//! #         out.write(&turned)?;
//! #         Ok(Encoded::Replaced(cloverleaf_proto::frame::Rsv::NONE))
//! #     }
//! # }
//! # impl Decoder for Turn {
//! #     fn decode(&mut self, _: Head, payload: &[u8], out: &mut Output<'_>) -> Result<Decoded, Failure> {
//! #         let turned: Vec<u8> = payload.iter().map(|octet| octet.wrapping_sub(self.0)).collect();
//! #         out.write(&turned)?;
//! #         Ok(Decoded::Replaced)
//! #     }
//! # }
//!
//! // In a test of your own; `Shift` is your extension.
//! Kit::new(|| Shift(13))
//!     .require("by") // an offer without it must be declined
//!     .check();
//! ```
//!
//! [`sent`] and [`received`] are for tests that write octets out. Programs call [`Kit::run`]; a single law is tried with [`Kit::only`]. For fuzzers there are
//! [`garbage`] and [`garbage_offer`], one line a target.
//!
//! What it does not see: whether an extension loops for ever or wastes time and memory, and whether
//! what it puts on the wire is what its own specification says.

mod claimed;
mod fuzz;
mod half;
mod kit;
mod law;
mod outcome;
mod pair;
mod probe;
mod random;
mod sample;
mod subject;
mod trial;
mod wire;

pub use fuzz::{garbage, garbage_offer};
pub use kit::Kit;
pub use law::Law;
pub use outcome::{Broken, Report};
pub use wire::{received, sent};
