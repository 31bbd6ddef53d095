//! limits: what must not exhaust an endpoint.
//!
//! A subject may set limits as it likes. What is judged is that it copes, or refuses in an orderly
//! way (a close frame with 1009, 1008 or 1002, or the end of TCP) in reasonable time, and that it
//! still echoes if it went on.

mod compression;
mod control;
mod fragments;
mod head;
mod length;
mod response;

use crate::case::{Case, Dialogue};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("limits", "Limits"),
    ("limits.compression", "Messages that inflate to much"),
    ("limits.control", "Many control frames"),
    ("limits.fragments", "Many fragments"),
    ("limits.head", "Requests without measure"),
    ("limits.length", "Lengths that are announced"),
    ("limits.response", "Responses without measure"),
];

/// The codes that a subject may refuse with.
const REFUSALS: &[u16] = &[1009, 1008, 1002];

/// How long a subject may take for much work, in milliseconds.
const MUCH: u64 = 10_000;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(compression::cases());
    cases.extend(control::cases());
    cases.extend(fragments::cases());
    cases.extend(head::cases());
    cases.extend(length::cases());
    cases.extend(response::cases());
    cases
}

/// After all that the subject still echoes, unless it refused.
fn alive(dialogue: Dialogue) -> Dialogue {
    dialogue.echo("alive").may_refuse(REFUSALS)
}
