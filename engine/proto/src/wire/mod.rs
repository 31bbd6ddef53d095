//! Octets to frames and back (RFC 6455 §5.2).

mod decoder;
mod encoder;

pub(crate) use decoder::Decoder;
pub(crate) use encoder::{WriteBuffer, encode};
