//! negotiation: permessage-deflate offered, answered, and spoken as agreed (RFC 6455 §9.1,
//! RFC 7692).

mod answers;
mod broken;
mod messages;
mod offers;
mod windows;

use crate::case::{Case, Negotiation, Opening};
use crate::deflate::{Offer, Requirement};
use crate::frame::Frame;
use crate::session::Session;

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("negotiation", "Negotiation of permessage-deflate"),
    (
        "negotiation.grammar",
        "How Sec-WebSocket-Extensions may be written",
    ),
    (
        "negotiation.offer",
        "Offers that a server takes or declines",
    ),
    ("negotiation.answer", "Answers that a client takes or not"),
    ("negotiation.window", "Windows are kept as agreed"),
    ("negotiation.takeover", "Contexts are kept or begun anew"),
    ("negotiation.message", "The forms of a compressed message"),
    ("negotiation.bit", "Reserved bits out of place"),
    ("negotiation.broken", "Messages that do not inflate"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(offers::grammar());
    cases.extend(answers::grammar());
    cases.extend(offers::cases());
    cases.extend(answers::cases());
    cases.extend(windows::windows());
    cases.extend(windows::takeover());
    cases.extend(messages::cases());
    cases.extend(broken::bits());
    cases.extend(broken::streams());
    cases.sort_by(|one, other| one.id.cmp(&other.id));
    cases
}

/// permessage-deflate in both roles, with nothing asked for.
fn plain() -> Opening {
    negotiated(Offer::default(), Requirement::default())
}

/// To a server the offer is made, of a client the requirement is.
fn negotiated(offer: Offer, requirement: Requirement) -> Opening {
    Opening::Deflate(Negotiation {
        offers: vec![offer],
        requirements: vec![requirement],
    })
}

/// A text message whose payload is deflated already.
fn deflated(payload: impl Into<Vec<u8>>) -> Frame {
    Frame::text(payload).rsv(4)
}

/// The judge may refer back to its earlier messages.
fn takeover(session: &Session) -> Result<(), String> {
    match session.own_compression() {
        Some((_, true)) => Ok(()),
        _ => Err("What was agreed does not let a context be kept".to_owned()),
    }
}
