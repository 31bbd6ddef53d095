//! How the connection ended.

use super::markup::Markup;
use crate::model::{Close, ExpectedClose};

/// The longest reason shown, in characters.
const REASON: usize = 400;

/// The end in one line: `close 1000 by suite, clean, TCP ended by subject`.
pub(super) fn write_line(out: &mut Markup, close: &Close) {
    let code = if close.closed_by_suite {
        close.suite_code.or(close.subject_code)
    } else {
        close.subject_code.or(close.suite_code)
    };
    match code {
        Some(code) => {
            out.tag("close ").number(code);
            out.tag(" by ").tag(side(close.closed_by_suite));
        }
        None => {
            out.tag("no close code");
        }
    }
    out.tag(if close.was_clean {
        ", clean"
    } else {
        ", not clean"
    });
    out.tag(", TCP ended by ").tag(side(close.dropped_by_suite));
}

/// The end beside what was expected, as a table.
pub(super) fn write_table(out: &mut Markup, close: &Close, expected: Option<&ExpectedClose>) {
    out.tag("<section><h5>End of the connection</h5><table><tr><td><th scope=col>seen<th scope=col>expected");
    row(out, "Close begun by").tag(side(close.closed_by_suite));
    out.tag("<td>");
    if let Some(expected) = expected {
        out.tag(side(expected.by_suite));
    }
    let subject = row(out, "Code from subject");
    write_code(subject, close.subject_code, close.subject_reason.as_deref());
    out.tag("<td>");
    if let Some(expected) = expected {
        write_codes(out, &expected.codes);
    }
    let suite = row(out, "Code from suite");
    write_code(suite, close.suite_code, close.suite_reason.as_deref());
    row(out, "Clean").tag(if close.was_clean { "yes" } else { "no" });
    if let Some(reason) = close
        .not_clean_reason
        .as_deref()
        .filter(|_| !close.was_clean)
    {
        out.tag(": ").start_of(reason, REASON);
    }
    if let Some(expected) = expected {
        let not = if expected.require_clean { "" } else { "not " };
        out.tag("<td>").tag(not).tag("required");
    }
    row(out, "TCP dropped by").tag(side(close.dropped_by_suite));
    if close.failed_by_suite {
        row(out, "Failed by").tag("suite");
    }
    for (happened, what) in [
        (close.opening_handshake_timeout, "opening handshake"),
        (close.closing_handshake_timeout, "closing handshake"),
        (close.server_drop_timeout, "server dropping TCP"),
    ] {
        if happened {
            row(out, "Waited in vain for").tag(what);
        }
    }
    out.tag("</table></section>");
}

fn row<'m>(out: &'m mut Markup, what: &'static str) -> &'m mut Markup {
    out.tag("<tr><th scope=row>").tag(what).tag("<td>")
}

fn side(by_suite: bool) -> &'static str {
    if by_suite { "suite" } else { "subject" }
}

fn write_codes(out: &mut Markup, codes: &[u16]) {
    if codes.is_empty() {
        out.tag("any");
    }
    for (position, code) in codes.iter().enumerate() {
        out.tag(if position > 0 { ", " } else { "" }).number(*code);
    }
}

fn write_code(out: &mut Markup, code: Option<u16>, reason: Option<&str>) {
    let Some(code) = code else {
        out.tag("none");
        return;
    };
    out.number(code);
    if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
        out.tag(" “").start_of(reason, REASON).tag("”");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_in_one_line() {
        let mut close = Close {
            closed_by_suite: true,
            suite_code: Some(1000),
            subject_code: Some(1001),
            was_clean: true,
            ..Close::default()
        };
        let line = |close: &Close| {
            let mut out = Markup::default();
            write_line(&mut out, close);
            out.into_string()
        };
        assert_eq!(
            line(&close),
            "close 1000 by suite, clean, TCP ended by subject"
        );
        close.closed_by_suite = false;
        close.dropped_by_suite = true;
        close.was_clean = false;
        assert_eq!(
            line(&close),
            "close 1001 by subject, not clean, TCP ended by suite"
        );
        assert_eq!(
            line(&Close::default()),
            "no close code, not clean, TCP ended by subject"
        );
    }
}
