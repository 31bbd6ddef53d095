//! A million things that a client may do with a few numbers, each used again and again: what is sent
//! on a channel comes back on that one, and nothing else does.

use std::collections::{BTreeMap, VecDeque};

use cloverleaf_mux::Mux;

use crate::hand::{Hand, LENGTH, REQUEST};
use crate::pair::{SERVER, config};
use crate::schedules::Random;
use crate::testing::octets;
use crate::wire::{Said, take_message};

const NUMBERS: usize = 24;

/// What the server will say on a number, in this order.
#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Accepted,
    Echo(Vec<u8>),
    Close,
    /// What was expected in front of it may be missing: the channel was dropped.
    Acknowledged,
}

/// A number, and the channel that has it now.
#[derive(Default)]
struct Number {
    generation: u32,
    asked: bool,
    open: bool,
    credit: u64,
    /// Of a message in pieces: all of it so far.
    begun: Option<Vec<u8>>,
    expected: VecDeque<Expected>,
}

struct Client {
    server: Hand,
    numbers: BTreeMap<u8, Number>,
    slots: u64,
    request: Vec<u8>,
    generations: u32,
    echoes: u64,
    pongs: u64,
    missing: u64,
}

impl Client {
    fn new() -> Self {
        let mux = Mux::new()
            .channels(16)
            .max_opens(u32::MAX)
            .memory(17 * 4000);
        let mut client = Self {
            server: Hand::new(SERVER, config(mux)),
            numbers: (2..2 + NUMBERS as u8)
                .map(|id| (id, Number::default()))
                .collect(),
            slots: 0,
            request: octets(&format!("{LENGTH} {REQUEST}")),
            generations: 0,
            echoes: 0,
            pongs: 0,
            missing: 0,
        };
        client.hear();
        client
    }

    fn number(&mut self, id: u8) -> &mut Number {
        self.numbers.get_mut(&id).expect("one of ours")
    }

    fn open(&mut self, id: u8) {
        self.generations += 1;
        let generation = self.generations;
        self.slots -= 1;
        let number = self.number(id);
        *number = Number {
            generation,
            asked: true,
            // What is left of the last one is still to come.
            expected: core::mem::take(&mut number.expected),
            ..Number::default()
        };
        number.expected.push_back(Expected::Accepted);
        // With all the quota that there is, so that the server never waits.
        let grant = [
            0x40, id, 0x7f, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ];
        let message = [&[0, 0, id][..], &self.request, &grant].concat();
        self.server.say_octets(&message);
    }

    /// A frame, if it fits into the quota. Its payload begins with the generation.
    fn frame(&mut self, id: u8, first: u8, payload: &[u8]) -> bool {
        let cost = payload.len() as u64 + u64::from(first & 0x0f != 0);
        let number = self.number(id);
        if number.credit < cost {
            return false;
        }
        number.credit -= cost;
        self.server.say_octets(&[&[id, first], payload].concat());
        true
    }

    fn send(&mut self, id: u8, random: &mut Random) {
        let mut payload = match self.number(id).begun {
            None => self.number(id).generation.to_be_bytes().to_vec(),
            Some(_) => Vec::new(),
        };
        payload.resize(payload.len() + random.below(60), random.below(256) as u8);
        let fin = random.below(3) > 0;
        let begins = self.number(id).begun.is_none();
        let first = if begins { 2 } else { 0 } | if fin { 0x80 } else { 0 };
        if (payload.is_empty() && !fin) || !self.frame(id, first, &payload) {
            return;
        }
        let number = self.number(id);
        let mut whole = number.begun.take().unwrap_or_default();
        whole.extend_from_slice(&payload);
        if fin {
            number.expected.push_back(Expected::Echo(whole));
        } else {
            number.begun = Some(whole);
        }
    }

    fn drop_channel(&mut self, id: u8) {
        self.server.say_octets(&[0, 0x60, id, 2, 0x03, 0xe8]);
        let number = self.number(id);
        (number.asked, number.open) = (false, false);
        number.expected.push_back(Expected::Acknowledged);
    }

    fn close(&mut self, id: u8) {
        if self.frame(id, 0x88, &[0x03, 0xe8]) {
            let number = self.number(id);
            number.open = false;
            number.expected.push_back(Expected::Close);
        }
    }

    /// What the server says is what is expected, number by number.
    fn hear(&mut self) {
        let mut said = Vec::new();
        for frame in self.server.heard() {
            assert_eq!(frame[0], 0x82, "{frame:02x?}");
            take_message(&frame[1..], &mut said);
        }
        for said in said {
            match said {
                Said::Slots(slots, _) => self.slots += slots,
                Said::Grant(1, _) => {}
                Said::Grant(id, quota) => self.number(id as u8).credit += quota,
                Said::Response(id, true) => {
                    let number = self.number(id as u8);
                    assert_eq!(number.expected.pop_front(), Some(Expected::Accepted));
                    if number.asked {
                        number.open = true;
                        number.credit += 2000;
                    }
                }
                Said::Frame(id, 0x82, payload) => {
                    self.echoes += 1;
                    let number = self.number(id as u8);
                    assert_eq!(number.expected.pop_front(), Some(Expected::Echo(payload)));
                }
                Said::Frame(id, 0x8a, payload) => {
                    self.pongs += 1;
                    // Of a message that is left out, or of the channel that is there.
                    let generation = self.number(id as u8).generation.to_be_bytes();
                    assert_eq!(payload, generation);
                }
                Said::Frame(id, 0x88, payload) => {
                    assert_eq!(payload, [0x03, 0xe8]);
                    let number = self.number(id as u8);
                    assert_eq!(number.expected.pop_front(), Some(Expected::Close));
                    number.asked = false;
                }
                Said::Drop(id, Some(3008)) => {
                    let number = self.numbers.get_mut(&(id as u8)).expect("one of ours");
                    while let Some(expected) = number.expected.pop_front()
                        && expected != Expected::Acknowledged
                    {
                        self.missing += 1;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn a_million_random_operations_never_mix_two_channels_up() {
    let mut random = Random::new(16);
    let mut client = Client::new();
    let mut closed = 0;
    for n in 0..1_000_000 {
        let id = 2 + random.below(NUMBERS) as u8;
        let (asked, open) = (client.number(id).asked, client.number(id).open);
        match random.below(100) {
            0..4 if !asked && client.slots > 0 => client.open(id),
            4 if asked => client.drop_channel(id),
            5 if open => client.close(id),
            6..12 if open && client.number(id).begun.is_none() => {
                let generation = client.number(id).generation.to_be_bytes();
                client.frame(id, 0x89, &generation);
            }
            // For one that is not there: nobody hears of it.
            12..20 if !asked => client.server.say_octets(&[id, 0x82, b'x']),
            20..24 if !asked => client.server.say_octets(&[0, 0x40, id, 5, 0x60, id, 0]),
            24..28 => client.server.say_octets(&[0x41 + id, 0x01, b'x']),
            28.. if open => client.send(id, &mut random),
            _ => {}
        }
        if random.one_in(8) {
            client.hear();
        }
        if n % 1000 == 0 {
            closed += client.server.closed.len();
            client.server.closed.clear();
            client.server.received.clear();
        }
    }
    client.hear();
    let left: Vec<u8> = client.numbers.keys().copied().collect();
    for id in left {
        let expected = &client.number(id).expected;
        assert!(expected.is_empty(), "{id}: {expected:?}");
    }
    assert!(client.echoes > 200_000 && client.pongs > 10_000 && client.missing > 500);
    assert!(client.generations > 10_000 && closed > 10_000);
}
