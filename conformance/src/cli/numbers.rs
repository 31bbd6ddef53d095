//! The numbers of channels on a server. Neither a socket nor its request tells them, but a tap is
//! told: it notes them where a guard has left room, in the `http::Extensions` of the request.

use std::sync::{Arc, OnceLock};

use cloverleaf::proto::Role;
use cloverleaf::proto::extension::{ChannelId, Direction, Tap, View, Watcher};
use cloverleaf::proto::frame::Head;
use cloverleaf::proto::handshake::{Handshake, Received};

/// Notes the numbers.
#[derive(Debug)]
pub(super) struct Numbers;

/// Where the number will stand.
#[derive(Clone, Debug, Default)]
struct Room(Arc<OnceLock<ChannelId>>);

/// What the guard does.
pub(super) fn leave_room(received: &mut Received) {
    received.request.extensions_mut().insert(Room::default());
}

/// The number of the channel that was asked for with this request. `None`: a connection of its own.
pub(super) fn of<T>(request: &http::Request<T>) -> Option<ChannelId> {
    let room = request.extensions().get::<Room>()?;
    room.0.get().copied()
}

impl Tap for Numbers {
    fn attach(&self, _: Role) -> Box<dyn Watcher> {
        Box::new(Noting(None))
    }

    fn attach_channel(&self, _: Role, id: ChannelId) -> Box<dyn Watcher> {
        Box::new(Noting(Some(id)))
    }
}

struct Noting(Option<ChannelId>);

impl Watcher for Noting {
    fn opened(&mut self, handshake: &Handshake) {
        let room = handshake.request.extensions().get::<Room>();
        if let (Some(room), Some(id)) = (room, self.0) {
            // One watcher, one opening.
            let _ = room.0.set(id);
        }
    }

    fn frame(&mut self, _: View, _: Direction, _: Head, _: &[u8]) {}
}
