//! The extension through its public face: what it agrees to, and what it does to octets.

mod connection;
mod halves;
mod hostile;
mod negotiation;
mod round_trip;
mod sending;
mod vectors;
