//! Events as sentences.

use super::visible::{cut, visible};
use crate::model::Event;

/// The longest payload shown, in characters.
const PAYLOAD: usize = 80;
/// The most events shown in one list.
const EVENTS: usize = 12;

/// A list of events as one line each, and how many were left out.
pub(super) fn sentences(events: &[Event]) -> (Vec<String>, usize) {
    let shown = events.iter().take(EVENTS).map(sentence).collect();
    (shown, events.len().saturating_sub(EVENTS))
}

fn sentence(event: &Event) -> String {
    match event {
        Event::Message {
            payload,
            binary: false,
        } => format!("text message {}", quoted(payload)),
        Event::Message {
            payload,
            binary: true,
        } => format!("binary message {}", quoted(payload)),
        Event::Ping { payload } => format!("ping {}", quoted(payload)),
        Event::Pong { payload } => format!("pong {}", quoted(payload)),
        Event::Timeout { tag } => format!("pause {} passes", quoted(tag)),
        Event::Other { json } => visible(cut(json, PAYLOAD).0),
    }
}

fn quoted(payload: &str) -> String {
    if payload.is_empty() {
        return "without payload".to_owned();
    }
    let (shown, left_out) = cut(payload, PAYLOAD);
    let more = if left_out > 0 { " …" } else { "" };
    format!("“{}{more}”", visible(shown))
}
