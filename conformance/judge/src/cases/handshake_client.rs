//! handshake.2: what a client sends, and makes of responses.
//!
//! Ids are given in the order of the tables: a new case goes to the end of its table.

mod fields;
mod heads;
mod rest;
mod status;
mod the_request;

use crate::case::{Case, Dialogue, Opening, Reaction, ResponsePlan};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("handshake.2", "What a client sends, and makes of responses"),
    ("handshake.2.1", "The request"),
    ("handshake.2.2", "The status line"),
    ("handshake.2.3", "Upgrade and Connection"),
    ("handshake.2.4", "Sec-WebSocket-Accept"),
    ("handshake.2.5", "Subprotocols and extensions"),
    ("handshake.2.6", "How the head is written"),
    (
        "handshake.2.7",
        "What stands behind the head, and the end of TCP",
    ),
];

pub(super) fn cases() -> Vec<Case> {
    let themes = [
        the_request::cases(),
        status::cases(),
        fields::upgrade_and_connection(),
        fields::accept(),
        fields::subprotocols_and_extensions(),
        heads::cases(),
        rest::cases(),
    ];
    let mut all = Vec::new();
    for (theme, cases) in (1..).zip(themes) {
        for (number, mut case) in (1..).zip(cases) {
            let id = format!("handshake.2.{theme}.{number}");
            case.id = id.parse().expect("an id in a table of cases");
            all.push(case);
        }
    }
    all
}

/// A case whose connection, if it opens, echoes a message.
fn response(title: &str, plan: ResponsePlan, why: &str, section: &'static str) -> Case {
    response_then(
        title,
        plan,
        why,
        section,
        Dialogue::new().echo("Cloverleaf"),
    )
}

/// A case that goes on so if the connection opens. Its number comes later.
fn response_then(
    title: &str,
    plan: ResponsePlan,
    why: &str,
    section: &'static str,
    dialogue: Dialogue,
) -> Case {
    let expectation = format!("{why} {}", in_words(plan.reaction));
    Case::new("handshake.2", title, dialogue)
        .expect(expectation)
        .section(section)
        .for_clients()
        .opening(Opening::Response(plan))
}

fn in_words(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::Opens => "MUST: the client takes the connection for open and echoes.",
        Reaction::GivesUp => "MUST: the client ends TCP and does not echo.",
        Reaction::OpensOrGivesUp => {
            "Open: the client may give up, or open the connection and echo."
        }
        Reaction::ShouldOpen => {
            "SHOULD: the client takes the connection for open and echoes; giving up is NON-STRICT."
        }
        Reaction::ShouldGiveUp => {
            "SHOULD: the client gives up; a connection that opens and works is NON-STRICT."
        }
        Reaction::GivesUpOrWaits => {
            "MUST: the client does not echo. Ending TCP is best; waiting is INFORMATIONAL."
        }
    }
}

fn opens() -> ResponsePlan {
    ResponsePlan::new(Reaction::Opens)
}

fn gives_up() -> ResponsePlan {
    ResponsePlan::new(Reaction::GivesUp)
}

fn either() -> ResponsePlan {
    ResponsePlan::new(Reaction::OpensOrGivesUp)
}

fn should_open() -> ResponsePlan {
    ResponsePlan::new(Reaction::ShouldOpen)
}

fn should_give_up() -> ResponsePlan {
    ResponsePlan::new(Reaction::ShouldGiveUp)
}

/// The fields of an ordinary response, for heads that are written by hand.
const FIELDS: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: {accept}\r\n";

/// An ordinary head with these lines before its fields; each has its line end.
fn head_with(lines: &str) -> String {
    format!("HTTP/1.1 101 Switching Protocols\r\n{lines}{FIELDS}\r\n")
}
