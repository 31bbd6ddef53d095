//! What deflate-frame goes with: the probe, in one order; and what owns RSV1 too, not at all.

use super::{BOTH, PROBE, Row, probe, probed, with_probe};
use crate::case::{Act, Dialogue, Expect, Reaction, ResponsePlan};
use crate::deflate::{DEFLATE_FRAME, Element, stored};
use crate::frame::Frame;
use crate::http::Head;
use crate::session::Session;

/// Either owner of RSV1 was agreed on.
fn compressed(session: &Session) -> Result<(), String> {
    match session.is_compressed() || session.compresses_frames() {
        true => Ok(()),
        false => Err("No compression was agreed on.".to_owned()),
    }
}

fn frames_compressed(session: &Session) -> Result<(), String> {
    match session.compresses_frames() {
        true => Ok(()),
        false => Err("deflate-frame was not agreed on.".to_owned()),
    }
}

/// Something of what was offered was agreed on.
fn anything(session: &Session) -> Result<(), String> {
    compressed(session).or_else(|_| probed(session))
}

const PROBE_AND_FRAMES: &str = "x-cloverleaf-probe, deflate-frame";
const FRAMES_AND_PROBE: &str = "deflate-frame, x-cloverleaf-probe";
const MESSAGES_OR_FRAMES: &str = "permessage-deflate, deflate-frame";
const FRAMES_OR_MESSAGES: &str = "deflate-frame, permessage-deflate";

/// For both roles: the probe before deflate-frame.
pub(super) fn rows() -> Vec<Row> {
    let song = "κόσμε, κόσμε, κόσμε";
    let both = || with_probe().need(frames_compressed);
    // Through the probe as one message, then cut; each piece may be compressed.
    let octets = probe(song.as_bytes());
    let (left, right) = octets.split_at(7);
    let fragments = |size| {
        (0..2).fold(both(), |dialogue, _| {
            dialogue
                .act(Act::Message(song.into(), false, Some(size)))
                .expect(Expect::text(song))
        })
    };
    let first = |payload: &[u8], bits| Frame::text(payload).rsv(bits).not_final();
    let last = |payload: &[u8], bits| Frame::continuation(payload).rsv(bits);
    vec![
        (
            "Messages through the probe, then deflate-frame",
            "They are undone in the opposite order and come back in the order of the answer.",
            PROBE_AND_FRAMES,
            both()
                .echo(song)
                .echo("")
                .echo(song)
                .binary(probe(&[0; 5000]))
                .expect(Expect::binary(probe(&[0; 5000]))),
        ),
        (
            "Messages through the probe in fragments of one octet, each deflated",
            "They come back: RSV2 stands on the first frame, RSV1 on every frame.",
            PROBE_AND_FRAMES,
            fragments(1),
        ),
        (
            "Messages through the probe in fragments of ten octets, each deflated",
            "They come back: RSV2 stands on the first frame, RSV1 on every frame.",
            PROBE_AND_FRAMES,
            fragments(10),
        ),
        (
            "A message through the probe, deflated in its first frame only, around a ping",
            "The pong, then the message: RSV2 speaks for the message, RSV1 for its frame.",
            PROBE_AND_FRAMES,
            both()
                .send(first(&stored(left), BOTH))
                .send(Frame::ping("between"))
                .expect(Expect::Pong(b"between".to_vec()))
                .send(last(right, 0))
                .expect(Expect::text(song)),
        ),
        (
            "A message through the probe, deflated in its second frame only",
            "The message: RSV2 speaks for the message, RSV1 for its frame.",
            PROBE_AND_FRAMES,
            both()
                .send(first(left, 2))
                .send(last(&stored(right), 4))
                .expect(Expect::text(song)),
        ),
        (
            "A message in compressed frames that did not go through the probe",
            "The message: each bit speaks for its own extension.",
            PROBE_AND_FRAMES,
            both()
                .send(first(&stored(b"Hel"), 4))
                .send(last(&stored(b"lo"), 4))
                .expect(Expect::text("Hello"))
                .send(Frame::text("Hello"))
                .expect(Expect::text("Hello")),
        ),
        (
            "RSV2 on a continuation, beside the RSV1 that may be there",
            "The connection fails with 1002, or without a code.",
            PROBE_AND_FRAMES,
            both()
                .send(first(&stored(left), BOTH))
                .send(last(&stored(right), BOTH))
                .fails(&[1002]),
        ),
    ]
}

/// Where one owner of RSV1 was agreed on though both are known: the same frames mean different
/// things. To a server both are offered, one before the other; a client is answered with one.
pub(super) fn one_owner() -> [(Row, &'static str); 2] {
    let frames = |dialogue: Dialogue| {
        dialogue
            .send(Frame::text(stored(b"Hel")).rsv(4).not_final())
            .send(Frame::continuation(stored(b"lo")).rsv(4))
    };
    [
        (
            (
                "RSV1 on a continuation where deflate-frame was agreed on",
                "The message comes back: each frame is compressed by itself.",
                FRAMES_OR_MESSAGES,
                frames(Dialogue::new().need(frames_compressed)).expect(Expect::text("Hello")),
            ),
            "deflate-frame",
        ),
        (
            (
                "RSV1 on a continuation where permessage-deflate was agreed on",
                "The connection fails with 1002, or without a code: RSV1 stands on first frames.",
                MESSAGES_OR_FRAMES,
                frames(Dialogue::new().needs_compression()).fails(&[1002]),
            ),
            "permessage-deflate",
        ),
    ]
}

/// For servers alone: what is offered together and cannot be agreed on together.
pub(super) fn servers_choose() -> Vec<Row> {
    let chosen = |title, expectation, offered| -> Row {
        let dialogue = Dialogue::new().need(anything).echo("Hello").echo("Hello");
        (title, expectation, offered, dialogue)
    };
    let one = "At most one of them is accepted, as both own RSV1; messages go as it says.";
    vec![
        chosen(
            "permessage-deflate and deflate-frame are offered",
            one,
            MESSAGES_OR_FRAMES,
        ),
        chosen(
            "deflate-frame and permessage-deflate are offered",
            one,
            FRAMES_OR_MESSAGES,
        ),
        chosen(
            "deflate-frame is offered by both of its names",
            one,
            "deflate-frame, x-webkit-deflate-frame",
        ),
        chosen(
            "deflate-frame is offered by both of its names, and permessage-deflate",
            one,
            "x-webkit-deflate-frame, deflate-frame, permessage-deflate",
        ),
        chosen(
            "permessage-deflate, the probe and deflate-frame are offered",
            "The probe goes with either of the others, which do not go together.",
            "permessage-deflate, x-cloverleaf-probe, deflate-frame",
        ),
        chosen(
            "deflate-frame is offered before the probe",
            "One is accepted, or both in the only order that can be: the probe works on messages, \
             and deflate-frame on what becomes of them.",
            FRAMES_AND_PROBE,
        ),
    ]
}

/// The client offers each of these extensions.
fn offers(head: &Head, names: &[&str]) -> Result<(), String> {
    let lines = head.values("Sec-WebSocket-Extensions");
    let elements = lines.flat_map(|line| Element::list(line).unwrap_or_default());
    let offered: Vec<_> = elements.map(|element| element.name).collect();
    match names
        .iter()
        .find(|name| !offered.iter().any(|one| one == *name))
    {
        None => Ok(()),
        Some(name) => Err(format!("it does not offer {name}")),
    }
}

/// The client offers both owners of RSV1.
pub(super) fn offers_both_owners(head: &Head) -> Result<(), String> {
    offers(head, &["permessage-deflate", "deflate-frame"])
}

/// For clients alone: answers with two extensions of their offer that cannot be together.
pub(super) fn impossible() -> Vec<(&'static str, &'static str, ResponsePlan)> {
    let plan = |line| {
        ResponsePlan::new(Reaction::GivesUp)
            .answering(&[line])
            .layer(PROBE)
    };
    vec![
        (
            "permessage-deflate and deflate-frame are answered",
            "RSV1 cannot have two owners: the client fails the connection and sends no message.",
            plan(MESSAGES_OR_FRAMES).need(offers_both_owners),
        ),
        (
            "deflate-frame and permessage-deflate are answered",
            "RSV1 cannot have two owners: the client fails the connection and sends no message.",
            plan(FRAMES_OR_MESSAGES).need(offers_both_owners),
        ),
        (
            "deflate-frame is answered by both of its names",
            "RSV1 cannot have two owners: the client fails the connection and sends no message.",
            plan("deflate-frame, x-webkit-deflate-frame").need(|head| offers(head, &DEFLATE_FRAME)),
        ),
        (
            "deflate-frame is answered before the probe",
            "What works on messages cannot come behind what works on frames: the client fails the \
             connection and sends no message.",
            plan(FRAMES_AND_PROBE).need(|head| offers(head, &["deflate-frame", PROBE.name])),
        ),
    ]
}
