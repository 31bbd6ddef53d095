//! What a connection tells its owner.

use core::fmt;
use std::sync::Arc;

use bytes::Bytes;

use crate::close::CloseCode;
use crate::error::ConnectionError;
use crate::frame::OpCode;
use crate::message::{Kind, Message, Utf8Bytes};
use crate::role::Role;

/// Something that happened on a connection, in the order in which it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A whole message.
    Message(Message),
    /// A part of a message, in place of the whole, if [`Config::parts`](crate::Config::parts) asks
    /// for parts. The parts of a text may be cut inside a character; together they are UTF-8.
    Part {
        /// The kind of the message.
        kind: Kind,
        /// The next octets of it.
        payload: Bytes,
        /// Whether the message ends here.
        fin: bool,
    },
    /// A ping. The pong is on its way already.
    Ping(Bytes),
    /// A pong, asked for or not.
    Pong(Bytes),
    /// A frame that its owner, an extension, passes to the application.
    Extension {
        /// The claimed opcode.
        opcode: OpCode,
        /// The payload.
        payload: Bytes,
    },
    /// Something that an extension tells the application, such as a figure it has measured.
    Notice {
        /// The extension's name.
        extension: Arc<str>,
        /// What it says, in a form that the extension defines.
        payload: Bytes,
    },
    /// The end: the last event, and there is exactly one.
    Closed(Closed),
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Closed {
    /// The code the peer sent; 1005 if its close frame had none, 1006 if it sent no close frame
    /// (RFC 6455 §7.1.5).
    pub code: CloseCode,
    /// The reason the peer sent.
    pub reason: Utf8Bytes,
    /// Who sent the first close frame; `None` if nobody sent one.
    pub initiator: Option<Role>,
    /// Whether both close frames crossed (RFC 6455 §7.1.4).
    pub clean: bool,
    /// What went wrong, if anything did.
    pub error: Option<ConnectionError>,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.error {
            return error.fmt(f);
        }
        write!(f, "closed with code {}", self.code)?;
        if !self.reason.is_empty() {
            // Escaped: the peer wrote it.
            write!(f, " ({})", self.reason.escape_debug())?;
        }
        Ok(())
    }
}
