//! What a peer does on purpose, in octets written by hand.

mod channel;
mod connection;
mod crosstalk;
mod floods;
mod heads;
