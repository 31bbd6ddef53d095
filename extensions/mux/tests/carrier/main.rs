//! A carrier on its own: messages go in, actions come out, and both are compared with the octets of
//! the format.

mod client;
mod frames;
mod harness;
mod hostile;
mod model;
mod server;
#[path = "../../src/testing.rs"]
mod testing;
