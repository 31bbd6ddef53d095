//! composition: two extensions at once, in the order of the answer (RFC 6455 §9.1).
//!
//! No two extensions in common use can be agreed together: permessage-deflate and deflate-frame
//! both own RSV1, so that one of them is taken at most. So these cases bring one along,
//! `x-cloverleaf-probe`, which a subject implements if it wants to be judged here; without it they
//! are UNIMPLEMENTED. It has no parameters. It marks a message with RSV2 on its first frame, puts
//! the octet `50` (hexadecimal) before it, and combines each octet by exclusive or with a counter
//! that begins at `35` and goes up by one, from `FF` on to `00`. Every data message that is sent
//! goes through it; one that comes without RSV2 is taken as it is. As it works on messages it
//! stands before deflate-frame, which works on frames; the other way round nothing can be agreed.

mod frames;

use crate::case::{
    Act, Answer, Case, Dialogue, Expect, Opening, Reaction, RequestPlan, ResponsePlan,
};
use crate::deflate::{DEFLATE_FRAME, Demands, FrameOffer, Offer};
use crate::frame::Frame;
use crate::session::{Layer, Session};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("composition", "Two extensions at once"),
    ("composition.server", "The server answers"),
    ("composition.client", "The client is answered"),
];

const PROBE: Layer = Layer {
    name: "x-cloverleaf-probe",
    rsv: 2,
    encode: probe,
    decode: unprobe,
};

const BOTH: u8 = 4 | 2;

fn probe(payload: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x50];
    for (at, octet) in payload.iter().enumerate() {
        octets.push(octet ^ ((0x35 + at) % 256) as u8);
    }
    octets
}

fn unprobe(octets: &[u8]) -> Result<Vec<u8>, String> {
    match octets.split_first() {
        Some((0x50, rest)) => Ok(probe(rest).split_off(1)),
        _ => Err("a message of the probe does not begin with 50".to_owned()),
    }
}

/// The probe was agreed on.
fn probed(session: &Session) -> Result<(), String> {
    match session.layer_order() {
        Some(_) => Ok(()),
        None => Err("The probe was not agreed on.".to_owned()),
    }
}

fn with_probe() -> Dialogue {
    Dialogue::new().need(probed)
}

fn with_both() -> Dialogue {
    with_probe().needs_compression()
}

const DEFLATE_FIRST: &str = "permessage-deflate, x-cloverleaf-probe";
const PROBE_FIRST: &str = "x-cloverleaf-probe, permessage-deflate";

/// Title, expectation, the extensions that are offered or answered, and what follows.
type Row = (&'static str, &'static str, &'static str, Dialogue);

/// For both roles: to a server this is offered, a client is answered so.
fn rows() -> Vec<Row> {
    let song = "κόσμε, κόσμε, κόσμε";
    let fragments = |size| {
        with_both()
            .act(Act::Message(song.into(), false, Some(size)))
            .expect(Expect::text(song))
            .act(Act::Message(song.into(), false, Some(size)))
            .expect(Expect::text(song))
    };
    // Undeflated, through the probe.
    let hello = || Frame::text(probe(b"Hello")).rsv(2);
    let cut = |at: usize| {
        let octets = probe(b"Hello");
        let (left, right) = octets.split_at(at);
        (
            Frame::text(left).rsv(2).not_final(),
            Frame::continuation(right),
        )
    };
    let around_a_ping = {
        let (left, right) = cut(3);
        with_probe()
            .send(left)
            .send(Frame::ping("between"))
            .expect(Expect::Pong(b"between".to_vec()))
            .send(right)
            .expect(Expect::text("Hello"))
    };
    let empty_first = {
        let (left, right) = cut(0);
        with_probe()
            .send(left)
            .send(right)
            .expect(Expect::text("Hello"))
    };
    let continued = {
        let (left, right) = cut(3);
        with_probe().send(left).send(right.rsv(2))
    };
    vec![
        (
            "Messages through deflate, then the probe",
            "They are undone in the opposite order and come back in the order of the answer.",
            DEFLATE_FIRST,
            with_both().echo(song).echo(song).echo("").echo(song),
        ),
        (
            "Messages through the probe, then deflate",
            "They are undone in the opposite order and come back in the order of the answer.",
            PROBE_FIRST,
            with_both().echo(song).echo(song).echo("").echo(song),
        ),
        (
            "Binary messages of some size through both",
            "They come back.",
            DEFLATE_FIRST,
            with_both()
                .binary(vec![7; 70_000])
                .expect(Expect::binary(vec![7; 70_000]))
                .binary(probe(&[0; 5000]))
                .expect(Expect::binary(probe(&[0; 5000]))),
        ),
        (
            "Messages in fragments of one octet, deflated, then through the probe",
            "They come back: RSV1 and RSV2 stand on the first frame for the whole message.",
            DEFLATE_FIRST,
            fragments(1),
        ),
        (
            "Messages in fragments of three octets, through the probe, then deflated",
            "They come back: RSV1 and RSV2 stand on the first frame for the whole message.",
            PROBE_FIRST,
            fragments(3),
        ),
        (
            "Messages through the probe alone, though deflate was agreed on too",
            "Each bit speaks for its own extension: what has no RSV1 is not inflated.",
            DEFLATE_FIRST,
            with_both()
                .send(hello())
                .expect(Expect::text("Hello"))
                .echo("Hello")
                .send(hello())
                .expect(Expect::text("Hello")),
        ),
        (
            "Messages through neither, though both were agreed on",
            "A message without bits is taken as it is.",
            PROBE_FIRST,
            with_both()
                .send(Frame::text("Hello"))
                .expect(Expect::text("Hello"))
                .echo("Hello"),
        ),
        (
            "The probe alone is agreed on",
            "Messages go through it and nothing else.",
            "x-cloverleaf-probe",
            with_probe()
                .echo(song)
                .echo("")
                .send(hello())
                .expect(Expect::text("Hello")),
        ),
        (
            "A message through the probe around a ping",
            "The pong comes first, and the ping leaves no trace in the message.",
            DEFLATE_FIRST,
            around_a_ping,
        ),
        (
            "A message through the probe whose first fragment is empty",
            "The message comes back: extensions work on messages, not on frames.",
            PROBE_FIRST,
            empty_first,
        ),
        (
            "RSV2 where the probe was not agreed on",
            "The connection fails with 1002, or without a code.",
            "permessage-deflate",
            Dialogue::new().send(hello()).fails(&[1002]),
        ),
        (
            "RSV1 where only the probe was agreed on",
            "The connection fails with 1002, or without a code.",
            "x-cloverleaf-probe",
            with_probe()
                .send(Frame::text(probe(b"Hello")).rsv(BOTH))
                .fails(&[1002]),
        ),
        (
            "RSV2 on a continuation frame",
            "The connection fails with 1002, or without a code.",
            DEFLATE_FIRST,
            continued.fails(&[1002]),
        ),
        (
            "RSV2 on a ping",
            "The connection fails with 1002, or without a code.",
            PROBE_FIRST,
            with_probe().send(Frame::ping("?").rsv(2)).fails(&[1002]),
        ),
        (
            "A message with both bits that makes no sense in either order",
            "The connection fails with 1002, 1007 or without a code.",
            DEFLATE_FIRST,
            with_both()
                .send(Frame::text([0xFF; 9]).rsv(BOTH))
                .fails(&[1002, 1007]),
        ),
    ]
}

fn request(offered: &str) -> Opening {
    let mut plan = RequestPlan::new(Answer::Opens)
        .set("Sec-WebSocket-Extensions", offered)
        .layer(PROBE);
    if offered.contains("permessage-deflate") {
        plan.offers = vec![Offer::default()];
    }
    if !offered.contains(PROBE.name) {
        plan.layer = None;
    }
    let names = DEFLATE_FRAME.into_iter();
    let names = names.filter(|name| offered.split(", ").any(|element| element == *name));
    plan.frame_offers = names
        .map(|name| FrameOffer {
            name,
            demands: Demands::default(),
        })
        .collect();
    Opening::Request(plan)
}

fn response(reaction: Reaction, answered: &str) -> Opening {
    let plan = ResponsePlan::new(reaction).answering(&[answered]);
    Opening::Response(plan.layer(PROBE))
}

/// For servers alone: how they answer.
fn servers() -> Vec<Row> {
    vec![
        (
            "Both are offered between others that nobody knows",
            "Both can be agreed on; the others are not in the answer.",
            "x-unknown, x-cloverleaf-probe, x-other; a=1, permessage-deflate",
            with_both().echo("Hello"),
        ),
        (
            "The probe is offered with a parameter, which it has not",
            "It is declined, and permessage-deflate is not affected.",
            "x-cloverleaf-probe; a=1, permessage-deflate",
            Dialogue::new()
                .needs_compression()
                .echo("Hello")
                .check(|session| match session.layer_order() {
                    None => Ok(()),
                    Some(_) => Err("The probe was agreed on.".to_owned()),
                }),
        ),
    ]
}

/// For clients alone: answers that they must not take.
const NOT_TAKEN: &[(&str, &str)] = &[
    (
        "Both are answered, and one that was not offered",
        "permessage-deflate, x-cloverleaf-probe, x-unknown",
    ),
    (
        "The probe is answered twice, around permessage-deflate",
        "x-cloverleaf-probe, permessage-deflate, x-cloverleaf-probe",
    ),
    (
        "The probe is answered with a parameter, which it has not",
        "permessage-deflate, x-cloverleaf-probe; a=1",
    ),
];

pub(super) fn cases() -> Vec<Case> {
    // What came later stands behind what has its number.
    let (server_owners, client_owners) = (frames::one_owner(), frames::one_owner());
    let servers = rows().into_iter().chain(servers()).chain(frames::rows());
    let servers = servers
        .chain(server_owners.map(|(row, _)| row))
        .chain(frames::servers_choose());
    let servers = servers.map(|(title, expectation, extensions, dialogue)| {
        Case::new("x", title, dialogue)
            .expect(expectation)
            .opening(request(extensions))
            .for_servers()
    });
    let taken = |(title, expectation, extensions, dialogue): Row| {
        Case::new("x", title, dialogue)
            .expect(expectation)
            .opening(response(Reaction::Opens, extensions))
            .for_clients()
    };
    let not_taken = NOT_TAKEN.iter().map(|(title, extensions)| {
        Case::new("x", *title, Dialogue::new())
            .expect("The client fails the connection and sends no message.")
            .opening(response(Reaction::GivesUp, extensions))
            .for_clients()
    });
    let impossible = frames::impossible()
        .into_iter()
        .map(|(title, expectation, plan)| {
            Case::new("x", title, Dialogue::new())
                .expect(expectation)
                .opening(Opening::Response(plan))
                .for_clients()
        });
    let owners = client_owners.map(|((title, expectation, _, dialogue), answered)| {
        let plan = ResponsePlan::new(Reaction::Opens).answering(&[answered]);
        let plan = plan.need(frames::offers_both_owners);
        Case::new("x", title, dialogue)
            .expect(expectation)
            .opening(Opening::Response(plan))
            .for_clients()
    });
    let clients = rows().into_iter().map(taken).chain(not_taken);
    let clients = clients
        .chain(frames::rows().into_iter().map(taken))
        .chain(owners)
        .chain(impossible);
    let mut cases = numbered("server", servers);
    cases.extend(numbered("client", clients));
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    cases
        .into_iter()
        .map(|case| case.section("RFC 6455 §9.1"))
        .collect()
}

fn numbered(role: &str, cases: impl Iterator<Item = Case>) -> Vec<Case> {
    let number = |(number, mut case): (usize, Case)| {
        let id = format!("composition.{role}.{number}");
        case.id = id.parse().expect("an id");
        case
    };
    (1..).zip(cases).map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_goes_through_the_probe_as_the_description_says() {
        let hello = [0x50, 0x7D, 0x53, 0x5B, 0x54, 0x56];
        assert_eq!(probe(b"Hello"), hello);
        assert_eq!(unprobe(&hello), Ok(b"Hello".to_vec()));
        let long: Vec<u8> = (0..1000).map(|octet| octet as u8).collect();
        assert_eq!(unprobe(&probe(&long)), Ok(long));
        assert!(unprobe(b"").is_err());
        assert!(unprobe(b"Hello").is_err());
    }
}
