//! How `mux` is agreed on.

use super::{Row, case, numbered, offered};
use crate::case::{
    Answer, Case, Dialogue, Expect, Hope, Multiplexed, MultiplexedAct as Act, Opening, Reaction,
    RequestPlan, ResponsePlan,
};
use crate::deflate::Element;
use crate::frame::Frame;
use crate::http::Head;
use crate::mux::TOKEN;

const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// The client offers `mux`.
pub(super) fn offers_mux(head: &Head) -> Result<(), String> {
    match the_offer(head) {
        Some(_) => Ok(()),
        None => Err("it does not offer mux".to_owned()),
    }
}

fn the_offer(head: &Head) -> Option<Element> {
    let lines = head.values(EXTENSIONS);
    let elements = lines.flat_map(|line| Element::list(line).unwrap_or_default());
    elements.into_iter().find(|element| element.name == TOKEN)
}

/// If the client offers `mux`, then with a decimal quota below 2^32, or none.
fn offers_a_quota(head: &Head) -> Result<(), String> {
    let Some(offer) = the_offer(head) else {
        return Ok(());
    };
    let right = offer.params.iter().all(|param| {
        let digits = param.value.as_deref().unwrap_or("");
        param.name == "quota"
            && digits.bytes().all(|octet| octet.is_ascii_digit())
            && digits.parse::<u32>().is_ok()
    });
    match right && offer.params.len() < 2 {
        true => Ok(()),
        false => Err("mux is offered with something else than a quota".to_owned()),
    }
}

pub(super) fn cases() -> Vec<Case> {
    let plain = || Dialogue::new().echo("Hello");
    let mut cases = Vec::new();
    let accepted: [(Row, String, u64); 5] = [
        (
            (
                "mux is offered with a quota of 8192",
                "It is accepted; then the client may send on channel 1, and gets slots or hears \
                 that there will be none.",
                Multiplexed::new()
                    .act(Act::Await(
                        |ledger| ledger.channels[0].ours > 0,
                        "a quota for channel 1",
                    ))
                    .act(Act::Await(
                        |ledger| !ledger.slots.is_empty(),
                        "a slot (a fallback without one is right, and cannot be judged further)",
                    ))
                    .echo(0, "Hello"),
            ),
            "mux; quota=8192".to_owned(),
            8192,
        ),
        (
            (
                "mux is offered with a quota in quotes",
                "It is accepted: a quoted value is as good as a token.",
                Multiplexed::one().echo(0, "Hello"),
            ),
            "mux; quota=\"16\"".to_owned(),
            16,
        ),
        (
            (
                "mux is offered with the largest quota there is, 2^32 - 1",
                "It is accepted.",
                Multiplexed::new().echo(0, "Hello"),
            ),
            "mux; quota=4294967295".to_owned(),
            u64::from(u32::MAX),
        ),
        (
            (
                "mux is offered without a quota",
                "It is accepted, with a quota of 0: nothing may come on channel 1.",
                Multiplexed::new()
                    .frame(0, 0x81, "Hello")
                    .quiet(300)
                    .send(crate::case::grant(0, 6))
                    .expect(Hope::text(0, "Hello")),
            ),
            "mux".to_owned(),
            0,
        ),
        (
            (
                "mux is offered behind an extension that nobody knows",
                "It is accepted alone.",
                Multiplexed::one().echo(0, "Hello"),
            ),
            "x-unknown; a=1, mux; quota=100".to_owned(),
            100,
        ),
    ];
    for (row, line, quota) in accepted {
        let request = RequestPlan::new(Answer::Opens)
            .set(EXTENSIONS, line)
            .mux(quota);
        cases.push(case(row).opening(Opening::Request(request)).for_servers());
    }
    cases.push(
        Case::new("x", "mux is not offered", plain())
            .expect("It is not in the answer, and messages go as they are.")
            .opening(Opening::Request(RequestPlan::new(Answer::Opens)))
            .for_servers(),
    );
    for (title, line) in [
        (
            "mux is offered with a quota that is no number",
            "mux; quota=abc",
        ),
        ("mux is offered with a negative quota", "mux; quota=-1"),
        (
            "mux is offered with a quota of 2^32",
            "mux; quota=4294967296",
        ),
        ("mux is offered with a quota without a value", "mux; quota"),
    ] {
        let request = RequestPlan::new(Answer::Opens).set(EXTENSIONS, line);
        cases.push(
            Case::new("x", title, plain())
                .expect("It is declined, and messages go as they are.")
                .opening(Opening::Request(request))
                .for_servers(),
        );
    }
    cases.extend(clients());
    numbered("offer", cases)
}

fn clients() -> Vec<Case> {
    let answered = |reaction, line| ResponsePlan::new(reaction).answering(&[line]);
    let client = |title, expectation, plan: ResponsePlan| {
        Case::new("x", title, Dialogue::new().echo("Hello"))
            .expect(expectation)
            .opening(Opening::Response(plan))
            .for_clients()
    };
    vec![
        client(
            "What the client offers of mux, if it does",
            "A decimal quota below 2^32, or none.",
            ResponsePlan::new(Reaction::Opens).check(offers_a_quota),
        ),
        client(
            "mux is not in the answer",
            "Messages go as they are.",
            ResponsePlan::new(Reaction::Opens).need(offers_mux),
        ),
        client(
            "mux is in the answer twice",
            "The client fails the connection and sends no message.",
            answered(Reaction::GivesUp, "mux, mux").need(offers_mux),
        ),
        case((
            "mux is answered with a quota",
            "The client may take it, or fail the connection: nobody knows any more whether an \
             answer has parameters.",
            Multiplexed::two().echo(1, "Hello"),
        ))
        .opening(Opening::Response(answered(
            Reaction::OpensOrGivesUp,
            "mux; quota=8192",
        )))
        .for_clients(),
        case((
            "mux is answered, and channel 1 is compressed all the same",
            "The message comes back, or channel 1 fails: pywebsocket does so without saying it.",
            Multiplexed::two()
                .frame(0, 0xC1, super::HELLO)
                .expect_or(
                    vec![
                        Hope::text(0, "Hello"),
                        Hope::Close(0, vec![Some(1002)]),
                        Hope::Dropped(0, vec![3000]),
                    ],
                    vec![Hope::ClosedAnyhow(0), Hope::DroppedAnyhow(0)],
                )
                .echo(1, "Hello"),
        ))
        .opening(Opening::Response(
            answered(Reaction::Opens, "mux").need(offers_mux),
        ))
        .for_clients(),
        Case::new(
            "x",
            "A frame of an ordinary connection where mux was agreed on",
            Multiplexed::new()
                .act(Act::Physical(Frame::text("Hello")))
                .fails(2001),
        )
        .expect("The connection fails with 2001.")
        .opening(Opening::Both(Box::new((
            offered(0),
            answered(Reaction::Opens, "mux"),
        )))),
        Case::new(
            "x",
            "A message of channels where mux was not agreed on",
            Dialogue::new()
                .send(Frame::binary([0x01, 0x81, 0x48]))
                .expect(Expect::binary([0x01, 0x81, 0x48])),
        )
        .expect("It is an ordinary message.")
        .opening(Opening::Both(Box::new((
            RequestPlan::new(Answer::Opens),
            ResponsePlan::new(Reaction::Opens),
        )))),
    ]
}
