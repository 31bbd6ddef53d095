//! Writing a case file for a result that did not come from one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::index::json_text;
use crate::model::{CaseResult, Detail, Direction, Event, Role, TimerEvent, Traffic, WireRow};

/// The 39 fields of Autobahn's case files; `number` is the position of the case in the run, from 1.
pub(super) fn text(subject: &str, role: Role, number: usize, result: &CaseResult) -> String {
    let empty = Detail::default();
    let detail = result.detail.as_ref().unwrap_or(&empty);
    let close = detail.close.clone().unwrap_or_default();
    let expected_close = detail.expected_close.clone().unwrap_or_default();
    // What the page of the original shows beside the verdict depends on the group.
    let group = result.id.group();
    let shows_ratios = group == "12" || group == "13";
    // A map of serde_json sorts its keys, as Autobahn does.
    json_text(&json!({
        "agent": subject,
        "behavior": result.verdict,
        "behaviorClose": result.close_verdict,
        "case": number,
        "closedByMe": close.closed_by_suite,
        "createStats": true,
        "createWirelog": true,
        "description": escaped(result.description.as_deref().or(result.title.as_deref())),
        "droppedByMe": close.dropped_by_suite,
        "duration": result.duration_ms,
        "expectation": escaped(result.expectation.as_deref()),
        "expected": detail.expected.iter().map(|(label, list)| (label.clone(), events(list)))
            .collect::<BTreeMap<_, _>>(),
        "expectedClose": {
            "closeCode": expected_close.codes,
            "closedByMe": expected_close.by_suite,
            "requireClean": expected_close.require_clean,
        },
        "failedByMe": close.failed_by_suite,
        "httpRequest": detail.request.as_deref().unwrap_or_default(),
        "httpResponse": detail.response.as_deref().unwrap_or_default(),
        "id": result.id,
        "isServer": role == Role::Client,
        "localCloseCode": close.suite_code,
        "localCloseReason": close.suite_reason,
        "received": events(&detail.received),
        "remoteCloseCode": close.subject_code.or(result.remote_close_code),
        "remoteCloseReason": close.subject_reason,
        "reportCompressionRatio": shows_ratios,
        "reportTime": shows_ratios || group == "9",
        "result": detail.result,
        "resultClose": detail.result_close,
        "rxFrameStats": detail.received_frames,
        "rxOctetStats": detail.received_octets,
        "started": detail.started,
        "trafficStats": detail.traffic.as_ref().map(|stats| traffic(stats, detail, role)),
        "txFrameStats": detail.sent_frames,
        "txOctetStats": detail.sent_octets,
        "wasClean": close.was_clean,
        "wasCloseHandshakeTimeout": close.closing_handshake_timeout,
        "wasNotCleanReason": close.not_clean_reason,
        "wasOpenHandshakeTimeout": close.opening_handshake_timeout,
        "wasServerConnectionDropTimeout": close.server_drop_timeout,
        "wirelog": detail.wire_log.iter().map(wire_row).collect::<Vec<_>>(),
    }))
}

/// Autobahn's descriptions are HTML: plain text is escaped, line ends become `<br>`.
fn escaped(text: Option<&str>) -> String {
    text.unwrap_or_default()
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\n', "<br>")
}

fn events(events: &[Event]) -> Vec<Value> {
    events
        .iter()
        .map(|event| match event {
            Event::Message { payload, binary } => json!(["message", payload, binary]),
            Event::Ping { payload } => json!(["ping", payload]),
            Event::Pong { payload } => json!(["pong", payload]),
            Event::Timeout { tag } => json!(["timeout", tag]),
            Event::Other { json } => raw(json),
        })
        .collect()
}

fn wire_row(row: &WireRow) -> Value {
    match row {
        WireRow::Octets {
            direction: Direction::Received,
            length,
            hex,
            ..
        } => {
            json!(["RO", [length, hex]])
        }
        WireRow::Octets {
            direction: Direction::Sent,
            length,
            hex,
            sync,
        } => {
            json!(["TO", [length, hex], sync])
        }
        WireRow::Frame {
            direction,
            opcode,
            fin,
            rsv,
            mask,
            length,
            payload,
            repeat,
            chop,
            sync,
        } => match direction {
            Direction::Received => {
                json!([
                    "RF",
                    [length, payload],
                    opcode,
                    fin,
                    rsv,
                    mask.is_some(),
                    mask
                ])
            }
            Direction::Sent => {
                json!([
                    "TF",
                    [length, payload],
                    opcode,
                    fin,
                    rsv,
                    mask,
                    repeat,
                    chop,
                    sync
                ])
            }
        },
        WireRow::Timer {
            event,
            seconds,
            tag,
        } => match event {
            TimerEvent::ContinueSet => json!(["CT", seconds, tag]),
            TimerEvent::ContinueFired => json!(["CTE", tag]),
            TimerEvent::KillSet => json!(["KL", seconds]),
            TimerEvent::KillFired => json!(["KLE"]),
            TimerEvent::CloseSet => json!(["TI", seconds]),
            TimerEvent::CloseFired => json!(["TIE"]),
        },
        WireRow::Logging { on } => json!(["WLM", on]),
        WireRow::Other { json } => raw(json),
    }
}

/// A value kept as JSON text; text that is not JSON after all stays text.
fn raw(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned()))
}

fn traffic(traffic: &Traffic, detail: &Detail, role: Role) -> Value {
    let size = |head: &Option<String>| head.as_ref().map_or(0, String::len);
    let (received, sent) = match role {
        Role::Server => (size(&detail.response), size(&detail.request)),
        Role::Client => (size(&detail.request), size(&detail.response)),
    };
    json!({
        "incomingCompressionRatio": traffic.received_ratio,
        "incomingOctetsAppLevel": traffic.received_app,
        "incomingOctetsWebSocketLevel": traffic.received_websocket,
        "incomingOctetsWireLevel": traffic.received_wire,
        "incomingWebSocketFrames": traffic.received_frames,
        "incomingWebSocketMessages": traffic.received_messages,
        "incomingWebSocketOverhead": overhead(traffic.received_wire, traffic.received_websocket),
        "outgoingCompressionRatio": traffic.sent_ratio,
        "outgoingOctetsAppLevel": traffic.sent_app,
        "outgoingOctetsWebSocketLevel": traffic.sent_websocket,
        "outgoingOctetsWireLevel": traffic.sent_wire,
        "outgoingWebSocketFrames": traffic.sent_frames,
        "outgoingWebSocketMessages": traffic.sent_messages,
        "outgoingWebSocketOverhead": overhead(traffic.sent_wire, traffic.sent_websocket),
        "preopenIncomingOctetsWireLevel": received,
        "preopenOutgoingOctetsWireLevel": sent,
    })
}

/// What frame headers add to the payloads, as a part of the payloads.
fn overhead(wire: u64, payloads: u64) -> Option<f64> {
    (payloads > 0).then(|| wire.saturating_sub(payloads) as f64 / payloads as f64)
}
