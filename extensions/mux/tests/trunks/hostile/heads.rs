//! Huge handshakes: declared, and real.

use allocation_counter::measure;
use cloverleaf_mux::Mux;

use crate::hand::Hand;
use crate::pair::{SERVER, config};
use crate::testing::octets;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A request of 16 KiB but a few octets, in some fields.
fn huge() -> String {
    let mut head = "'GET /2 HTTP/1.1' CRLF 'Host: a' CRLF 'Connection: Upgrade' CRLF".to_owned();
    for field in 0..16 {
        head += &format!(" 'x-{field:02}: {}' CRLF", "x".repeat(1000));
    }
    head + " CRLF"
}

#[test]
fn a_length_that_is_only_declared_takes_no_memory() {
    let mut server = Hand::server();
    // A physical frame of 64 KiB, of which little comes; a request of 2^62 octets in its blocks.
    let counted = measure(|| {
        server.raw(&octets("82 fe ff ff 00 00 00 00"));
        server.raw(&octets("00 00 02 7f 40 00 00 00 00 00 00 00"));
    });
    assert!(counted.bytes_max <= KIB, "{counted:?}");
    let counted = measure(|| server.raw(&vec![b'x'; 0xffff - 12]));
    // It is there now, in a buffer that has grown, and refused.
    assert!(counted.bytes_max <= 320 * KIB, "{counted:?}");
    assert_eq!(
        server.heard().last().map(|last| last[..3].to_vec()),
        Some(octets("88 03 f3"))
    );
}

#[test]
fn requests_that_nobody_answers_are_64_times_16_kib_and_end_after_ten_seconds() {
    let mut server = Hand::new(SERVER, config(Mux::new()));
    server.answers = false;
    server.heard();
    let head = octets(&huge());
    let length = (head.len() as u16).to_be_bytes();
    let mut requests = Vec::new();
    for id in 2..=65 {
        requests.push([&[0, 0, id, 0x7e][..], &length, &head].concat());
    }
    let counted = measure(|| {
        for request in &requests {
            server.say_octets(request);
            server.application();
        }
    });
    assert!(counted.bytes_max <= 4 * MIB, "{counted:?}");
    let counted = measure(|| {
        server.wait(10_000);
        server.heard();
    });
    assert!(counted.bytes_current < -64 * 16_000, "{counted:?}");
    assert_eq!(server.trunk.channels().count(), 1);
}

#[test]
fn small_differences_that_expand_to_huge_requests_are_no_more_than_those() {
    let mux = Mux::new().channels(1000).max_opens(1001).memory(8 << 20);
    let mut server = Hand::new(SERVER, config(mux));
    server.heard();
    let head = octets(&huge());
    let length = (head.len() as u16).to_be_bytes();
    server.say_octets(&[&[0, 0, 2, 0x7e][..], &length, &head].concat());
    server.heard();
    let differences: Vec<Vec<u8>> = (128..1127_u16)
        .map(|id| {
            let [high, low] = (id | 0x8000).to_be_bytes();
            [
                &[0, 1, high, low, 20][..],
                b"GET /x HTTP/1.1\r\na: b\r\n\r\n",
            ]
            .concat()
        })
        .map(|mut block| {
            block[4] = (block.len() - 5) as u8;
            block
        })
        .collect();
    // Answered at once, as they come.
    let counted = measure(|| {
        for difference in &differences {
            server.say_octets(difference);
            server.heard();
        }
    });
    assert_eq!(server.trunk.channels().count(), 1001);
    assert!(counted.bytes_current <= 1000 * 1300, "{counted:?}");
    assert!(counted.bytes_max <= 1000 * 1300 + 256 * KIB, "{counted:?}");
}
