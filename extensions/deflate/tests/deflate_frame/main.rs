//! deflate-frame through its public face: what it agrees to, and what it does to octets.

mod connection;
mod halves;
mod limits;
mod negotiation;
mod peer;
mod round_trip;
mod sending;
mod vectors;
#[path = "../permessage_deflate/walker.rs"]
mod walker;
mod window;
