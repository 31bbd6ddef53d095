//! Digest (RFC 7616).

mod algorithm;
mod authorization;
mod challenge;
mod compute;
mod error;
mod fields;
mod info;
mod qop;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Hash};
pub use authorization::{Authorization, Username};
pub use challenge::Challenge;
pub use compute::{Ha1, Question, matches, response, userhash};
pub use error::DigestError;
pub use info::Info;
pub use qop::{NonceCount, Qop};

/// The name of the scheme.
pub const SCHEME: &str = "Digest";
