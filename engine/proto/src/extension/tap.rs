//! Looking on, without taking part.

use core::fmt;

use super::ChannelId;
use crate::event::Closed;
use crate::frame::Head;
use crate::handshake::Handshake;
use crate::role::Role;

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "there are two ways")]
pub enum Direction {
    /// From the peer.
    Incoming,
    /// To the peer.
    Outgoing,
}

/// Where in the pipeline a frame is seen. The same frame is seen at each of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "before, between and behind the two stages"
)]
pub enum View {
    /// As it is on the wire, but unmasked. Control frames too.
    Wire,
    /// Between the frame stage and the message stage: a fragment of a message, as it is without
    /// what the frame-stage extensions do to it. Control frames too.
    Fragments,
    /// As the application sends or gets it: no control frames, no reserved bits. A message that is
    /// sent or comes in parts is seen in parts.
    Messages,
}

/// Looks at the frames of every connection, and changes none.
///
/// A tap is never negotiated and costs a connection without one nothing. Taps stand in
/// [`Config::taps`](crate::Config::taps).
pub trait Tap: fmt::Debug + Send + Sync {
    /// A connection begins. What is returned sees its frames, and is dropped with it.
    fn attach(&self, role: Role) -> Box<dyn Watcher>;

    /// A channel of a connection that carries many begins. Else as [`attach`](Self::attach), which is
    /// what it does by default.
    fn attach_channel(&self, role: Role, id: ChannelId) -> Box<dyn Watcher> {
        let _ = id;
        self.attach(role)
    }
}

/// Looks at the frames of one connection.
///
/// What a watcher does is done on the connection's time: a slow one slows it down.
pub trait Watcher: Send {
    /// The opening handshake, before the first frame. Only of a connection whose owner says so, with
    /// [`Connection::show_opening`](crate::Connection::show_opening), as the crate `cloverleaf` does.
    fn opened(&mut self, handshake: &Handshake) {
        let _ = handshake;
    }

    /// One frame, or one piece of an incoming frame: a large one may be shown in pieces, the first
    /// with its opcode and bits, the others as continuations, FIN on the last.
    fn frame(&mut self, view: View, direction: Direction, head: Head, payload: &[u8]);

    /// The end, together with [`Event::Closed`](crate::Event::Closed). A connection that is dropped
    /// before does not say so.
    fn closed(&mut self, closed: &Closed) {
        let _ = closed;
    }
}

/// All that look at one connection.
#[derive(Default)]
pub(crate) struct Watchers(Vec<Box<dyn Watcher>>);

impl Watchers {
    pub(crate) fn new(watchers: Vec<Box<dyn Watcher>>) -> Self {
        Self(watchers)
    }

    pub(crate) fn opened(&mut self, handshake: &Handshake) {
        for watcher in &mut self.0 {
            watcher.opened(handshake);
        }
    }

    pub(crate) fn frame(&mut self, view: View, direction: Direction, head: Head, payload: &[u8]) {
        for watcher in &mut self.0 {
            watcher.frame(view, direction, head, payload);
        }
    }

    pub(crate) fn closed(&mut self, closed: &Closed) {
        for watcher in &mut self.0 {
            watcher.closed(closed);
        }
    }
}

impl fmt::Debug for Watchers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watchers")
            .field("count", &self.0.len())
            .finish()
    }
}
