//! A WebSocket protocol engine (RFC 6455) with pluggable extensions: no I/O, no clock, no
//! randomness of its own.

pub mod close;
pub mod config;
pub mod error;
pub mod event;
pub mod extension;
pub mod frame;
mod http;
pub mod message;
mod role;

pub use config::Config;
pub use event::Event;
pub use message::Message;
pub use role::Role;
