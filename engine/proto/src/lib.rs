//! A WebSocket protocol engine (RFC 6455) with pluggable extensions.
//!
//! It does no I/O, reads no clock and draws no random numbers: octets, moments and masking keys are
//! handed in, and octets and events come out. So every byte of its behaviour can be tested without
//! a network and without waiting, and it runs under any runtime or none. For tokio there is the
//! crate `cloverleaf`.
//!
//! ```text
//!                        ┌──────────────── Connection ────────────────┐
//!  octets ─ handle_input ─► wire ─► frames ─► Endpoint ─► poll_event ─► events
//!                        │          extensions, UTF-8, closing        │
//!  octets ◄ poll_transmit ◄ wire ◄─ frames ◄─ Endpoint ◄─── send, ping, close
//!                        │                                            │
//!  clock ─ handle_timeout ► deadlines, keepalive ─── poll_timeout ────► clock
//!                        └────────────────────────────────────────────┘
//! ```
//!
//! - [`handshake`] opens a connection, in either role, and ends in what a [`Connection`] needs.
//! - [`Connection`] is one end of a connection over a byte stream; [`Endpoint`] is the same in frames.
//! - [`Trunk`] is many of them over one byte stream, where an extension has agreed on a carrier.
//! - [`extension`] is the chapter for those who write one.
//! - [`Config`] has every limit and timeout, with its default and the reason for it.
//!
//! What it does not do: it does not connect, listen, encrypt, resolve names or retry.

pub mod close;
pub mod config;
pub mod connection;
pub mod endpoint;
pub mod error;
pub mod event;
pub mod extension;
pub mod frame;
pub mod handshake;
mod http;
mod keepalive;
pub mod message;
mod role;
mod source;
pub mod trunk;
mod wire;

pub use config::Config;
pub use connection::Connection;
pub use endpoint::Endpoint;
pub use event::Event;
pub use message::Message;
pub use role::Role;
pub use source::{Entropy, WallClock};
pub use trunk::Trunk;
