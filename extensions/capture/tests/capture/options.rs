//! What is left out of a file when it is asked for, and what always is.

use cloverleaf_capture::{Options, Status};
use cloverleaf_proto::Message;
use cloverleaf_proto::extension::{Extensions, Hints};

use crate::conversation::{ROLES, small};
use crate::reader::read;
use crate::{Pair, capture};

fn holds(file: &[u8], text: &str) -> bool {
    file.windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn credentials_are_left_out_unless_they_are_wanted() {
    for role in ROLES {
        let file = small(role, Options::new());
        assert!(!holds(&file, "secret"));
        assert!(holds(&file, "example.com"));
        let file = small(role, Options::new().redact("HOST"));
        assert!(!holds(&file, "example.com"));
        let file = small(role, Options::new().keep_credentials());
        assert!(holds(&file, "secret-in-query") && holds(&file, "Bearer secret-in-field"));
    }
}

#[test]
fn without_payloads_lengths_and_close_codes_remain() {
    for role in ROLES {
        let file = small(role, Options::new().without_payloads());
        for said in ["hello", "alive?", "bye"] {
            assert!(!holds(&file, said), "{said}");
        }
        let read = read(&file);
        let conversation = &read.conversations[&(2, 49152)];
        let frames = conversation.parse(0).1;
        let payloads: Vec<&[u8]> = frames.iter().map(|frame| &frame.payload[..]).collect();
        assert_eq!(
            payloads,
            [&b"\0\0\0\0\0"[..], b"\0\0\0\0\0\0", b"\x03\xe8\0\0\0"]
        );
        assert_eq!(conversation.comments[1], "closed with code 1000");
    }
}

#[test]
fn a_snapped_payload_is_missing_from_packets_that_say_how_long_they_were() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new().snap(1500));
        let mut pair = Pair::new(role, &capture, &Extensions::new(), true);
        pair.client
            .send(Message::text("short"), Hints::new())
            .unwrap();
        pair.client
            .send(Message::binary(vec![1; 4000]), Hints::new())
            .unwrap();
        pair.client
            .send(Message::text("short again"), Hints::new())
            .unwrap();
        pair.settle();
        let file = read(&disk.read());
        let conversation = &file.conversations[&(2, 49152)];
        assert_eq!(conversation.lost, 2500);
        let stream = &conversation.streams[0];
        assert!(stream.ends_with(b"\x81\x8B\0\0\0\0short again"));
        let cut: Vec<(usize, usize)> = file
            .packets
            .iter()
            .map(|packet| (packet.data.len(), packet.length))
            .filter(|(found, length)| found != length)
            .collect();
        // Of 4,008 octets 1,508 are kept: one segment, 48 of the second, none of the third.
        assert_eq!(cut, [(54 + 48, 1514), (54, 54 + 1088)]);
    }
}

#[test]
fn the_limit_is_kept_to_the_octet_and_the_last_packet_says_that_it_was_reached() {
    let whole = small(ROLES[0], Options::new()).len() as u64;
    let mut noted = 0;
    for limit in 0..=whole + 200 {
        let file = small(ROLES[0], Options::new().limit(limit));
        assert!(file.len() as u64 <= limit);
        // Whatever fits in front of it, the file can be read to its last block.
        let read = if file.is_empty() {
            continue;
        } else {
            crate::reader::packets(&file)
        };
        let last = read.last().and_then(|packet| packet.comment.as_deref());
        if last == Some("recording ends here: the limit of this file is reached") {
            noted += 1;
        } else if last.is_some() {
            assert_eq!(last, None, "{limit}");
        }
    }
    assert!(noted > 1000, "{noted}");
}

#[test]
fn a_full_capture_says_so_and_does_not_disturb() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new().limit(4000));
        let mut pair = Pair::new(role, &capture, &Extensions::new(), true);
        assert!(matches!(capture.status(), Status::Recording));
        for _ in 0..100 {
            let message = Message::text("x".repeat(100));
            pair.client.send(message, Hints::new()).unwrap();
            assert_eq!(pair.settle().len(), 1);
        }
        assert!(matches!(capture.status(), Status::Full));
        assert_eq!(capture.written(), disk.read().len() as u64);
        assert_eq!(
            capture.status().to_string(),
            "no longer recording: the limit of the file is reached"
        );
        capture.flush().unwrap();
        assert!(read(&disk.read()).packets.len() > 5);
    }
}
