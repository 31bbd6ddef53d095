//! Digest (RFC 7616).

mod algorithm;

pub use algorithm::{Algorithm, Hash};
