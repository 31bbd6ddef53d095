//! The status line.

use super::{FIELDS, either, gives_up, head_with, opens, response, should_give_up, should_open};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![response(
        "An ordinary response",
        opens(),
        "Nothing is wrong with it.",
        "RFC 6455 §4.1",
    )];
    cases.extend(other_answers());
    cases.extend(status_lines());
    cases
}

/// Answers of HTTP. All the fields of an opening handshake are there, so that only the status
/// tells.
fn other_answers() -> Vec<Case> {
    let not_101 = "Without 101 there is no WebSocket.";
    let section = "RFC 6455 §4.1";
    let line = |line: &str| {
        let status_line = format!("HTTP/1.1 {line}");
        gives_up().line(status_line).with("Content-Length", "0")
    };
    // Nobody listens on this port.
    let elsewhere = ("Location", "ws://127.0.0.1:9/");
    vec![
        response("The answer is 200", line("200 OK"), not_101, section),
        response(
            "The answer is 204",
            gives_up().line("HTTP/1.1 204 No Content"),
            not_101,
            section,
        ),
        response(
            "The answer is 301",
            line("301 Moved Permanently").with(elsewhere.0, elsewhere.1),
            "A client may follow, but this connection does not open.",
            section,
        ),
        response(
            "The answer is 400",
            line("400 Bad Request"),
            not_101,
            section,
        ),
        response(
            "The answer is 401",
            line("401 Unauthorized").with("WWW-Authenticate", "Basic realm=\"x\""),
            "A client may try again with credentials, but this connection does not open.",
            section,
        ),
        response(
            "The answer is 403 with a body",
            gives_up().raw(format!(
                "HTTP/1.1 403 Forbidden\r\n{FIELDS}Content-Length: 4\r\n\r\nNo.\n"
            )),
            not_101,
            section,
        ),
        response(
            "The answer is 426 with another version",
            line("426 Upgrade Required").with("Sec-WebSocket-Version", "8"),
            "A client may try again with that version, but this connection does not open.",
            "RFC 6455 §4.4",
        ),
        response(
            "The answer is 503",
            line("503 Service Unavailable"),
            not_101,
            section,
        ),
    ]
}

fn status_lines() -> Vec<Case> {
    let section = "RFC 9112 §4";
    let reason = "Reasons are for people: a client ignores them.";
    let no_line = "This is no status line of 101.";
    let old = "Upgrade belongs to HTTP/1.1; what a client does with 101 elsewhere is not said.";
    let line = |plan: crate::case::ResponsePlan, line: &str| plan.line(line);
    vec![
        response(
            "The reason is another",
            line(opens(), "HTTP/1.1 101 Web Socket Protocol Handshake"),
            reason,
            section,
        ),
        response(
            "The reason is 200 OK",
            line(opens(), "HTTP/1.1 101 200 OK"),
            reason,
            section,
        ),
        response(
            "There is no reason",
            line(opens(), "HTTP/1.1 101 "),
            reason,
            section,
        ),
        response(
            "There is no reason, nor the space before it",
            line(either(), "HTTP/1.1 101"),
            "The space is a MUST for servers; many clients do without.",
            section,
        ),
        response(
            "The version is HTTP/1.0",
            line(should_give_up(), "HTTP/1.0 101 Switching Protocols"),
            old,
            "RFC 9110 §7.8, §15.2",
        ),
        response(
            "The version is HTTP/1.2",
            line(either(), "HTTP/1.2 101 Switching Protocols"),
            "A higher minor version is to be treated as the highest that is known.",
            "RFC 9110 §2.5",
        ),
        response(
            "The version is http/1.1 in small letters",
            line(should_give_up(), "http/1.1 101 Switching Protocols"),
            "The name of HTTP is compared with its case.",
            "RFC 9112 §2.3",
        ),
        response(
            "The status has four digits",
            line(gives_up(), "HTTP/1.1 1010 Switching Protocols"),
            no_line,
            section,
        ),
        response(
            "The status is a word",
            line(gives_up(), "HTTP/1.1 Switching Protocols"),
            no_line,
            section,
        ),
        response(
            "There is no status line",
            gives_up().raw(format!("{FIELDS}\r\n")),
            no_line,
            section,
        ),
        response(
            "The answer is not HTTP",
            gives_up().raw("SSH-2.0-OpenSSH_9.9\r\n\r\n"),
            no_line,
            section,
        ),
        response(
            "An empty line comes before the status line",
            either().raw(format!("\r\n{}", head_with(""))),
            "To skip one is advised to servers only.",
            "RFC 9112 §2.2",
        ),
        response(
            "103 (Early Hints) comes before 101",
            should_open().raw(format!(
                "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n{}",
                head_with("")
            )),
            "A client of HTTP must be able to read interim answers that it did not expect; many \
             of WebSocket are not.",
            "RFC 9110 §15.2",
        ),
        response(
            "100 (Continue) comes twice before 101",
            should_open().raw(format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n{}",
                head_with("")
            )),
            "A client of HTTP must be able to read interim answers that it did not expect; many \
             of WebSocket are not.",
            "RFC 9110 §15.2",
        ),
    ]
}
