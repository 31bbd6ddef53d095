//! mux: many channels on one connection (draft-ietf-hybi-websocket-multiplexing).
//!
//! The draft has expired, so what is judged is what its implementations agree on; where they do not,
//! or where nobody knows what the draft says, more than one answer is right, or tolerable. Without
//! `mux` a subject is UNIMPLEMENTED.
//!
//! A client that offers `mux` is judged as one that opens as many channels, to the resource of the
//! connection, as the server gives slots for (64 at most), and echoes on each.

mod blocks;
mod channels;
mod closing;
mod compressed;
mod drops;
mod frames;
mod loads;
mod messages;
mod offers;
mod quotas;
mod requests;

use crate::case::{Answer, Case, Multiplexed, Opening, Reaction, RequestPlan, ResponsePlan};
use crate::deflate::Offer;

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("mux", "Many channels on one connection"),
    ("mux.block", "Control blocks"),
    ("mux.channel", "Channels are opened: the server is asked"),
    ("mux.close", "Channels and connections are closed"),
    ("mux.deflate", "Channels with permessage-deflate"),
    ("mux.drop", "Channels are dropped"),
    ("mux.frame", "Frames of channels"),
    ("mux.load", "Many channels, large messages, floods"),
    ("mux.message", "Encapsulating messages"),
    ("mux.offer", "Offers and answers"),
    ("mux.quota", "Flow control"),
    ("mux.request", "Channels are opened: the client asks"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(blocks::cases());
    cases.extend(channels::cases());
    cases.extend(closing::cases());
    cases.extend(compressed::cases());
    cases.extend(drops::cases());
    cases.extend(frames::cases());
    cases.extend(loads::cases());
    cases.extend(messages::cases());
    cases.extend(offers::cases());
    cases.extend(quotas::cases());
    cases.extend(requests::cases());
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    cases
}

/// What the judge lets a server send on channel 1, unless a case is about that.
const QUOTA: u64 = 65_536;

/// "Hello" in one block of fixed codes (RFC 7692 §7.2.3.1).
const HELLO: [u8; 7] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00];
/// The same in terms of the message before.
const HELLO_AGAIN: [u8; 5] = [0xF2, 0x00, 0x11, 0x00, 0x00];

/// Title, expectation, and what happens.
type Row = (&'static str, &'static str, Multiplexed);

/// To a server, with this quota on channel 1.
fn offered(quota: u64) -> RequestPlan {
    RequestPlan::new(Answer::Opens)
        .set("Sec-WebSocket-Extensions", format!("mux; quota={quota}"))
        .mux(quota)
}

/// In both roles: `mux` alone.
fn opening() -> Opening {
    with_quota(QUOTA)
}

/// The same, with this quota of a server on channel 1.
fn with_quota(quota: u64) -> Opening {
    let response = ResponsePlan::new(Reaction::Opens).answering(&["mux"]);
    Opening::Both(Box::new((offered(quota), response)))
}

/// `permessage-deflate, mux`: compression is for channel 1, and for others anew.
fn compressed() -> Opening {
    let both = "permessage-deflate, mux";
    let line = format!("{both}; quota={QUOTA}");
    let mut request = RequestPlan::new(Answer::Opens)
        .set("Sec-WebSocket-Extensions", line)
        .mux(QUOTA);
    request.offers = vec![Offer::default()];
    let response = ResponsePlan::new(Reaction::Opens).answering(&[both]);
    Opening::Both(Box::new((request, response)))
}

fn case((title, expectation, plan): Row) -> Case {
    Case::new("x", title, plan)
        .expect(expectation)
        .opening(opening())
}

/// Numbers a table.
fn numbered(group: &str, cases: impl IntoIterator<Item = Case>) -> Vec<Case> {
    let number = |(number, mut case): (usize, Case)| {
        let id = format!("mux.{group}.{number}");
        case.id = id.parse().expect("an id");
        case.section("draft-ietf-hybi-websocket-multiplexing")
    };
    (1..).zip(cases).map(number).collect()
}
