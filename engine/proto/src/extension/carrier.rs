//! The seam for multiplexing: one physical connection, many logical ones.

use core::fmt;
use core::ops::Range;

use bytes::Bytes;

use super::Failure;
use crate::frame::Head;
use crate::message::Kind;

/// The number of a logical channel. 1 is the one that the opening handshake of the physical
/// connection opens; 0 is never a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u32);

impl ChannelId {
    /// The channel that is there from the start.
    pub const FIRST: Self = Self(1);

    /// The channel of this number.
    #[must_use]
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}", self.0)
    }
}

/// Why a channel ends without a closing handshake: a code of the carrier's own protocol, and a text
/// for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dropped {
    /// The code, if there is one.
    pub code: Option<u16>,
    /// The text. It may come from the peer.
    pub reason: String,
}

impl Dropped {
    /// For this reason.
    #[must_use]
    pub fn new(code: impl Into<Option<u16>>, reason: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            reason: reason.into(),
        }
    }
}

/// One line for a log. The text may be the peer's, and what cannot be printed is escaped.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the channel was dropped")?;
        if let Some(code) = self.code {
            write!(f, " ({code})")?;
        }
        if !self.reason.is_empty() {
            write!(f, ": {}", self.reason.escape_debug())?;
        }
        Ok(())
    }
}

/// Splits a physical connection into logical channels, and joins them again.
///
/// A carrier translates and counts; it never queues, never waits and knows nothing of WebSockets
/// beyond the heads of frames. The engine asks it for room, cuts frames to fit, takes turns between
/// channels, and runs the opening handshake, the extensions and the closing handshake of each.
///
/// Every method may push [`Action`]s; the engine carries them out in order, also those that were
/// pushed before an error.
pub trait Carrier: Send {
    /// The physical connection is open. The heads are those of its opening handshake, as they were
    /// on the wire.
    fn start(&mut self, request_head: &[u8], response_head: &[u8], actions: &mut Vec<Action>);

    /// A data message came on the physical connection.
    ///
    /// # Errors
    ///
    /// A [`Failure`] fails the physical connection, with 1011.
    fn receive(
        &mut self,
        kind: Kind,
        message: &[u8],
        actions: &mut Vec<Action>,
    ) -> Result<(), Failure>;

    /// The largest physical message that a peer may send: a frame of the largest quota, or a block
    /// with the largest head.
    fn max_message(&self) -> usize;

    /// How many octets of payload a frame with this head may carry on this channel now; `None` if it
    /// must wait for [`Action::Room`].
    fn room(&self, id: ChannelId, head: Head) -> Option<usize>;

    /// A frame with so many octets of payload is sent: appends what stands in front of that payload
    /// in the physical message, a binary one, that carries it. There is [`room`](Self::room) for it.
    fn wrap(&mut self, id: ChannelId, head: Head, length: usize, prefix: &mut Vec<u8>);

    /// The application has taken what came on this channel, of these costs in sum: time to let the
    /// peer send more.
    fn consumed(&mut self, id: ChannelId, cost: usize, actions: &mut Vec<Action>);

    /// Client: how many channels may be asked for now. `None`: not here any more, open another
    /// physical connection.
    fn slots(&self) -> Option<usize>;

    /// Client: asks for a channel with this head of a request. `None` if there is no slot.
    fn open(&mut self, request_head: &[u8], actions: &mut Vec<Action>) -> Option<ChannelId>;

    /// Server: answers the request for a channel. A refused channel is gone.
    fn answer(
        &mut self,
        id: ChannelId,
        accepted: bool,
        response_head: &[u8],
        actions: &mut Vec<Action>,
    );

    /// Both close frames of a channel have crossed: it is gone, and its number is free. Called before
    /// the next [`receive`](Self::receive).
    fn closed(&mut self, id: ChannelId, actions: &mut Vec<Action>);

    /// Ends a channel without a closing handshake. The engine knows: there is no
    /// [`Action::Dropped`] for it.
    fn drop_channel(&mut self, id: ChannelId, why: EndsFor, actions: &mut Vec<Action>);

    /// Ten seconds have passed since the start, or since the last call: what a carrier limits by
    /// time, such as how many channels are opened, may begin anew. It has no clock itself.
    fn replenish(&mut self, actions: &mut Vec<Action>) {
        let _ = actions;
    }
}

/// Why the engine ends a channel without a closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndsFor {
    /// Nobody wants it any more.
    Normal,
    /// The peer broke RFC 6455 on it, or did not close in time.
    Failed,
    /// Nothing came on it for too long.
    Idle,
}

/// What a carrier wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Send this as a binary message of the physical connection.
    Transmit(Vec<u8>),
    /// A frame came on a channel; its payload is this part of the message at hand.
    Frame {
        /// The channel.
        id: ChannelId,
        /// The head of the frame.
        head: Head,
        /// Where in the message its payload is.
        payload: Range<usize>,
        /// What to report to [`Carrier::consumed`] once it is taken.
        cost: usize,
    },
    /// A control frame came on a channel that was put together of several messages.
    Control {
        /// The channel.
        id: ChannelId,
        /// The head of the frame.
        head: Head,
        /// Its payload.
        payload: Bytes,
        /// What to report to [`Carrier::consumed`] once it is taken. What was
        /// [swallowed](Action::Swallowed) is not in it; nor is it bounded by any quota, then.
        cost: usize,
    },
    /// Octets came that make no whole frame yet, and are not kept for the application.
    Swallowed {
        /// The channel.
        id: ChannelId,
        /// What to report to [`Carrier::consumed`].
        cost: usize,
    },
    /// Server: the client asks for a channel, with this head of a request.
    Requested(ChannelId, Bytes),
    /// Client: the server answers, with this head of a response.
    Answered {
        /// The channel.
        id: ChannelId,
        /// Whether it is open now.
        accepted: bool,
        /// The head of the response.
        response_head: Bytes,
    },
    /// There is room on a channel again.
    Room(ChannelId),
    /// Client: [`Carrier::slots`] has changed.
    Slots,
    /// The peer, or a mistake of the peer, has ended a channel. It is gone.
    Dropped(ChannelId, Dropped),
}
