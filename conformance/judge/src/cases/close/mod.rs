//! close: closing, as Autobahn does not test it, and what else it does not see once a connection
//! is open.
//!
//! A peer that only echoes closes by itself when it meets an error; that is how it is made to.

mod answer;
mod behind;
mod echo;
mod failing;
mod looks;
mod masking;
mod tcp;
#[cfg(test)]
mod tests;

use crate::case::{Case, Closer, End};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("close", "Closing, beyond Autobahn"),
    ("close.answer", "The answer to a close frame"),
    ("close.behind", "Frames behind a close frame"),
    ("close.broken", "Close frames that break a rule"),
    ("close.codes", "Close codes in the answer"),
    ("close.control", "Pings and pongs"),
    ("close.echo", "Large messages, octet by octet"),
    (
        "close.failing",
        "The close frame of a subject that fails the connection",
    ),
    ("close.masking", "Masking keys"),
    ("close.reason", "Close reasons"),
    ("close.tcp", "TCP that ends early"),
];

/// How long a subject may take to react, in milliseconds.
const SOON: u64 = 2_000;

/// As the server, the judge looks for so long at what comes behind the closing handshake.
const LOOK: u64 = 200;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    cases.extend(answer::answers());
    cases.extend(behind::cases());
    cases.extend(answer::broken());
    cases.extend(answer::codes());
    cases.extend(echo::control());
    cases.extend(echo::large());
    cases.extend(failing::cases());
    cases.extend(masking::cases());
    cases.extend(answer::reasons());
    cases.extend(tcp::cases());
    cases
}

/// The judge closes; the subject answers with one of these codes, or drops TCP.
fn answered_anyhow(codes: &[u16]) -> End {
    End {
        closer: Closer::Suite,
        clean: false,
        ..End::failed_by_subject(codes)
    }
}
