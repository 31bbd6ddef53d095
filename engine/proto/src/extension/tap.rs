//! Looking on, without taking part.

use core::fmt;

use crate::frame::Head;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Direction {
    /// From the peer.
    Incoming,
    /// To the peer.
    Outgoing,
}

/// Sees every frame of a connection as it is on the wire, unmasked, and changes none.
///
/// A tap is never negotiated and costs a connection without one nothing. A large incoming frame may
/// be shown in pieces: the first with its opcode and bits, the others as continuations, FIN on the
/// last. What a tap does is done on the connection's time: a slow one slows it down.
pub trait Tap: fmt::Debug + Send + Sync {
    /// One frame, or one piece of an incoming frame.
    fn frame(&self, direction: Direction, head: Head, payload: &[u8]);
}
