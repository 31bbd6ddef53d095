//! handshake.1: what a server makes of requests.
//!
//! Ids are given in the order of the tables: a new case goes to the end of its table.

mod answers;
mod bodies;
mod fields;
mod heads;
mod keys;
mod negotiating;
mod request_line;

use crate::case::{Answer, Case, Dialogue, Opening, RequestPlan};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("handshake", "The opening handshake"),
    ("handshake.1", "What a server makes of requests"),
    ("handshake.1.1", "The request line"),
    ("handshake.1.2", "Host and Origin"),
    ("handshake.1.3", "Upgrade and Connection"),
    ("handshake.1.4", "Sec-WebSocket-Key"),
    ("handshake.1.5", "Sec-WebSocket-Version"),
    ("handshake.1.6", "Subprotocols"),
    ("handshake.1.7", "Extensions"),
    ("handshake.1.8", "How the head is written"),
    ("handshake.1.9", "Bodies, and what stands behind the head"),
    ("handshake.1.10", "What the answer must contain"),
];

pub(super) fn cases() -> Vec<Case> {
    let themes = [
        request_line::cases(),
        fields::host_and_origin(),
        fields::upgrade_and_connection(),
        keys::keys(),
        keys::versions(),
        negotiating::subprotocols(),
        negotiating::extensions(),
        heads::cases(),
        bodies::cases(),
        answers::cases(),
    ];
    let mut all = Vec::new();
    for (theme, cases) in (1..).zip(themes) {
        for (number, mut case) in (1..).zip(cases) {
            let id = format!("handshake.1.{theme}.{number}");
            case.id = id.parse().expect("an id in a table of cases");
            all.push(case);
        }
    }
    all
}

/// A case whose connection, if it opens, echoes a message.
fn request(title: &str, plan: RequestPlan, why: &str, section: &'static str) -> Case {
    request_then(
        title,
        plan,
        why,
        section,
        Dialogue::new().echo("Cloverleaf"),
    )
}

/// A case that goes on so if the connection opens. Its number comes later.
fn request_then(
    title: &str,
    plan: RequestPlan,
    why: &str,
    section: &'static str,
    dialogue: Dialogue,
) -> Case {
    let expectation = format!("{why} {}", in_words(&plan.answer));
    Case::new("handshake.1", title, dialogue)
        .expect(expectation)
        .section(section)
        .for_servers()
        .opening(Opening::Request(plan))
}

fn in_words(answer: &Answer) -> &'static str {
    match answer {
        Answer::Opens => "MUST: the server opens the connection and echoes.",
        Answer::Refuses { statuses, .. } if statuses.contains(&200) => {
            "MUST: the connection does not open; any other answer of HTTP is right, the mere end \
             of TCP is NON-STRICT."
        }
        Answer::Refuses { .. } => {
            "MUST: the server refuses with the status that the standard names; with another \
             error, or by the mere end of TCP, is NON-STRICT."
        }
        Answer::RefusesAnyhow => "MUST: the server refuses, with an error or by ending TCP.",
        Answer::ShouldOpen => {
            "SHOULD: the server opens the connection and echoes; a refusal is NON-STRICT."
        }
        Answer::ShouldRefuse => {
            "SHOULD: the server refuses; a connection that opens and works is NON-STRICT."
        }
        _ => "Open: the server may refuse, or open the connection and echo.",
    }
}

fn opens() -> RequestPlan {
    RequestPlan::new(Answer::Opens)
}

fn should_open() -> RequestPlan {
    RequestPlan::new(Answer::ShouldOpen)
}

fn either() -> RequestPlan {
    RequestPlan::new(Answer::OpensOrRefuses)
}

fn should_refuse() -> RequestPlan {
    RequestPlan::new(Answer::ShouldRefuse)
}

fn refuses_anyhow() -> RequestPlan {
    RequestPlan::new(Answer::RefusesAnyhow)
}

/// A refusal with one of these statuses; other errors are tolerable.
fn refuses(statuses: &[u16]) -> RequestPlan {
    RequestPlan::new(refusal(statuses, None))
}

fn refusal(statuses: &[u16], field: Option<(&'static str, &'static str)>) -> Answer {
    Answer::Refuses {
        statuses: statuses.to_vec(),
        tolerated: (400..=599)
            .filter(|status| !statuses.contains(status))
            .collect(),
        field,
    }
}

/// Anything but an open connection: as plain HTTP the request may be all right.
fn does_not_open() -> RequestPlan {
    RequestPlan::new(Answer::Refuses {
        statuses: (200..=599).collect(),
        tolerated: Vec::new(),
        field: None,
    })
}

/// The fields of an ordinary request, for heads that are written by hand.
const FIELDS: &str = "Host: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n";

/// An ordinary head with these lines before its fields; each has its line end.
fn head_with(lines: &str) -> String {
    format!("GET {{target}} HTTP/1.1\r\n{lines}{FIELDS}\r\n")
}
