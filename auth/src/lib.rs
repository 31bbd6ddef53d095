//! HTTP authentication in front of the WebSocket upgrade: Basic (RFC 7617), Digest (RFC 7616) and
//! Bearer (RFC 6750), for both roles.
//!
//! Nothing here reads a clock, draws a random number or does I/O: what is needed of them is handed
//! in.

pub mod basic;
pub mod digest;
pub mod header;
mod secret;

pub use secret::Secret;
