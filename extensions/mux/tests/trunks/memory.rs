//! What channels cost, counted by the allocator of this program.

use allocation_counter::measure;
use cloverleaf_mux::Mux;
use cloverleaf_proto::Trunk;

use crate::pair::{CLIENT, SERVER, config, deflating};
use crate::world::World;

/// Octets that it gives back when it is dropped.
fn held(trunk: Trunk) -> i64 {
    -measure(|| drop(trunk)).bytes_current
}

fn idle(channels: u32, deflate: bool) -> [i64; 2] {
    let mux = Mux::new()
        .channels(channels)
        .max_opens(channels)
        .memory(8 << 20);
    let one = || {
        if deflate {
            deflating(mux.clone())
        } else {
            config(mux.clone())
        }
    };
    let mut world = World::new([one(), one()], [8 << 20; 2]);
    world.settle();
    for _ in 0..channels {
        world.open();
    }
    world.settle();
    // Each has been at work.
    for end in [CLIENT, SERVER] {
        for key in world.trunks[end].channels().collect::<Vec<_>>() {
            let message = cloverleaf_proto::Message::text("x".repeat(3000));
            world.send(end, key, message);
        }
        world.settle();
    }
    let [client, server] = world.trunks;
    [held(client), held(server)]
}

#[test]
fn a_thousand_idle_channels_take_less_than_a_kib_each_and_two_with_compression() {
    for (deflate, most) in [(false, 600), (true, 1900)] {
        let few = idle(10, deflate);
        let many = idle(1010, deflate);
        for end in [CLIENT, SERVER] {
            let each = (many[end] - few[end]) / 1000;
            println!("{each} octets each");
            assert!(each <= most, "{each}");
        }
    }
}
