//! HTTP authentication in front of the WebSocket upgrade: Basic (RFC 7617), Digest (RFC 7616) and
//! Bearer (RFC 6750), for both roles.
//!
//! Nothing here reads a clock, draws a random number or does I/O: what is needed of them is handed
//! in. But [`store::Reloading`] reads its file, when it is told to.

pub mod basic;
pub mod client;
pub mod digest;
pub mod guard;
pub mod header;
mod identity;
mod secret;
pub mod store;
#[cfg(test)]
mod testing;

pub use identity::{Identity, Scheme};
pub use secret::Secret;
