//! A WebSocket protocol engine (RFC 6455) with pluggable extensions: no I/O, no clock, no
//! randomness of its own.

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
mod wire;

pub use config::Config;
pub use connection::Connection;
pub use endpoint::Endpoint;
pub use event::Event;
pub use message::Message;
pub use role::Role;
