//! Authentication: a server that wants credentials, and a client that has some.

mod client;
mod guard;

pub(super) use client::{Next, Visitor};
pub use guard::Guard;
pub(super) use guard::Refused;
