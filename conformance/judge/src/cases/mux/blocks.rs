//! Control blocks that break a rule, and such that do not.

use super::{Row, case, numbered};
use crate::case::{Case, Hope, Multiplexed, Part, block, blocks, octets};
use crate::mux::{Block, number};

/// A message of the control channel in octets.
fn control(rest: &[u8]) -> Vec<Part> {
    octets([&[0], rest].concat())
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(reserved().into_iter().map(case));
    cases.extend(directions());
    cases.extend(numbers());
    cases.extend(lengths().into_iter().map(case));
    cases.extend(several().into_iter().map(case));
    numbered("block", cases)
}

fn reserved() -> Vec<Row> {
    const RESERVED: &str = "The connection fails with 2005: reserved bits are 0.";
    const UNKNOWN: &str = "The connection fails with 2004.";
    let two = Multiplexed::two;
    let head = b"\x07\x16GET / HTTP/1.1\r\nA: b\r\n\r\n";
    let mut request = vec![0x04];
    request.extend_from_slice(head);
    let mut response = vec![0x24];
    response.extend_from_slice(head);
    vec![
        (
            "A reserved bit in an AddChannelRequest",
            RESERVED,
            two().send(control(&request)).fails(2005),
        ),
        (
            "A reserved bit in an AddChannelResponse",
            RESERVED,
            two().send(control(&response)).fails(2005),
        ),
        (
            "A reserved bit in a FlowControl",
            RESERVED,
            two().send(block(0x41, 0, [5])).fails(2005),
        ),
        (
            "The highest reserved bit in a FlowControl",
            RESERVED,
            two().send(block(0x50, 1, [5])).fails(2005),
        ),
        (
            "A reserved bit in a DropChannel",
            RESERVED,
            two().send(block(0x61, 1, [0])).fails(2005),
        ),
        (
            "A reserved bit in a NewChannelSlot",
            RESERVED,
            two().send(control(&[0x82, 0, 0])).fails(2005),
        ),
        (
            "A control block of the unknown kind 5",
            UNKNOWN,
            two().send(control(&[0xA0])).fails(2004),
        ),
        (
            "A control block of the unknown kind 6",
            UNKNOWN,
            two().send(control(&[0xC0, 0x01, 0x00])).fails(2004),
        ),
        (
            "A control block of the unknown kind 7",
            UNKNOWN,
            two().send(control(&[0xFF; 9])).fails(2004),
        ),
    ]
}

/// Blocks that only the other end may send.
fn directions() -> Vec<Case> {
    const DIRECTION: &str = "The connection fails with 2005.";
    let two = Multiplexed::two;
    let ok = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n";
    let ask = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\r\n";
    vec![
        case((
            "An AddChannelResponse to a server",
            DIRECTION,
            two()
                .send(blocks(&[Block::response(2, false, ok)]))
                .fails(2005),
        ))
        .for_servers(),
        case((
            "A NewChannelSlot to a server",
            DIRECTION,
            two().send(blocks(&[Block::slots(1, 5)])).fails(2005),
        ))
        .for_servers(),
        case((
            "An AddChannelRequest to a client",
            DIRECTION,
            two().send(blocks(&[Block::request(99, ask)])).fails(2005),
        ))
        .for_clients(),
    ]
}

/// Numbers that are none, as a quota; and the largest of each size.
fn numbers() -> Vec<Case> {
    const NONE: &str = "The connection fails with 2005.";
    let quota = |octets: &[u8]| Multiplexed::two().send(block(0x40, 1, octets)).fails(2005);
    let long = |high: u8| {
        let mut octets = vec![0x7F, high];
        octets.resize(8, 0);
        octets.push(0xFF);
        octets
    };
    let mut rows: Vec<Row> = vec![
        (
            "A number whose first octet has bit 0x80",
            NONE,
            quota(&[0x80]),
        ),
        (
            "The number 125 in three octets",
            NONE,
            quota(&[0x7E, 0, 125]),
        ),
        (
            "The number 65535 in nine octets",
            NONE,
            quota(&[0x7F, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
        ),
        (
            "A number of nine octets with its highest bit set",
            NONE,
            quota(&long(0x80)),
        ),
        ("A number of three octets, cut off", NONE, quota(&[0x7E, 1])),
        (
            "A number of nine octets, cut off",
            NONE,
            quota(&long(0)[..8]),
        ),
        ("A number that is missing", NONE, quota(&[])),
    ];
    let mut granted = Multiplexed::two();
    for value in [0, 125, 126, 65_535, 65_536, 1 << 32, 1 << 62] {
        granted = granted.send(block(0x40, 1, number(value)));
    }
    rows.push((
        "Numbers of every size, at their limits",
        "They are taken, and the channel goes on.",
        granted.echo(1, "Hello"),
    ));
    rows.into_iter().map(case).collect()
}

fn lengths() -> Vec<Row> {
    const LENGTH: &str = "The connection fails with 2005.";
    let two = Multiplexed::two;
    vec![
        (
            "A DropChannel with a reason of one octet",
            LENGTH,
            two().send(block(0x60, 1, [1, 0])).fails(2005),
        ),
        (
            "A DropChannel whose reason is shorter than its length",
            LENGTH,
            two().send(block(0x60, 1, [9, 3, 0xE8])).fails(2005),
        ),
        (
            "A DropChannel that claims a reason of 2^62 octets",
            LENGTH,
            two().send(block(0x60, 1, number(1 << 62))).fails(2005),
        ),
        (
            "A DropChannel without a length",
            LENGTH,
            two().send(block(0x60, 1, [])).fails(2005),
        ),
    ]
}

fn several() -> Vec<Row> {
    let both = |second: &[u8]| {
        vec![
            Part::Octets(vec![0, 0x60]),
            Part::Id(1),
            Part::Octets(vec![0]),
            Part::Octets(second.to_vec()),
        ]
    };
    vec![
        (
            "Two blocks in a message",
            "Both take effect.",
            Multiplexed::three()
                .send(vec![
                    Part::Octets(vec![0, 0x60]),
                    Part::Id(1),
                    Part::Octets(vec![0, 0x60]),
                    Part::Id(2),
                    Part::Octets(vec![2, 3, 0xE8]),
                ])
                .expect(Hope::ack(1))
                .expect(Hope::ack(2))
                .echo(0, "Hello"),
        ),
        (
            "Two blocks in a message, of which the second is of an unknown kind",
            "The first takes effect: the channel is dropped, and that is acknowledged; then the \
             connection fails with 2004.",
            Multiplexed::two()
                .send(both(&[0xA0]))
                .expect(Hope::ack(1))
                .fails(2004),
        ),
        (
            "Two blocks in a message, of which the second is cut off",
            "The first takes effect: the channel is dropped, and that is acknowledged; then the \
             connection fails with 2005.",
            Multiplexed::two()
                .send(both(&[0x40, 0x01]))
                .expect(Hope::ack(1))
                .fails(2005),
        ),
    ]
}
