//! Reading a case file.
//!
//! Fields that are absent or of another form are left out of the detail: the suites differ, and the
//! file's own text is kept beside it.

use std::collections::BTreeMap;

use serde_json::Value;

use super::ReadErrorReason;
use super::plain_text::plain_text;
use super::surrogate::escape_lone_surrogates;
use crate::model::{
    CaseResult, Close, Detail, Direction, Event, ExpectedClose, Role, TimerEvent, Traffic, WireRow,
};

/// Fills a result with what its case file says.
pub(super) fn fill(
    result: &mut CaseResult,
    role: Role,
    text: String,
) -> Result<(), ReadErrorReason> {
    let case: Value = serde_json::from_str(&escape_lone_surrogates(&text))
        .map_err(|error| ReadErrorReason::Malformed(error.to_string()))?;
    if !case.is_object() {
        return Err(ReadErrorReason::Malformed("expected an object".to_owned()));
    }
    if let Some(found) = case["id"].as_str().filter(|id| *id != result.id.as_str()) {
        return Err(ReadErrorReason::WrongCase {
            expected: result.id.clone(),
            found: found.to_owned(),
        });
    }
    if role_in(&case).is_some_and(|found| found != role) {
        return Err(ReadErrorReason::WrongRole { asked: role });
    }

    result.description = string(&case["description"]).map(|html| plain_text(&html));
    result.expectation = string(&case["expectation"]).map(|html| plain_text(&html));
    result.detail = Some(detail(&case));
    result.verbatim = Some(text);
    Ok(())
}

/// The role of the subject in a case file, where it says so.
pub(super) fn subject_role(text: &str) -> Option<Role> {
    role_in(&serde_json::from_str(&escape_lone_surrogates(text)).ok()?)
}

/// `isServer` is about the suite: the subject has the other role.
fn role_in(case: &Value) -> Option<Role> {
    case["isServer"]
        .as_bool()
        .map(|suite_is_server| match suite_is_server {
            true => Role::Client,
            false => Role::Server,
        })
}

fn detail(case: &Value) -> Detail {
    Detail {
        started: string(&case["started"]),
        result: string(&case["result"]),
        result_close: string(&case["resultClose"]),
        expected: expected(&case["expected"]),
        expected_close: case["expectedClose"].is_object().then(|| ExpectedClose {
            by_suite: flag(&case["expectedClose"]["closedByMe"]),
            codes: list(&case["expectedClose"]["closeCode"])
                .filter_map(code)
                .collect(),
            require_clean: flag(&case["expectedClose"]["requireClean"]),
        }),
        received: list(&case["received"]).map(event).collect(),
        request: string(&case["httpRequest"]).filter(|head| !head.is_empty()),
        response: string(&case["httpResponse"]).filter(|head| !head.is_empty()),
        close: case["wasClean"].is_boolean().then(|| close(case)),
        received_octets: histogram(&case["rxOctetStats"]),
        sent_octets: histogram(&case["txOctetStats"]),
        received_frames: histogram(&case["rxFrameStats"]),
        sent_frames: histogram(&case["txFrameStats"]),
        traffic: case["trafficStats"]
            .is_object()
            .then(|| traffic(&case["trafficStats"])),
        wire_log: list(&case["wirelog"]).map(wire_row).collect(),
    }
}

fn close(case: &Value) -> Close {
    Close {
        closed_by_suite: flag(&case["closedByMe"]),
        failed_by_suite: flag(&case["failedByMe"]),
        dropped_by_suite: flag(&case["droppedByMe"]),
        was_clean: flag(&case["wasClean"]),
        not_clean_reason: string(&case["wasNotCleanReason"]),
        server_drop_timeout: flag(&case["wasServerConnectionDropTimeout"]),
        opening_handshake_timeout: flag(&case["wasOpenHandshakeTimeout"]),
        closing_handshake_timeout: flag(&case["wasCloseHandshakeTimeout"]),
        suite_code: code(&case["localCloseCode"]),
        suite_reason: string(&case["localCloseReason"]),
        subject_code: code(&case["remoteCloseCode"]),
        subject_reason: string(&case["remoteCloseReason"]),
    }
}

fn traffic(stats: &Value) -> Traffic {
    Traffic {
        received_app: number(&stats["incomingOctetsAppLevel"]),
        received_websocket: number(&stats["incomingOctetsWebSocketLevel"]),
        received_wire: number(&stats["incomingOctetsWireLevel"]),
        received_ratio: stats["incomingCompressionRatio"].as_f64(),
        received_frames: number(&stats["incomingWebSocketFrames"]),
        received_messages: number(&stats["incomingWebSocketMessages"]),
        sent_app: number(&stats["outgoingOctetsAppLevel"]),
        sent_websocket: number(&stats["outgoingOctetsWebSocketLevel"]),
        sent_wire: number(&stats["outgoingOctetsWireLevel"]),
        sent_ratio: stats["outgoingCompressionRatio"].as_f64(),
        sent_frames: number(&stats["outgoingWebSocketFrames"]),
        sent_messages: number(&stats["outgoingWebSocketMessages"]),
    }
}

fn expected(value: &Value) -> BTreeMap<String, Vec<Event>> {
    let Some(labels) = value.as_object() else {
        return BTreeMap::new();
    };
    labels
        .iter()
        .map(|(label, events)| (label.clone(), list(events).map(event).collect()))
        .collect()
}

/// `["message", text, isBinary]`, `["ping"|"pong", text]`, `["timeout", tag]`.
fn event(value: &Value) -> Event {
    let payload = string(&value[1]);
    match (value[0].as_str(), payload, value[2].as_bool()) {
        (Some("message"), Some(payload), Some(binary)) => Event::Message { payload, binary },
        (Some("ping"), Some(payload), _) => Event::Ping { payload },
        (Some("pong"), Some(payload), _) => Event::Pong { payload },
        (Some("timeout"), Some(tag), _) => Event::Timeout { tag },
        _ => Event::Other {
            json: value.to_string(),
        },
    }
}

/// The rows of `wirelog`, by their first element; see each arm for the others.
fn wire_row(row: &Value) -> WireRow {
    let row_if_known = match row[0].as_str() {
        // RO [length, hex] — TO [length, hex], sync
        Some("RO") => octets(row, Direction::Received),
        Some("TO") => octets(row, Direction::Sent),
        // RF [length, text], opcode, fin, rsv, masked, mask
        Some("RF") => frame(row, Direction::Received),
        // TF [length, text], opcode, fin, rsv, mask, repeat length, chop size, sync
        Some("TF") => frame(row, Direction::Sent),
        // CT delay, tag — CTE tag
        Some("CT") => Some(timer(
            TimerEvent::ContinueSet,
            row[1].as_f64(),
            string(&row[2]),
        )),
        Some("CTE") => Some(timer(TimerEvent::ContinueFired, None, string(&row[1]))),
        // KL, TI seconds — KLE, TIE
        Some("KL") => Some(timer(TimerEvent::KillSet, row[1].as_f64(), None)),
        Some("KLE") => Some(timer(TimerEvent::KillFired, None, None)),
        Some("TI") => Some(timer(TimerEvent::CloseSet, row[1].as_f64(), None)),
        Some("TIE") => Some(timer(TimerEvent::CloseFired, None, None)),
        // WLM on
        Some("WLM") => row[1].as_bool().map(|on| WireRow::Logging { on }),
        _ => None,
    };
    row_if_known.unwrap_or_else(|| WireRow::Other {
        json: row.to_string(),
    })
}

fn octets(row: &Value, direction: Direction) -> Option<WireRow> {
    Some(WireRow::Octets {
        direction,
        length: row[1][0].as_u64()?,
        hex: string(&row[1][1])?,
        sync: flag(&row[2]),
    })
}

fn frame(row: &Value, direction: Direction) -> Option<WireRow> {
    let small = |value: &Value| value.as_u64().and_then(|number| u8::try_from(number).ok());
    let received = direction == Direction::Received;
    Some(WireRow::Frame {
        direction,
        opcode: small(&row[2])?,
        fin: row[3].as_bool()?,
        rsv: small(&row[4])?,
        mask: if received {
            string(&row[6])
        } else {
            string(&row[5])
        },
        length: row[1][0].as_u64()?,
        payload: string(&row[1][1])?,
        repeat: if received { None } else { row[6].as_u64() },
        chop: if received { None } else { row[7].as_u64() },
        sync: !received && flag(&row[8]),
    })
}

fn timer(event: TimerEvent, seconds: Option<f64>, tag: Option<String>) -> WireRow {
    WireRow::Timer {
        event,
        seconds,
        tag,
    }
}

fn histogram(value: &Value) -> BTreeMap<u64, u64> {
    let Some(counts) = value.as_object() else {
        return BTreeMap::new();
    };
    counts
        .iter()
        .filter_map(|(key, count)| Some((key.parse().ok()?, count.as_u64()?)))
        .collect()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn flag(value: &Value) -> bool {
    value.as_bool().unwrap_or(false)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn code(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok())
}
