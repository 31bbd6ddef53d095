//! Random schedules over a pipe that cuts octets anywhere and holds them back in either direction.
//!
//! `MUX_SEED=123` runs one schedule, and names what it found.

use cloverleaf_mux::Mux;
use cloverleaf_proto::Message;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::trunk::Key;

use crate::pair::{CLIENT, SERVER, config, deflating};
use crate::world::World;

const SCHEDULES: u64 = 10_000;

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let x = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((x ^ (x >> 31)) % end.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Two ends that are configured at random, and the number of channels.
fn world(random: &mut Random) -> (World, u32) {
    let channels = [1, 3, 8, 30, 200][random.below(5)];
    let opens = [5, 100, 1000][random.below(3)];
    let delta = random.one_in(2);
    let deflate = random.one_in(3);
    let parts = [random.one_in(3), random.one_in(3)];
    let mut memory = [0, 0];
    let configs = [CLIENT, SERVER].map(|end| {
        let window = [128, 131, 300, 2000, 65_536][random.below(5)];
        let each = 256 + random.below(800) as u64;
        memory[end] = u64::from(channels + 1) * each;
        let mux = Mux::new()
            .channels(channels)
            .window(window)
            .memory(memory[end])
            .grant_after(random.below(101) as u8)
            .max_opens(opens)
            .delta(delta);
        let mut config = if deflate { deflating(mux) } else { config(mux) };
        config.parts = parts[end];
        config.limits.write_high_water = [1, 100, 65_536][random.below(3)];
        config.limits.max_write_buffer = [1, 1000, 1 << 20][random.below(3)];
        config
    });
    (World::new(configs, memory), channels)
}

fn message(random: &mut Random, serial: u64, n: u64) -> Message {
    let size = match random.below(8) {
        0 | 1 => 0,
        2..=5 => random.below(60),
        6 => random.below(500),
        _ => random.below(3000),
    };
    if size == 0 {
        return if random.one_in(2) {
            Message::text("")
        } else {
            Message::binary("")
        };
    }
    let name = format!("{serial} {n} ");
    if random.one_in(2) {
        Message::text(format!("{name}{}", "é".repeat(size / 2)))
    } else {
        let mut octets = name.into_bytes();
        octets.extend((0..size).map(|_| random.below(256) as u8));
        Message::binary(octets)
    }
}

fn any(random: &mut Random, world: &World, end: usize) -> Option<(Key, u64)> {
    let live = &world.apps[end].live;
    let (key, live) = live.iter().nth(random.below(live.len()))?;
    Some((*key, live.serial))
}

/// One thing happens, whatever it is.
fn step(random: &mut Random, world: &mut World, n: u64) {
    let end = random.below(2);
    let size = [1, 7, 100, 5000][random.below(4)];
    let chosen = any(random, world, end);
    match (random.below(24), chosen) {
        (0..=2, _) => world.open(),
        (3..=7, Some((key, serial))) => {
            let message = message(random, serial, n);
            world.send(end, key, message);
        }
        (8, Some((key, _))) => {
            let part: Vec<u8> = (0..random.below(200)).map(|octet| octet as u8).collect();
            world.send_part(end, key, &part, random.one_in(2));
        }
        (9, Some((key, serial))) => {
            let mut payload = serial.to_be_bytes().to_vec();
            payload.resize(8 + random.below(118), n as u8);
            world.ping(end, key, payload);
        }
        (10, Some((key, _))) if random.one_in(2) => world.close(end, key),
        (11, Some((key, _))) if random.one_in(4) => world.abandon(end, key),
        (12, _) => {
            if let Some(key) = world.apps[SERVER].asked.first().copied() {
                world.respond(key, !random.one_in(4));
            }
        }
        (13, _) if random.one_in(8) => {
            world.settle();
            world.wait(random.below(4000) as u64);
        }
        (14..=16, _) => {
            world.leave(end, size);
        }
        (17..=19, _) => {
            world.arrive(end, size);
            world.hear(end);
            world.hear(1 - end);
        }
        (20..=22, Some((key, _))) => {
            world.hear(end);
            if world.apps[end].live.contains_key(&key) {
                world.read(end, key);
            }
        }
        _ => {
            world.leave(end, usize::MAX);
            world.arrive(end, usize::MAX);
            world.hear(1 - end);
        }
    }
}

/// More channels, one behind the other, than there are short numbers: they are used again.
fn use_up_numbers(random: &mut Random, world: &mut World) {
    for n in 0..140 {
        world.open();
        if random.one_in(8) {
            let message = message(random, 0, n);
            if let Some((key, _)) = any(random, world, CLIENT) {
                world.send(CLIENT, key, message);
            }
        }
        world.settle();
        let keys: Vec<Key> = world.apps[CLIENT].live.keys().copied().collect();
        for key in keys.into_iter().filter(|key| *key != Key::FIRST) {
            match random.below(3) {
                0 => world.abandon(CLIENT, key),
                _ => world.close(CLIENT, key),
            }
        }
        world.settle();
        if n % 5 == 4 {
            world.wait(10_000);
        }
    }
}

/// What all the schedules came to.
#[derive(Debug, Default)]
struct Sum {
    delivered: u64,
    pongs: u64,
    clean: u64,
    dropped: u64,
    frames: u64,
    exhausted: u64,
    reused: u64,
}

impl Sum {
    fn add(&mut self, world: &World) {
        self.delivered += world.delivered;
        self.pongs += world.pongs;
        self.clean += world.clean;
        self.dropped += world.ledger.dropped.len() as u64;
        self.frames += world.ledger.frames;
        self.exhausted += world.ledger.exhausted;
        self.reused += world.ledger.reused;
    }
}

fn healthy(seed: u64, sum: &mut Sum) {
    let mut random = Random::new(seed);
    let (mut world, channels) = world(&mut random);
    if seed % 100 == 99 {
        use_up_numbers(&mut random, &mut world);
    }
    for n in 0..20 + random.below(130) {
        step(&mut random, &mut world, n as u64);
    }
    world.settle();
    world.check_nothing_is_lost();
    // Everybody closes; none is closed by both.
    for end in [CLIENT, SERVER] {
        let keys: Vec<Key> = world.apps[end].live.keys().copied().collect();
        for key in keys.into_iter().filter(|_| random.one_in(2)) {
            world.close(end, key);
        }
    }
    world.settle();
    let keys: Vec<Key> = world.apps[CLIENT].live.keys().copied().collect();
    for key in keys {
        world.close(CLIENT, key);
    }
    world.settle();
    world.check_nothing_is_left();
    assert_eq!(world.ledger.numbers(CLIENT), []);
    assert_eq!(world.ledger.numbers(SERVER), []);
    // Every slot comes back.
    for _ in 0..2 {
        world.wait(10_000);
        world.settle();
    }
    assert_eq!(world.trunks[CLIENT].slots(), Some(channels as usize));
    let end = random.below(2);
    let closed = world.trunks[end].close_all(CloseCode::NORMAL, "");
    closed.expect("it is open");
    world.settle();
    for app in &world.apps {
        assert!(app.over.as_ref().is_some_and(|over| over.clean));
    }
    sum.add(&world);
}

fn broken(seed: u64, sum: &mut Sum) {
    let mut random = Random::new(seed ^ 0x6272_6f6b_656e);
    let (mut world, _) = world(&mut random);
    let at_once = random.one_in(2);
    if !at_once {
        let octets = random.below(6000);
        world.break_after(random.below(2), octets);
    }
    for n in 0..20 + random.below(130) {
        step(&mut random, &mut world, n as u64);
    }
    if at_once || !world.broken {
        world.break_now();
    }
    for n in 0..random.below(30) {
        step(&mut random, &mut world, n as u64);
    }
    for _ in 0..4 {
        world.settle();
        world.wait(30_000);
    }
    world.settle();
    world.check_nothing_is_left();
    for end in [CLIENT, SERVER] {
        assert!(world.apps[end].over.is_some(), "{end} goes on");
        assert!(world.trunks[end].is_done());
    }
    sum.add(&world);
}

/// Runs the seeds, or the one that is asked for; a failure names its seed.
fn run(schedule: impl Fn(u64, &mut Sum), seeds: u64) -> Option<Sum> {
    let mut sum = Sum::default();
    if let Ok(seed) = std::env::var("MUX_SEED") {
        schedule(seed.parse().expect("MUX_SEED is a number"), &mut sum);
        println!("{sum:?}");
        return None;
    }
    for seed in 0..seeds {
        let named = Named(seed);
        schedule(seed, &mut sum);
        core::mem::forget(named);
    }
    Some(sum)
}

/// Says its seed when it is dropped: while a panic passes.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        eprintln!("MUX_SEED={}", self.0);
    }
}

#[test]
fn over_any_pipe_no_quota_is_exceeded_and_nothing_is_lost_mixed_up_or_left_over() {
    let Some(sum) = run(healthy, SCHEDULES) else {
        return;
    };
    // They have been everywhere.
    println!("{sum:?}");
    assert!(sum.delivered > 40_000 && sum.pongs > 5000 && sum.frames > 200_000);
    assert!(sum.exhausted > 40_000 && sum.clean > 40_000 && sum.dropped > 2000);
    assert!(sum.reused > 1000);
}

#[test]
fn when_the_pipe_breaks_what_came_whole_is_delivered_and_every_channel_ends() {
    let Some(sum) = run(broken, SCHEDULES / 5) else {
        return;
    };
    println!("{sum:?}");
    assert!(sum.delivered > 5000 && sum.exhausted > 4000 && sum.dropped > 300);
}
