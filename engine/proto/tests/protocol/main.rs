//! The protocol core as its users see it: octets in, events and octets out.
//!
//! A file per chapter of RFC 6455. What goes over the wire is written out; every input is also fed
//! whole, octet by octet and in random pieces, through every way in.

mod borrow;
mod close;
mod control;
mod endpoint;
mod errors;
mod extension;
mod extension_data;
mod fragmentation;
mod framing;
mod keepalive;
mod limits;
mod negotiation;
mod notice;
mod order;
mod parts;
mod pipeline;
mod simulator;
mod statistics;
mod subject;
mod tap;
mod toy;
mod utf8;
mod wire;
