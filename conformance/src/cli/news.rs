//! What is said about a connection, in lines for a person. What the peer wrote is escaped.

use std::time::Duration;

use cloverleaf::proto::Role;
use cloverleaf::proto::extension::{Flow, Statistics};
use cloverleaf::{CloseCode, Closed, Opening};

use cloverleaf_reports::printable::{name, printable};

/// What came of the opening handshake: what was offered, agreed, passed over and why.
pub(super) fn opening(opening: &Opening) -> Vec<String> {
    let request = opening.handshake.request();
    let offered: Vec<_> = request
        .headers()
        .get_all("sec-websocket-extensions")
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let mut lines = vec![format!("offered: {}", or_nothing(&offered.join(", ")))];
    let agreed: Vec<_> = opening
        .agreed
        .iter()
        .map(|agreed| format!("{}{}", agreed.name, agreed.params))
        .collect();
    lines.push(format!("agreed: {}", or_nothing(&agreed.join(", "))));
    lines.extend(
        opening
            .skipped
            .iter()
            .map(|skipped| printable(&format!("skipped: {skipped}"))),
    );
    if let Some(protocol) = opening.handshake.protocol() {
        lines.push(printable(&format!("subprotocol: {protocol}")));
    }
    lines
}

fn or_nothing(list: &str) -> String {
    if list.is_empty() {
        "no extensions".to_owned()
    } else {
        printable(list)
    }
}

/// What each extension has done, three lines each.
pub(super) fn statistics(all: &[Statistics]) -> Vec<String> {
    if all.is_empty() {
        return vec!["no extensions, no statistics".to_owned()];
    }
    let lines = all.iter().flat_map(|one| {
        [
            format!("{}:", name(&one.name)),
            format!("  sent     {}", flow(&one.sent)),
            format!("  received {}", flow(&one.received)),
        ]
    });
    lines.collect()
}

fn flow(flow: &Flow) -> String {
    let Some(ratio) = flow.ratio() else {
        // Nothing of the application's: frames of the extension's own, or none.
        return format!(
            "{}, {} changed; {} on the wire{}",
            count(flow.frames, "frame"),
            flow.changed,
            count(flow.wire, "octet"),
            time(flow.time)
        );
    };
    format!(
        "{}, {} changed; {}, {} on the wire ({:.0} %){}",
        count(flow.frames, "frame"),
        flow.changed,
        count(flow.application, "octet"),
        flow.wire,
        ratio * 100.0,
        time(flow.time)
    )
}

fn time(time: Duration) -> String {
    if time.is_zero() {
        String::new()
    } else {
        format!("; {:.1} µs", time.as_secs_f64() * 1e6)
    }
}

/// `1 octet`, `2 octets`.
pub(super) fn count(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// How the connection ended, as the end in this role sees it.
pub(super) fn ending(closed: &Closed, us: Role) -> String {
    let who = match closed.initiator {
        _ if closed.error.is_some() => "failed",
        Some(role) if role == us => "closed by us",
        Some(Role::Client) => "closed by the client",
        Some(Role::Server) => "closed by the server",
        None => "ended",
    };
    let mut line = match &closed.error {
        Some(error) => format!("{who}: {error}"),
        None => format!("{who}: {}", code(closed.code)),
    };
    if closed.error.is_some() && closed.code != CloseCode::ABNORMAL {
        line = format!("{line}; the peer said {}", code(closed.code));
    }
    if !closed.reason.is_empty() {
        line = format!("{line}, reason \"{}\"", closed.reason);
    }
    printable(&line)
}

/// A close code with what it means (RFC 6455 §7.4.1 and the registry of IANA).
pub(super) fn code(code: CloseCode) -> String {
    let meaning = match code.number() {
        1000 => "done",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unacceptable kind of data",
        1005 => "no code given",
        1006 => "no close frame",
        1007 => "data that does not fit its type",
        1008 => "policy violated",
        1009 => "message too big",
        1010 => "a required extension is missing",
        1011 => "unexpected condition",
        1012 => "service restarts",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS failed",
        3000..=3999 => "of a library or framework",
        4000..=4999 => "of the application",
        _ => "unknown",
    };
    format!("{code} ({meaning})")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloverleaf::proto::Connection;
    use cloverleaf::proto::extension::{Agreement, Extensions, Negotiated, Params};

    use super::*;

    /// Statistics with these figures: those of a connection on which nothing has happened, changed.
    fn statistic(name: &str, sent: Flow) -> Statistics {
        let mut config = cloverleaf::config();
        config.extensions = Extensions::new()
            .with_local("x", || Agreement::new(Params::new()))
            .expect("a name");
        let negotiated = Negotiated::accept(&config.extensions, Vec::new());
        let now = std::time::Instant::now();
        let connection = Connection::new(Role::Client, Arc::new(config), negotiated, now);
        let mut one = connection.statistics().remove(0);
        name.clone_into(&mut one.name);
        one.sent = sent;
        one
    }

    #[test]
    fn statistics_say_what_became_of_how_much() {
        let mut sent = Flow::default();
        (sent.frames, sent.changed) = (3, 1);
        (sent.application, sent.wire) = (200, 50);
        sent.time = Duration::from_nanos(1_500);
        assert_eq!(
            statistics(&[statistic("x-a\x1b", sent)]),
            [
                "x-a\\u{1b}:",
                "  sent     3 frames, 1 changed; 200 octets, 50 on the wire (25 %); 1.5 µs",
                "  received 0 frames, 0 changed; 0 octets on the wire",
            ]
        );
        assert_eq!(statistics(&[]), ["no extensions, no statistics"]);
    }

    #[test]
    fn every_code_has_words() {
        for (number, words) in [
            (1000, "1000 (done)"),
            (1006, "1006 (no close frame)"),
            (3001, "3001 (of a library or framework)"),
            (4999, "4999 (of the application)"),
            (1004, "1004 (unknown)"),
        ] {
            assert_eq!(code(CloseCode::new(number)), words);
        }
    }
}
