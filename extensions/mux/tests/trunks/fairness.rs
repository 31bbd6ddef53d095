//! Who may send how much: channels that all send go forward together, and none holds up another.

use std::collections::BTreeMap;

use bytes::Bytes;
use cloverleaf_mux::Mux;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::handshake::Decision;
use cloverleaf_proto::trunk::{Key, News};
use cloverleaf_proto::{Event, Message, Trunk};

use crate::pair::{CLIENT, SERVER, at, config, request, trunks};
use crate::wire::{Reader, Said};

const MIB: usize = 1 << 20;

/// Two trunks whose applications read every channel, but those that are stalled.
struct Flow {
    trunks: [Trunk; 2],
    buffer: Vec<u8>,
    stalled: Vec<Key>,
    /// By the end that receives: octets of messages, and pings.
    came: [BTreeMap<Key, usize>; 2],
    pings: Vec<Key>,
    /// Channels that are open at both ends, which count them alike.
    open: Vec<Key>,
    /// What leaves the server, if it is to be read.
    reader: Option<(Reader, Vec<Said>)>,
}

impl Flow {
    /// With so many channels, and the first.
    fn new(channels: u32) -> Self {
        let mut config = config(Mux::new().channels(channels).max_opens(channels));
        config.parts = true;
        config.limits.max_message_size = 64 * MIB;
        config.limits.max_write_buffer = 65 * MIB;
        let (trunks, _) = trunks([config.clone(), config]);
        let mut flow = Self {
            trunks,
            buffer: Vec::new(),
            stalled: Vec::new(),
            came: [BTreeMap::new(), BTreeMap::new()],
            pings: Vec::new(),
            open: vec![Key::FIRST],
            reader: None,
        };
        flow.settle();
        for _ in 0..channels {
            let key = flow.trunks[CLIENT].open(request("x"), [1; 16]);
            flow.open.push(key.expect("a slot"));
        }
        flow.settle();
        flow
    }

    /// What has gathered at one end goes to the other, where it is read. Whether there was any.
    fn carry(&mut self, from: usize) -> bool {
        let Transmit::Write(front, back) = self.trunks[from].poll_transmit() else {
            return false;
        };
        self.buffer.clear();
        self.buffer.extend_from_slice(front);
        self.buffer.extend_from_slice(back);
        self.trunks[from].handle_written(at(0), self.buffer.len());
        if let Some((reader, said)) = self.reader.as_mut().filter(|_| from == SERVER) {
            said.extend(reader.read(&self.buffer));
        }
        self.trunks[1 - from].handle_input(at(0), &mut self.buffer);
        self.hear(1 - from);
        true
    }

    fn hear(&mut self, end: usize) {
        while let Some(news) = self.trunks[end].poll_news() {
            match news {
                News::Requested(key) => {
                    let answered = self.trunks[end].respond(key, Decision::accept());
                    answered.expect("it is asked");
                }
                News::Ready(key) if end == SERVER || !self.stalled.contains(&key) => {
                    while let Some(event) = self.trunks[end].poll_channel(key) {
                        match event {
                            Event::Part { payload, .. } => {
                                *self.came[end].entry(key).or_default() += payload.len();
                            }
                            Event::Ping(_) => self.pings.push(key),
                            Event::Pong(_) => {}
                            other => panic!("{other:?}"),
                        }
                    }
                }
                News::Closed(closed) => panic!("{closed:?}"),
                _ => {}
            }
        }
    }

    fn settle(&mut self) {
        while self.carry(CLIENT) | self.carry(SERVER) {}
    }

    fn send(&mut self, from: usize, key: Key, payload: &Bytes) {
        let message = Message::binary(payload.clone());
        let sent = self.trunks[from].send(key, message, Hints::new());
        sent.expect("there is room");
    }

    fn came(&self, end: usize, key: Key) -> usize {
        self.came[end].get(&key).copied().unwrap_or(0)
    }
}

/// 64 channels send so much each, all from this end, and whoever is in front is never more than twice
/// as far as who is behind. In every stretch of 8 MiB, all get the same, give or take a fifth.
fn sixty_four_channels_go_forward_together(from: usize, each: usize) {
    const STRETCH: usize = 8 * MIB;
    let mut flow = Flow::new(63);
    let payload = Bytes::from(vec![0x5a; each]);
    let keys = flow.open.clone();
    assert_eq!(keys.len(), 64);
    for key in &keys {
        flow.send(from, *key, &payload);
    }
    let mut before = vec![0; 64];
    let mut stretches = 0;
    while flow.carry(from) {
        while flow.carry(1 - from) {}
        let came: Vec<usize> = keys.iter().map(|key| flow.came(1 - from, *key)).collect();
        let (least, most) = (came.iter().min().copied(), came.iter().max().copied());
        let (least, most) = (least.expect("64"), most.expect("64"));
        // Each has had its first turn.
        if least > 0 {
            assert!(
                most <= 2 * least,
                "the first is at {most}, the last at {least}"
            );
        }
        let sum: usize = came.iter().sum();
        if sum - before.iter().sum::<usize>() >= STRETCH && sum < 63 * each {
            let share = (sum - before.iter().sum::<usize>()) / 64;
            for (now, then) in came.iter().zip(&before) {
                let got = now - then;
                let fair = share * 4 / 5..=share * 6 / 5;
                assert!(fair.contains(&got), "{got} of {share} in one stretch");
            }
            before = came;
            stretches += 1;
        }
    }
    for key in &keys {
        assert_eq!(flow.came(1 - from, *key), each);
    }
    assert!(stretches >= 64 * each / STRETCH / 2);
}

#[test]
fn sixty_four_channels_of_a_server_send_64_mib_each_and_go_forward_together() {
    sixty_four_channels_go_forward_together(SERVER, 64 * MIB);
}

#[test]
fn sixty_four_channels_of_a_client_go_forward_together_too() {
    sixty_four_channels_go_forward_together(CLIENT, 64 * MIB);
}

#[test]
fn a_channel_that_nobody_reads_holds_up_no_other() {
    let mut flow = Flow::new(7);
    let payload = Bytes::from(vec![0x5a; 16 * MIB]);
    let keys = flow.open.clone();
    let stalled = keys[3];
    flow.stalled.push(stalled);
    for key in &keys {
        flow.send(SERVER, *key, &payload);
    }
    let mut steps = 0;
    while flow.carry(SERVER) {
        while flow.carry(CLIENT) {}
        steps += 1;
    }
    for key in keys.iter().filter(|key| **key != stalled) {
        assert_eq!(flow.came(CLIENT, *key), payload.len());
    }
    // As many octets as the connection carries at once, each time: nobody waited for anybody.
    let octets = 7 * payload.len();
    assert!(steps * (32 << 10) < octets, "{steps} steps");
    // It held what it was granted and not an octet more, and goes on as soon as it is read.
    let left = flow.trunks[SERVER].buffered(stalled);
    assert!(left >= payload.len() - (64 << 10), "{left}");
    flow.stalled.clear();
    while let Some(event) = flow.trunks[CLIENT].poll_channel(stalled) {
        let Event::Part { payload, .. } = event else {
            panic!("{event:?}");
        };
        *flow.came[CLIENT].entry(stalled).or_default() += payload.len();
    }
    flow.settle();
    assert_eq!(flow.came(CLIENT, stalled), payload.len());
}

/// So many messages of the connection leave between a ping and its frame, while others send much.
fn messages_in_front_of_a_ping(others: u32) -> usize {
    let mut flow = Flow::new(others);
    let payload = Bytes::from(vec![0x5a; 64 * MIB / others as usize]);
    let keys = flow.open.clone();
    for key in &keys[1..] {
        flow.send(SERVER, *key, &payload);
    }
    let mut most = 0;
    for round in 1..=30 {
        for _ in 0..13 {
            flow.carry(SERVER);
            while flow.carry(CLIENT) {}
        }
        flow.reader = Some((Reader::default(), Vec::new()));
        // What is on its way to the network already is in front, whatever it is.
        flow.trunks[SERVER].poll_transmit();
        flow.trunks[SERVER]
            .ping(Key::FIRST, b"?")
            .expect("it is open");
        while flow.pings.len() < round {
            assert!(flow.carry(SERVER), "it gets there");
            flow.carry(CLIENT);
        }
        let (_, said) = flow.reader.take().expect("it reads");
        let ping = |said: &Said| matches!(said, Said::Frame(1, 0x89, _));
        most = most.max(said.iter().position(ping).expect("it was seen"));
    }
    assert!(flow.trunks[SERVER].buffered(keys[1]) > 0, "they still send");

    most
}

#[test]
fn a_ping_crosses_while_another_channel_sends_64_mib() {
    // What is in the write buffer at once, 64 KiB, and one turn.
    let messages = messages_in_front_of_a_ping(1);
    assert!(messages <= 12, "{messages}");
}

#[test]
fn a_ping_waits_for_one_turn_of_each_other_channel() {
    let messages = messages_in_front_of_a_ping(64);
    assert!(messages <= 64 + 12, "{messages}");
}
