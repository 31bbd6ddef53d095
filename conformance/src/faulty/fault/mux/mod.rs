//! Faults of multiplexing, whose draft has expired: the sections are its subjects.

mod channel;
mod connection;

pub(super) use channel::CHANNEL;
pub(super) use connection::CONNECTION;
