//! Rooms: what one member says, all members hear, as it came, the member included.
//!
//! A room is there from its first member to its last. Whoever speaks waits for nobody: what a member
//! has yet to hear waits in a queue of its own, and a member whose queue is full has to leave.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloverleaf::{CloseCode, Error, Message, Transport, WebSocket};
use tokio::sync::{Notify, mpsc};

const MAX_ROOMS: usize = 1000;
const MAX_MEMBERS: usize = 100;
/// A room's name in a path is at most so long: 40 characters, none of them plain.
const MAX_NAME: usize = 40 * 9;
/// So many messages wait for a member at most. They are shared by all for whom they wait.
const MAX_WAITING: usize = 64;

/// All rooms of a server, by name.
#[derive(Debug, Default)]
pub struct Rooms(Mutex<HashMap<String, Vec<Seat>>>);

/// A member as the room sees it.
#[derive(Debug)]
struct Seat {
    waiting: mpsc::Sender<Message>,
    fell_behind: Arc<Notify>,
}

/// A member as its connection sees it. Leaves the room when it is dropped.
#[derive(Debug)]
struct Member {
    /// Who speaks, if that is known.
    name: Option<String>,
    rooms: Arc<Rooms>,
    room: String,
    waiting: mpsc::Receiver<Message>,
    fell_behind: Arc<Notify>,
}

/// The handler: one WebSocket, from its first message to its last.
///
/// # Errors
///
/// How the WebSocket ended, if not cleanly.
pub async fn visit(socket: WebSocket<Transport>, rooms: Arc<Rooms>) -> Result<(), Error> {
    visit_as(None, socket, rooms).await
}

/// The same for a member whose name stands in front of what it says.
///
/// # Errors
///
/// As [`visit`].
pub async fn visit_as(
    name: Option<String>,
    mut socket: WebSocket<Transport>,
    rooms: Arc<Rooms>,
) -> Result<(), Error> {
    let request = socket.opening().handshake.request();
    let path = request.uri().path();
    // Nothing else passes the guard.
    let room = name_in(path).unwrap_or_default().to_owned();
    let mut member = match rooms.join(&room) {
        Ok(member) => member,
        Err(full) => return socket.close_with(CloseCode::TRY_AGAIN_LATER, full).await,
    };
    member.name = name;
    let fell_behind = Arc::clone(&member.fell_behind);
    tokio::select! {
        ended = talk(&mut socket, &mut member) => ended,
        () = fell_behind.notified() => {
            let reason = "you do not read what is said here";
            socket.close_with(CloseCode::POLICY_VIOLATION, reason).await
        }
    }
}

async fn talk(socket: &mut WebSocket<Transport>, member: &mut Member) -> Result<(), Error> {
    loop {
        tokio::select! {
            said = socket.recv() => match said? {
                Some(message) => member.say(&message),
                None => return Ok(()),
            },
            // While this waits for a member that does not read, its queue fills up.
            message = member.hear() => socket.send(message).await?,
        }
    }
}

/// The name of the room at this path, `/rooms/<name>`. Names are compared as they are written.
#[must_use]
pub fn name_in(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/rooms/")?;
    let is_name = !name.is_empty() && name.len() <= MAX_NAME && !name.contains('/');
    is_name.then_some(name)
}

impl Rooms {
    /// Takes a seat. The error is a reason for a person.
    fn join(self: &Arc<Self>, room: &str) -> Result<Member, &'static str> {
        let mut rooms = self.lock();
        if rooms.len() >= MAX_ROOMS && !rooms.contains_key(room) {
            return Err("there are too many rooms");
        }
        let seats = rooms.entry(room.to_owned()).or_default();
        if seats.len() >= MAX_MEMBERS {
            return Err("this room is full");
        }
        let (sender, waiting) = mpsc::channel(MAX_WAITING);
        let fell_behind = Arc::new(Notify::new());
        seats.push(Seat {
            waiting: sender,
            fell_behind: Arc::clone(&fell_behind),
        });
        Ok(Member {
            name: None,
            rooms: Arc::clone(self),
            room: room.to_owned(),
            waiting,
            fell_behind,
        })
    }

    /// Keeps those members of a room of whom this holds, and the room while there are any.
    fn keep(&self, room: &str, holds: impl FnMut(&Seat) -> bool) {
        let mut rooms = self.lock();
        let Some(seats) = rooms.get_mut(room) else {
            return;
        };
        seats.retain(holds);
        if seats.is_empty() {
            rooms.remove(room);
        }
    }

    /// Nothing is half done when a task panics in here.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Seat>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    fn say(&self, message: &Message) {
        let named = match (&self.name, message.as_text()) {
            (Some(name), Some(text)) => Some(Message::text(format!("{name}: {text}"))),
            _ => None,
        };
        let message = named.as_ref().unwrap_or(message);
        self.rooms.keep(&self.room, |seat| {
            let has_room = seat.waiting.try_send(message.clone()).is_ok();
            if !has_room {
                seat.fell_behind.notify_one();
            }
            has_room
        });
    }

    /// What is said next. Cancel-safe.
    async fn hear(&mut self) -> Message {
        match self.waiting.recv().await {
            Some(message) => message,
            // We have fallen behind, and are told so in another way.
            None => pending().await,
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.rooms.keep(&self.room, |seat| {
            !Arc::ptr_eq(&seat.fell_behind, &self.fell_behind)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_there_from_its_first_member_to_its_last() {
        let rooms = Arc::new(Rooms::default());
        let ann = rooms.join("clover").unwrap();
        let bob = rooms.join("clover").unwrap();
        assert_eq!(rooms.lock()["clover"].len(), 2);
        drop(ann);
        assert_eq!(rooms.lock()["clover"].len(), 1);
        drop(bob);
        assert!(rooms.lock().is_empty());
    }

    #[test]
    fn a_full_room_takes_nobody_until_somebody_leaves() {
        let rooms = Arc::new(Rooms::default());
        let mut members: Vec<_> = (0..MAX_MEMBERS)
            .map(|_| rooms.join("clover").unwrap())
            .collect();
        assert_eq!(rooms.join("clover").unwrap_err(), "this room is full");
        assert!(rooms.join("meadow").is_ok());
        members.pop();
        assert!(rooms.join("clover").is_ok());
    }

    #[test]
    fn there_are_so_many_rooms_and_no_more_but_those_there_are_may_be_joined() {
        let rooms = Arc::new(Rooms::default());
        let mut members: Vec<_> = (0..MAX_ROOMS)
            .map(|room| rooms.join(&room.to_string()).unwrap())
            .collect();
        assert_eq!(
            rooms.join("one more").unwrap_err(),
            "there are too many rooms"
        );
        assert!(rooms.join("0").is_ok());
        members.pop();
        assert!(rooms.join("one more").is_ok());
    }

    #[test]
    fn who_does_not_hear_what_is_said_loses_the_seat_and_the_others_hear_all() {
        let rooms = Arc::new(Rooms::default());
        let (mut ann, mut bob) = (rooms.join("a").unwrap(), rooms.join("a").unwrap());
        for n in 0..=MAX_WAITING {
            ann.say(&Message::text(n.to_string()));
            assert_eq!(
                ann.waiting.try_recv().unwrap().as_text(),
                Some(&*n.to_string())
            );
        }
        assert_eq!(rooms.lock()["a"].len(), 1);
        let heard = std::iter::from_fn(|| bob.waiting.try_recv().ok()).count();
        assert_eq!(heard, MAX_WAITING);
        drop(bob);
        assert_eq!(rooms.lock()["a"].len(), 1);
    }

    #[test]
    fn a_room_has_a_name_without_slashes() {
        assert_eq!(name_in("/rooms/clover"), Some("clover"));
        assert_eq!(name_in("/rooms/a%2Fb"), Some("a%2Fb"));
        let long = format!("/rooms/{}", "a".repeat(MAX_NAME + 1));
        for path in ["/", "/rooms", "/rooms/", "/rooms/a/b", "/other/a", &*long] {
            assert_eq!(name_in(path), None, "{path}");
        }
    }
}
