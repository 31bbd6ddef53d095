//! permessage-deflate through its public face: what it agrees to, and what it does to octets.

mod connection;
mod halves;
mod limits;
mod negotiation;
mod round_trip;
mod sending;
mod vectors;
mod walker;
mod window;
