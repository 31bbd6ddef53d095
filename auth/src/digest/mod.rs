//! Digest (RFC 7616).

mod algorithm;
mod authorization;
mod challenge;
mod compute;
mod error;
mod fields;
mod info;
mod nonce;
mod qop;
mod replay;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, Hash};
pub use authorization::{Authorization, Username};
pub use challenge::Challenge;
pub use compute::{Ha1, Question, matches, response, userhash};
pub use error::DigestError;
pub use info::Info;
pub(crate) use nonce::Age;
pub use nonce::{NonceId, Nonces};
pub use qop::{NonceCount, Qop};
pub use replay::{Replay, ReplayCache, ReplayError, Spend, Usage};

/// The name of the scheme.
pub const SCHEME: &str = "Digest";
