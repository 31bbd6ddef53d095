//! permessage-deflate (RFC 7692): messages, compressed as a whole before they are cut into frames.

mod config;
mod decoder;
mod encoder;
mod negotiation;
mod parameters;

pub use config::PermessageDeflate;
