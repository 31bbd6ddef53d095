//! A client that shows who it is.

mod credentials;
mod memory;
mod place;
mod policy;
mod proof;
mod responder;
#[cfg(test)]
mod tests;

pub use credentials::{Credentials, InvalidCredentials};
pub use policy::Policy;
pub use responder::Responder;
