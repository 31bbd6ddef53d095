//! Random schedules: nothing is lost, mixed up or put out of order, no quota is exceeded (the toy
//! asserts it), and every channel ends.

use std::collections::{HashMap, VecDeque};

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::trunk::Key;
use cloverleaf_proto::{Event, Message, Role};

use crate::ends::{Pair, request};
use crate::toy::Settings;

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) % end.max(1) as u64) as usize
    }
}

/// Messages on their way to one end of a channel, oldest first.
type Way = HashMap<(Role, Key), VecDeque<Message>>;

fn schedule(seed: u64) {
    let mut random = Random(seed);
    let settings = Settings {
        window: [3, 20, 300, 5000][random.below(4)],
        slots: 30,
    };
    let mut pair = Pair::new(settings);
    pair.piece = [1, 5, 1000][random.below(3)];
    let mut underway: Way = Way::new();
    let mut closed: HashMap<(Role, Key), bool> = HashMap::new();
    let mut sent = 0;
    for _ in 0..60 {
        let role = [Role::Client, Role::Server][random.below(2)];
        let ids: Vec<Key> = pair.end(role).channels().collect();
        let id = ids.get(random.below(ids.len())).copied();
        match (random.below(12), id) {
            (0, _) => {
                let _ = pair.client.open(request(), [sent as u8; 16]);
            }
            (1..=5, Some(id)) => {
                sent += 1;
                let size = random.below(3) * random.below(200);
                let message = Message::text(format!("{sent:04}{}", "x".repeat(size)));
                let taken = pair.end(role).send(id, message.clone(), Hints::new());
                if taken.is_ok() {
                    underway
                        .entry((role.peer(), id))
                        .or_default()
                        .push_back(message);
                }
            }
            (6, Some(id)) => {
                let _ = pair.end(role).ping(id, b"ping");
            }
            (7, Some(id)) if random.below(3) == 0 && id != Key::FIRST => {
                let begun = pair.end(role).close(id, CloseCode::NORMAL, "");
                // What is on its way to the end that closes is thrown away there.
                closed.extend(begun.ok().map(|()| ((role, id), true)));
            }
            (8, _) => {
                pair.carry(role);
            }
            (9, _) => {
                pair.exchange();
            }
            (_, Some(id)) => {
                take(&mut pair, role, id, &mut underway, &mut closed);
            }
            _ => {}
        }
    }
    // Everything comes to an end: events may lead to frames, and frames to events.
    let mut quiet = 0;
    while quiet < 3 {
        let mut moved = !pair.exchange().is_empty();
        for role in [Role::Client, Role::Server] {
            let ids: Vec<Key> = pair.end(role).channels().collect();
            for id in ids {
                moved |= pair.end(role).buffered(id) > 0;
                moved |= take(&mut pair, role, id, &mut underway, &mut closed);
            }
        }
        quiet = if moved { 0 } else { quiet + 1 };
    }
    for ((role, id), messages) in &underway {
        let thrown_away = closed.contains_key(&(*role, *id));
        assert!(
            messages.is_empty() || thrown_away,
            "seed {seed}: {} messages to the {role:?} on {id:?} are lost",
            messages.len()
        );
    }
    for role in [Role::Client, Role::Server] {
        let ids: Vec<Key> = pair.end(role).channels().collect();
        for id in ids {
            let state = pair.end(role).state(id);
            assert_eq!(state, Some(State::Open), "seed {seed}: {id:?} hangs");
        }
    }
}

/// Takes the events of a channel, says whether there were any, and compares the messages with what was sent.
fn take(
    pair: &mut Pair,
    role: Role,
    id: Key,
    underway: &mut Way,
    closed: &mut HashMap<(Role, Key), bool>,
) -> bool {
    let events = pair.events(role, id);
    let some = !events.is_empty();
    for event in events {
        match event {
            Event::Message(message) => {
                let expected = underway.get_mut(&(role, id)).and_then(VecDeque::pop_front);
                assert_eq!(message.kind(), Kind::Text);
                assert_eq!(Some(message), expected, "to the {role:?} on {id:?}");
            }
            Event::Closed(end) => {
                // The number may be used again: what was on its way belongs to the past.
                if closed.remove(&(role, id)).is_some() {
                    underway.remove(&(role, id));
                }
                let left = underway.remove(&(role, id)).unwrap_or_default();
                assert!(
                    left.is_empty(),
                    "lost to the {role:?} at the end of {id:?}, {end:?}: {left:?}"
                );
            }
            _ => {}
        }
    }
    some
}

#[test]
fn over_many_random_schedules_nothing_is_lost_mixed_up_or_left_hanging() {
    for seed in 0..10_000 {
        schedule(seed);
    }
}
