//! One case of one subject: the block that unfolds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::badge::Badge;
use super::event;
use super::visible::{cut, name, visible, with_rest};
use super::wire::{WireLog, octets, opcode_name};
use crate::autobahn::case_file_name;
use crate::model::{CaseResult, Close, Detail, Event, ExpectedClose, Role, Standing, Traffic};

/// Lines of a wire log that are shown of a case with nothing to remark, and of any other.
const QUIET_LINES: usize = 12;
const LOUD_LINES: usize = 160;
/// The longest HTTP head shown, in characters.
const HEAD: usize = 2000;
/// The longest sentence shown, in characters.
const SENTENCE: usize = 400;
/// The longest name of a list of events, in characters, and the most lists shown.
const LABEL: usize = 40;
const LABELS: usize = 8;
/// The most sizes shown in a statistic.
const SIZES: usize = 3;

/// One case of one subject.
#[derive(Serialize)]
pub(super) struct ResultView {
    anchor: String,
    role: &'static str,
    subject: String,
    verdict: Badge,
    close: Badge,
    code: Option<u16>,
    duration_ms: u64,
    /// Unfolded from the start: there is something to see.
    open: bool,
    ran: bool,
    file: String,
    detail: Option<DetailView>,
}

#[derive(Serialize)]
struct DetailView {
    started: Option<String>,
    result: Option<String>,
    result_close: Option<String>,
    events: Vec<Events>,
    close_rows: Vec<CloseRow>,
    request: Option<String>,
    response: Option<String>,
    statistics: Vec<Statistic>,
    log: Option<WireLog>,
}

/// A list of events with a name.
#[derive(Serialize)]
struct Events {
    label: String,
    lines: Vec<String>,
    left_out: usize,
}

/// A line of the table on the end of the connection.
#[derive(Serialize)]
struct CloseRow {
    what: &'static str,
    expected: String,
    seen: String,
}

/// A line of numbers.
#[derive(Serialize)]
struct Statistic {
    what: &'static str,
    sent: String,
    received: String,
}

impl ResultView {
    pub(super) fn of(role: Role, subject: &str, anchor: String, result: &CaseResult) -> Self {
        let standing = result.standing();
        let limit = if standing == Standing::Pass {
            QUIET_LINES
        } else {
            LOUD_LINES
        };
        Self {
            anchor,
            role: role.as_str(),
            subject: name(subject),
            verdict: Badge::of_verdict(&result.verdict),
            close: Badge::of_close(&result.close_verdict),
            code: result.remote_close_code,
            duration_ms: result.duration_ms,
            open: standing.is_fail() && !result.is_missing(),
            ran: !result.is_missing(),
            file: name(&case_file_name(subject, &result.id)),
            detail: result
                .detail
                .as_ref()
                .map(|detail| DetailView::of(detail, limit)),
        }
    }
}

impl DetailView {
    fn of(detail: &Detail, lines: usize) -> Self {
        Self {
            started: detail.started.as_deref().map(sentence),
            result: detail.result.as_deref().map(sentence),
            result_close: detail.result_close.as_deref().map(sentence),
            events: events(detail),
            close_rows: detail.close.as_ref().map_or_else(Vec::new, |close| {
                close_rows(close, detail.expected_close.as_ref())
            }),
            request: detail.request.as_deref().map(head),
            response: detail.response.as_deref().map(head),
            statistics: statistics(detail),
            log: (!detail.wire_log.is_empty()).then(|| WireLog::of(&detail.wire_log, lines)),
        }
    }
}

/// What was seen, and each list that would have been accepted; one that is just what was seen
/// shares its entry.
fn events(detail: &Detail) -> Vec<Events> {
    let entry = |label: String, events: &[Event]| {
        let (lines, left_out) = event::sentences(events);
        Events {
            label,
            lines,
            left_out,
        }
    };
    let label = |label: &str| visible(cut(label, LABEL).0);
    let (matching, others): (Vec<_>, Vec<_>) = detail
        .expected
        .iter()
        .take(LABELS)
        .partition(|(_, events)| **events == detail.received);
    let matching: Vec<String> = matching.iter().map(|(name, _)| label(name)).collect();
    let seen = match matching.is_empty() {
        true => "Seen".to_owned(),
        false => format!("Seen, accepted as {}", matching.join(" and ")),
    };
    let mut list = vec![entry(seen, &detail.received)];
    list.extend(
        others
            .iter()
            .map(|(name, events)| entry(format!("Accepted as {}", label(name)), events)),
    );
    list
}

fn sentence(text: &str) -> String {
    with_rest(text, SENTENCE)
}

fn head(text: &str) -> String {
    with_rest(text.trim_end(), HEAD)
}

/// How the connection ended, beside what was expected.
fn close_rows(close: &Close, expected: Option<&ExpectedClose>) -> Vec<CloseRow> {
    let side = |by_suite: bool| if by_suite { "suite" } else { "subject" };
    let expect = |text: &dyn Fn(&ExpectedClose) -> String| expected.map_or_else(String::new, text);
    let mut rows = vec![
        CloseRow {
            what: "Close begun by",
            expected: expect(&|expected| side(expected.by_suite).to_owned()),
            seen: side(close.closed_by_suite).to_owned(),
        },
        CloseRow {
            what: "Code from subject",
            expected: expect(&|expected| codes(&expected.codes)),
            seen: code_and_reason(close.subject_code, close.subject_reason.as_deref()),
        },
        CloseRow {
            what: "Code from suite",
            expected: String::new(),
            seen: code_and_reason(close.suite_code, close.suite_reason.as_deref()),
        },
        CloseRow {
            what: "Clean",
            expected: expect(&|expected| {
                if expected.require_clean {
                    "required"
                } else {
                    "not required"
                }
                .to_owned()
            }),
            seen: match (close.was_clean, &close.not_clean_reason) {
                (true, _) => "yes".to_owned(),
                (false, None) => "no".to_owned(),
                (false, Some(reason)) => format!("no: {}", sentence(reason)),
            },
        },
        CloseRow {
            what: "TCP dropped by",
            expected: String::new(),
            seen: side(close.dropped_by_suite).to_owned(),
        },
    ];
    if close.failed_by_suite {
        rows.push(CloseRow {
            what: "Failed by",
            expected: String::new(),
            seen: "suite".to_owned(),
        });
    }
    let timeouts: Vec<&str> = [
        (close.opening_handshake_timeout, "opening handshake"),
        (close.closing_handshake_timeout, "closing handshake"),
        (close.server_drop_timeout, "server dropping TCP"),
    ]
    .into_iter()
    .filter_map(|(happened, what)| happened.then_some(what))
    .collect();
    if !timeouts.is_empty() {
        rows.push(CloseRow {
            what: "Waited in vain for",
            expected: String::new(),
            seen: timeouts.join(", "),
        });
    }
    rows
}

fn codes(codes: &[u16]) -> String {
    let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
    if codes.is_empty() {
        "any".to_owned()
    } else {
        codes.join(", ")
    }
}

fn code_and_reason(code: Option<u16>, reason: Option<&str>) -> String {
    match (code, reason) {
        (None, _) => "none".to_owned(),
        (Some(code), None | Some("")) => code.to_string(),
        (Some(code), Some(reason)) => format!("{code} “{}”", sentence(reason)),
    }
}

fn statistics(detail: &Detail) -> Vec<Statistic> {
    let mut rows = Vec::new();
    if !detail.sent_frames.is_empty() || !detail.received_frames.is_empty() {
        rows.push(Statistic {
            what: "Frames",
            sent: frames(&detail.sent_frames),
            received: frames(&detail.received_frames),
        });
    }
    if !detail.sent_octets.is_empty() || !detail.received_octets.is_empty() {
        rows.push(Statistic {
            what: "Octets",
            sent: sizes(&detail.sent_octets),
            received: sizes(&detail.received_octets),
        });
    }
    if let Some(traffic) = &detail.traffic {
        rows.extend(traffic_rows(traffic));
    }
    rows
}

fn frames(counts: &BTreeMap<u64, u64>) -> String {
    let each: Vec<String> = counts
        .iter()
        .take(16)
        .map(|(opcode, count)| format!("{count}\u{a0}×\u{a0}{}", opcode_name(*opcode)))
        .collect();
    if each.is_empty() {
        "none".to_owned()
    } else {
        each.join(", ")
    }
}

/// The sum, and the sizes of the pieces it came in, the most frequent first.
fn sizes(counts: &BTreeMap<u64, u64>) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let sum = counts.iter().fold(0_u64, |sum, (size, count)| {
        sum.saturating_add(size.saturating_mul(*count))
    });
    let mut by_count: Vec<(u64, u64)> =
        counts.iter().map(|(size, count)| (*size, *count)).collect();
    by_count.sort_by_key(|(size, count)| (std::cmp::Reverse(*count), *size));
    let shown: Vec<String> = by_count
        .iter()
        .take(SIZES)
        .map(|(size, count)| format!("{count}\u{a0}×\u{a0}{size}"))
        .collect();
    let more = match by_count.len().checked_sub(SIZES) {
        None | Some(0) => String::new(),
        Some(1) => " and 1 other size".to_owned(),
        Some(more) => format!(" and {more} other sizes"),
    };
    format!("{sum} ({}{more})", shown.join(", "))
}

fn traffic_rows(traffic: &Traffic) -> [Statistic; 2] {
    [
        Statistic {
            what: "Messages",
            sent: format!(
                "{} in {} frames",
                traffic.sent_messages, traffic.sent_frames
            ),
            received: format!(
                "{} in {} frames",
                traffic.received_messages, traffic.received_frames
            ),
        },
        Statistic {
            what: "Compression",
            sent: compression(traffic.sent_app, traffic.sent_websocket, traffic.sent_ratio),
            received: compression(
                traffic.received_app,
                traffic.received_websocket,
                traffic.received_ratio,
            ),
        },
    ]
}

fn compression(app: u64, websocket: u64, ratio: Option<f64>) -> String {
    let ratio = ratio
        .map(|ratio| format!(" (ratio {ratio:.3})"))
        .unwrap_or_default();
    format!("{app} to {}{ratio}", octets(websocket))
}
