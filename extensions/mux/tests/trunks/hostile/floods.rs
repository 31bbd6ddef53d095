//! Whatever a peer sends, it never makes us hold more than was granted, and little beside it.
//! Counted by the allocator of this program.

use allocation_counter::measure;
use cloverleaf_mux::Mux;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::error::{ConnectionError, Deadline};

use crate::hand::{Hand, LENGTH, REQUEST, like_pywebsocket};
use crate::pair::{CLIENT, SERVER, config};
use crate::testing::octets;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A server with the defaults and 65 channels, each of which may be sent this much.
const INITIAL: usize = 8065;

fn full_server() -> Hand {
    let mut server = Hand::new(SERVER, config(Mux::new()));
    server.heard();
    for id in 2..=65 {
        server.say(&format!(
            "00 00 {id:02x} {LENGTH} {REQUEST} 40 {id:02x} 7e 20 00"
        ));
        server.heard();
    }
    server
}

/// The most that is held while channels that nobody reads are filled so, beyond what was held before.
fn filled(fill: impl Fn(&mut Hand, u8)) -> u64 {
    let mut server = full_server();
    let counted = measure(|| {
        for id in 1..=65 {
            fill(&mut server, id);
        }
    });
    // Not one octet too many: all is well, and all of it can be read.
    assert_eq!(server.trunk.channels().count(), 65);
    server.echoes = false;
    server.heard();
    assert!(server.closed.is_empty() && server.over.is_none());
    counted.bytes_max
}

#[test]
fn channels_that_nobody_reads_hold_their_quota_and_in_the_smallest_frames_a_few_times_that() {
    let granted = 65 * INITIAL as u64;
    let in_one = filled(|server, id| {
        let mut message = vec![id, 0x82];
        message.resize(2 + INITIAL - 1, 7);
        server.say_octets(&message);
    });
    assert!(in_one <= granted + 64 * KIB, "{in_one}");
    let messages_of_nothing = filled(|server, id| {
        for _ in 0..INITIAL {
            server.say_octets(&[id, 0x82]);
        }
    });
    let pieces_of_one = filled(|server, id| {
        server.say_octets(&[id, 0x02]);
        for _ in 1..INITIAL {
            server.say_octets(&[id, 0x00, 7]);
        }
    });
    let pings_in_pieces = filled(|server, id| {
        for _ in 0..INITIAL / 2 {
            server.say_octets(&[id, 0x09, 7]);
            server.say_octets(&[id, 0x80]);
        }
    });
    // A frame takes two octets beside its own, and room grows by half.
    for held in [messages_of_nothing, pieces_of_one, pings_in_pieces] {
        assert!(held <= granted * 9 / 2, "{held} of {granted}");
    }
}

/// Opens a channel, fills it, and drops it, a hundred times in each ten seconds.
fn reset(hand: &mut Hand, windows: usize) {
    let open = octets(&format!("00 00 02 {LENGTH} {REQUEST} 40 02 7e 20 00"));
    let fill = octets(&format!("02 82 '{}'", "x".repeat(8191)));
    for _ in 0..windows {
        for _ in 0..100 {
            hand.say_octets(&open);
            hand.heard();
            hand.say_octets(&fill);
            hand.say_octets(&[0, 0x60, 2, 0]);
            hand.heard();
            hand.closed.clear();
            hand.received.clear();
        }
        hand.wait(10_000);
    }
    assert!(hand.over.is_none());
}

#[test]
fn a_rapid_reset_takes_no_memory_and_beyond_a_hundred_in_ten_seconds_ends_the_connection() {
    let mut server = Hand::server();
    server.echoes = false;
    reset(&mut server, 2);
    let counted = measure(|| reset(&mut server, 200));
    assert!(counted.bytes_max <= 64 * KIB, "{counted:?}");
    assert!(counted.bytes_current <= 1024, "{counted:?}");
    // One more in the same time than it may ends the connection: it has used up its slots.
    let open = format!("00 00 02 {LENGTH} {REQUEST} 60 02 00");
    let counted = measure(|| {
        for _ in 0..100_000 {
            server.say(&open);
            server.application();
        }
    });
    assert_eq!(
        server.heard().last().map(|last| last[..3].to_vec()),
        Some(octets("88 03 f3"))
    );
    assert!(counted.bytes_max <= 64 * KIB, "{counted:?}");
}

#[test]
fn channels_that_were_filled_and_dropped_before_anybody_read_are_bounded_together() {
    let mut server = Hand::server();
    server.reads = false;
    let counted = measure(|| reset(&mut server, 10));
    // 1000 times 8 KiB came; of that, a MiB is kept, and a KiB or so for each channel.
    let most = MIB + 1000 * 1200;
    assert!(counted.bytes_max <= most, "{counted:?}");
}

#[test]
fn what_is_thrown_away_on_a_channel_that_we_close_is_not_kept_until_somebody_reads() {
    let mut server = Hand::server();
    server.reads = false;
    let open = octets(&format!("00 00 02 {LENGTH} {REQUEST} 40 02 7e 20 00"));
    let fill = octets(&format!("02 82 '{}'", "x".repeat(8188)));
    let counted = measure(|| {
        for _ in 0..10 {
            for _ in 0..100 {
                server.say_octets(&open);
                server.application();
                let key = server.trunk.channels().last().expect("it is open");
                let closed = server.trunk.close(key, CloseCode::NORMAL, "");
                closed.expect("it is open");
                server.heard();
                server.say_octets(&fill);
                server.say_octets(&[2, 0x88, 0x03, 0xe8]);
                server.heard();
            }
            server.wait(10_000);
        }
    });
    // 1000 times 8 KiB came, and a KiB or so stays for each channel.
    assert!(counted.bytes_max <= 1000 * 1200, "{counted:?}");
    server.reads = true;
    for key in server.trunk.channels().collect::<Vec<_>>() {
        server.read(key);
    }
    assert_eq!(server.closed.len(), 1000);
    assert!(server.closed.values().all(|closed| closed.clean));
}

#[test]
fn a_server_that_gives_and_takes_for_ever_takes_no_memory_of_a_client() {
    let mut client = Hand::client();
    let flood = |client: &mut Hand, rounds: usize| {
        for _ in 0..rounds {
            client.say("00 80 01 7e 20 00");
            let opened = client.trunk.open(crate::pair::request("2"), [1; 16]);
            opened.expect("a slot");
            let request = client.heard().swap_remove(0);
            // The number, in one octet or in two.
            let id = if request[3] & 0x80 == 0 {
                &request[3..4]
            } else {
                &request[3..5]
            };
            let drop = [&[0, 0x60][..], id, &[2, 3, 0xe8]].concat();
            client.say_octets(&drop);
            client.say_octets(&drop);
            client.say_octets(&[id, &[0x81, b'x'][..]].concat());
            client.heard();
            client.refused.clear();
        }
    };
    flood(&mut client, 200);
    let counted = measure(|| flood(&mut client, 20_000));
    assert!(counted.bytes_max <= 64 * KIB, "{counted:?}");
    assert!(counted.bytes_current <= 1024, "{counted:?}");
    assert!(client.over.is_none());
}

#[test]
fn a_peer_that_asks_and_never_reads_is_ended_at_the_bound_of_the_write_buffer() {
    // Every frame that is read is granted anew at once: two octets cost an answer.
    let mux = Mux::new().memory(65 * 256).grant_after(0);
    for role in [CLIENT, SERVER] {
        let mut hand = Hand::new(role, config(mux.clone()));
        hand.heard();
        hand.echoes = false;
        let counted = measure(|| {
            for _ in 0..1_000_000 {
                hand.say_octets(&[1, 0x82, 7]);
                hand.application();
                hand.received.clear();
            }
        });
        // A megabyte of answers, in a buffer that moves into one of twice its size.
        assert!(counted.bytes_max <= 3 * MIB + 64 * KIB, "{counted:?}");
        let heard = hand.heard();
        // The last is the close frame. Each is a few octets, and those of a client are masked.
        assert!((100_000..190_000).contains(&heard.len()), "{}", heard.len());
        assert_eq!(
            heard.last().map(|last| last[..3].to_vec()),
            Some(octets("88 03 f3"))
        );
    }
}

#[test]
fn a_peer_that_asks_and_never_reads_is_ended_when_nothing_can_be_written_for_thirty_seconds() {
    for role in [CLIENT, SERVER] {
        let mut hand = Hand::new(role, config(like_pywebsocket()));
        hand.heard();
        let ping = hand.physical(0x89, b"x");
        hand.raw(&ping);
        hand.stall();
        for _ in 0..29 {
            hand.wait(1000);
            hand.say("01 89 'x'");
            hand.raw(&ping);
            hand.application();
        }
        assert!(hand.over.is_none());
        hand.wait(1000);
        hand.application();
        let over = hand.over.expect("it is over");
        let stalled = ConnectionError::Deadline(Deadline::WriteStall);
        assert_eq!(over.error, Some(stalled));
        assert_eq!(hand.closed.len(), 1);
        assert_eq!(hand.trunk.channels().count(), 0);
    }
}
