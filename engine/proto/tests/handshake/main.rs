//! The opening handshake, from the outside: octets in, octets out.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod client;
mod deadlines;
mod guards;
mod proxies;
mod refused_answers;
mod refused_requests;
mod retries;
mod rig;
mod server;
