use super::*;
use crate::testing::octets;

const IDENTITY: &str = "'GET /echo HTTP/1.1' CRLF 'Host: server.example.com' CRLF \
     'Connection: Upgrade' CRLF 'Origin: http://example.com' CRLF CRLF";
const DELTA: &str = "'GET /echo HTTP/1.1' CRLF CRLF";
const ACCEPTED: &str = "'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF CRLF";
const SUBPROTOCOL: &str = "'HTTP/1.1 101 Switching Protocols' CRLF 'Connection: Upgrade' CRLF \
     'Sec-WebSocket-Protocol: x-foo' CRLF CRLF";
const REJECTED: &str = "'HTTP/1.1 400 Bad Request' CRLF CRLF";

fn check(block: &Block<'_>, expected: &str) {
    let message = Block::message(&[*block]);
    assert_eq!(message, octets(expected), "{expected}");
    let mut left = &message[1..];
    assert_eq!(Block::take(&mut left, false), Ok(*block), "{expected}");
    assert!(left.is_empty());
}

fn parsed(blocks: &str) -> Result<String, u16> {
    let octets = octets(blocks);
    let mut left = &octets[..];
    let block = Block::take(&mut left, false).map_err(|failure| failure.code.get())?;
    assert!(left.is_empty(), "{blocks}");
    Ok(format!("{block:?}"))
}

#[test]
fn the_vectors_of_the_digest_in_both_directions() {
    for (slots, quota, fallback, expected) in [
        (64, 8192, false, "00 80 40 7e 20 00"),
        (0, 0, true, "00 81 00 00"),
        (1, 2, false, "00 80 01 02"),
    ] {
        check(
            &Block::NewChannelSlot {
                fallback,
                slots,
                quota,
            },
            expected,
        );
    }
    for (id, quota, expected) in [
        (1, 8192, "00 40 01 7e 20 00"),
        (2, 1024, "00 40 02 7e 04 00"),
        (2, 11, "00 40 02 0b"),
        (2, 6, "00 40 02 06"),
        (2, 0, "00 40 02 00"),
        (300, 65536, "00 40 81 2c 7f 00 00 00 00 00 01 00 00"),
    ] {
        check(&Block::FlowControl { id, quota }, expected);
    }
    for (id, reason, expected) in [
        (1, None, "00 60 01 00"),
        (1, Some((1000, "")), "00 60 01 02 03 e8"),
        (1, Some((3008, "")), "00 60 01 02 0b c0"),
        (2, Some((3005, "")), "00 60 02 02 0b bd"),
        (2, Some((3009, "")), "00 60 02 02 0b c1"),
        (
            2,
            Some((1000, "Success")),
            "00 60 02 09 03 e8 53 75 63 63 65 73 73",
        ),
        (1, Some((2000, "error")), "00 60 01 07 07 d0 'error'"),
        (
            0,
            Some((2004, "Invalid opcode 5")),
            "00 60 00 12 07 d4 49 6e 76 61 6c 69 64 20 6f 70 63 6f 64 65 20 35",
        ),
        (
            0,
            Some((2001, "Received a text message on physical connection")),
            "00 60 00 30 07 d1 'Received a text message on physical connection'",
        ),
    ] {
        let reason = reason.map(|(code, text)| (DropCode::new(code), text.as_bytes()));
        check(&Block::DropChannel { id, reason }, expected);
    }
}

#[test]
fn requests_and_responses_of_the_digest_in_both_directions() {
    for (id, encoding, head, length, front) in [
        (2, Encoding::Identity, IDENTITY, 97, "00 00 02 61"),
        (2, Encoding::Delta, DELTA, 22, "00 01 02 16"),
        (3, Encoding::Delta, DELTA, 22, "00 01 03 16"),
    ] {
        let octets = octets(head);
        assert_eq!(octets.len(), length);
        let block = Block::AddChannelRequest {
            id,
            encoding,
            head: &octets,
        };
        check(&block, &format!("{front} {head}"));
    }
    for (rejected, head, length, front) in [
        (false, ACCEPTED, 57, "00 20 02 39"),
        (false, SUBPROTOCOL, 88, "00 20 02 58"),
        (true, REJECTED, 28, "00 30 02 1c"),
    ] {
        let octets = octets(head);
        assert_eq!(octets.len(), length);
        let block = Block::AddChannelResponse {
            id: 2,
            rejected,
            encoding: Encoding::Identity,
            head: &octets,
        };
        check(&block, &format!("{front} {head}"));
    }
}

#[test]
fn several_blocks_stand_behind_each_other_in_one_message() {
    let message = octets("40 01 7e 20 00 80 40 7e 20 00");
    let mut left = &message[..];
    let flow = Block::FlowControl { id: 1, quota: 8192 };
    let slots = Block::NewChannelSlot {
        fallback: false,
        slots: 64,
        quota: 8192,
    };
    assert_eq!(Block::take(&mut left, false), Ok(flow));
    assert_eq!(Block::take(&mut left, false), Ok(slots));
    assert!(left.is_empty());
    assert_eq!(Block::message(&[flow, slots])[1..], message);
}

#[test]
fn the_parser_table_of_the_digest() {
    for bad in [
        // A reserved bit.
        "1c 02 00",
        "04 02 00",
        "24 02 00",
        "41 01 02",
        "61 01 00",
        "82 01 02",
        // A reason of one octet.
        "60 01 01 00",
        // The top bit of a number; a number that is too long.
        "40 01 80",
        "40 01 7e 00 7d",
        // Shorter than it says.
        "00 02 05 61 62 63",
        // pywebsocket lets this one pass: a fallback that gives slots.
        "81 01 02",
        "81 00 02",
        "81 01 00",
    ] {
        assert_eq!(parsed(bad), Err(2005), "{bad}");
    }
    for (unknown, bits) in [("a0", 5), ("c0", 6), ("e0", 7)] {
        assert_eq!(parsed(unknown), Err(2004), "opcode {bits}");
    }
    // pywebsocket takes it for channel 1.
    assert_eq!(parsed("40 80 01 05"), Err(2002));
    let over_long = octets("40 80 01 05");
    assert_eq!(
        Block::take(&mut &over_long[..], true),
        Ok(Block::FlowControl { id: 1, quota: 5 })
    );
    let empty = Block::AddChannelResponse {
        id: 2,
        rejected: true,
        encoding: Encoding::Identity,
        head: b"",
    };
    assert_eq!(parsed("30 02 00"), Ok(format!("{empty:?}")));
}

#[test]
fn each_reserved_bit_of_each_block_is_2005() {
    for (first, reserved, rest) in [
        (0x00, &[0x04, 0x08, 0x10][..], "02 00"),
        (0x20, &[0x04, 0x08], "02 00"),
        (0x40, &[1, 2, 4, 8, 16], "02 00"),
        (0x60, &[1, 2, 4, 8, 16], "02 00"),
        (0x80, &[2, 4, 8, 16], "00 00"),
    ] {
        let rest = octets(rest);
        assert!(Block::take(&mut &[&[first], &rest[..]].concat()[..], false).is_ok());
        for bit in reserved {
            let bad = [&[first | bit], &rest[..]].concat();
            let failure = Block::take(&mut &bad[..], false);
            assert_eq!(
                failure.map_err(|failure| failure.code),
                Err(DropCode::INVALID_BLOCK),
                "{first:02x} {bit:02x}"
            );
        }
    }
}

#[test]
fn the_encodings_nobody_knows_are_told_apart_from_reserved_bits() {
    for bits in [2, 3] {
        let request = [bits, 2, 0];
        assert!(matches!(
            Block::take(&mut &request[..], false),
            Ok(Block::AddChannelRequest {
                encoding: Encoding::Unknown(_),
                ..
            })
        ));
    }
}

#[test]
fn a_block_cut_off_anywhere_fails_and_a_declared_length_allocates_nothing() {
    for whole in [
        "00 02 05 'abcde'",
        "20 02 05 'abcde'",
        "40 81 2c 7f 00 00 00 00 00 01 00 00",
        "60 02 09 03 e8 'Success'",
        "80 40 7e 20 00",
    ] {
        let whole = octets(whole);
        for cut in 1..whole.len() {
            let failure = Block::take(&mut &whole[..cut], false).map_err(|failure| failure.code);
            assert!(
                matches!(failure, Err(DropCode::INVALID_BLOCK | DropCode::CHANNEL_ID)),
                "{cut} octets of {whole:02x?}"
            );
        }
    }
    assert_eq!(
        parsed("00 02 7f 7f ff ff ff ff ff ff ff 61"),
        Err(2005),
        "2^63 - 1 octets of head"
    );
}
