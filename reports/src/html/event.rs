//! Events as sentences.

use super::markup::Markup;
use super::visible::cut;
use crate::model::{Detail, Event};

/// The longest payload shown, in characters.
const PAYLOAD: usize = 80;
/// The most events shown in one list.
const EVENTS: usize = 12;
/// The longest name of a list of events, in characters, and the most lists shown.
const LABEL: usize = 40;
const LABELS: usize = 8;

/// What was seen, in one line.
pub(super) fn write_line(out: &mut Markup, events: &[Event]) {
    if events.is_empty() {
        out.tag("nothing");
    }
    for (position, event) in events.iter().take(EVENTS).enumerate() {
        if position > 0 {
            out.tag(" · ");
        }
        write_event(out, event);
    }
    write_rest(out, events.len(), " · ");
}

/// What was seen, and each list that would have been accepted; one that is just what was seen
/// shares its entry.
pub(super) fn write_lists(out: &mut Markup, detail: &Detail) {
    let (matching, others): (Vec<_>, Vec<_>) = detail
        .expected
        .iter()
        .take(LABELS)
        .partition(|(_, events)| **events == detail.received);
    out.tag("<dl><dt>Seen");
    for (position, (label, _)) in matching.into_iter().enumerate() {
        out.tag(if position == 0 {
            ", accepted as "
        } else {
            " and "
        });
        out.text(cut(label, LABEL).0);
    }
    write_list(out, &detail.received);
    for (label, events) in others {
        out.tag("<dt>Accepted as ").text(cut(label, LABEL).0);
        write_list(out, events);
    }
    out.tag("</dl>");
}

fn write_list(out: &mut Markup, events: &[Event]) {
    out.tag("<dd><ul>");
    for event in events.iter().take(EVENTS) {
        out.tag("<li>");
        write_event(out, event);
    }
    if events.is_empty() {
        out.tag("<li class=none>nothing");
    }
    write_rest(out, events.len(), "<li class=cut>");
    out.tag("</ul>");
}

fn write_rest(out: &mut Markup, events: usize, before: &'static str) {
    if let Some(left_out) = events.checked_sub(EVENTS).filter(|more| *more > 0) {
        out.tag(before)
            .tag("and ")
            .number(left_out as u64)
            .tag(" more");
    }
}

fn write_event(out: &mut Markup, event: &Event) {
    let (what, payload) = match event {
        Event::Message { payload, binary } => {
            let kind = if *binary { "binary" } else { "text" };
            (out.tag(kind).tag(" message "), payload)
        }
        Event::Ping { payload } => (out.tag("ping "), payload),
        Event::Pong { payload } => (out.tag("pong "), payload),
        Event::Timeout { tag } => {
            write_quoted(out.tag("pause "), tag);
            out.tag(" passes");
            return;
        }
        Event::Other { json } => {
            out.text(cut(json, PAYLOAD).0);
            return;
        }
    };
    write_quoted(what, payload);
}

fn write_quoted(out: &mut Markup, payload: &str) {
    if payload.is_empty() {
        out.tag("without payload");
        return;
    }
    let (shown, left_out) = cut(payload, PAYLOAD);
    out.tag("“").text(shown);
    out.tag(if left_out > 0 { " …”" } else { "”" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_one_line_and_say_how_many_are_not_shown() {
        let pong = Event::Pong {
            payload: "a".into(),
        };
        let mut events = vec![pong; EVENTS + 2];
        events[0] = Event::Message {
            payload: String::new(),
            binary: true,
        };
        events[1] = Event::Timeout { tag: "A".into() };
        let mut out = Markup::default();
        write_line(&mut out, &events);
        let start = "binary message without payload · pause “A” passes · pong “a” · ";
        assert!(out.as_str().starts_with(start), "{}", out.as_str());
        assert!(out.as_str().ends_with("pong “a” · and 2 more"));
    }
}
