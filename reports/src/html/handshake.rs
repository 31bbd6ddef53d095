//! The opening handshake: shown once for each subject, and again only where a case differs.

use std::collections::BTreeMap;

use super::markup::Markup;
use crate::model::{CaseResult, Detail};

/// The longest HTTP head shown, in characters.
const HEAD: usize = 2000;

/// The heads that occur most often in the results of one subject.
#[derive(Default)]
pub(super) struct Usual<'a> {
    pub(super) request: Option<&'a str>,
    pub(super) response: Option<&'a str>,
    masked_request: String,
    masked_response: String,
}

impl<'a> Usual<'a> {
    pub(super) fn of(results: impl Iterator<Item = &'a CaseResult> + Clone) -> Self {
        let heads = |field: fn(&'a Detail) -> Option<&'a str>| {
            most_frequent(
                results
                    .clone()
                    .filter_map(|result| field(result.detail.as_ref()?)),
            )
        };
        let request = heads(|detail| detail.request.as_deref());
        let response = heads(|detail| detail.response.as_deref());
        Self {
            masked_request: request.map(masked).unwrap_or_default(),
            masked_response: response.map(masked).unwrap_or_default(),
            request,
            response,
        }
    }

    /// The heads of a result that differ from these, and whether any is as usual.
    pub(super) fn differing<'d>(&self, detail: &'d Detail) -> (Vec<(&'static str, &'d str)>, bool) {
        let mut differing = Vec::new();
        let mut as_usual = false;
        for (what, head, usual) in [
            ("Request", &detail.request, &self.masked_request),
            ("Response", &detail.response, &self.masked_response),
        ] {
            if let Some(head) = head.as_deref() {
                if masked(head) == *usual {
                    as_usual = true;
                } else {
                    differing.push((what, head));
                }
            }
        }
        (differing, as_usual)
    }
}

/// The first of those heads that are alike most often.
fn most_frequent<'a>(heads: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut alike: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for head in heads {
        alike.entry(masked(head)).or_insert((0, head)).0 += 1;
    }
    let mut most: Option<(usize, &str)> = None;
    for candidate in alike.into_values() {
        if most.is_none_or(|most| candidate.0 > most.0) {
            most = Some(candidate);
        }
    }
    most.map(|(_, head)| head)
}

/// A head without what differs from connection to connection: the target of the request, key and
/// answer to it, the date, and the ports in `Host` and `Origin`.
fn masked(head: &str) -> String {
    let mut out = String::with_capacity(head.len());
    for (number, line) in head.trim_end().split('\n').enumerate() {
        let name = line.split(':').next().unwrap_or_default();
        let hides = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
        let mut words = line.splitn(3, ' ');
        if number == 0
            && let (Some(method), Some(_), Some(version)) =
                (words.next(), words.next(), words.next())
            && version.starts_with("HTTP/")
        {
            out.push_str(method);
            out.push(' ');
            out.push_str(version);
        } else if hides(&["Sec-WebSocket-Key", "Sec-WebSocket-Accept", "Date"]) {
            out.push_str(name);
        } else if hides(&["Host", "Origin"]) {
            let digit = |c: char| c.is_ascii_digit() || c == '\r';
            out.push_str(line.trim_end_matches(digit));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    out
}

/// Heads as they went over the wire.
pub(super) fn write(out: &mut Markup, heads: &[(&'static str, &str)]) {
    out.tag("<div class=heads>");
    for (what, head) in heads {
        out.tag("<div><p class=label>").tag(what).tag("</p><pre>");
        out.start_of(head.trim_end(), HEAD).tag("</pre></div>");
    }
    out.tag("</div>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_alike_but_for_target_key_date_and_port() {
        let one = "GET /runCase?case=1 HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nSec-WebSocket-Key: AA==\r\n\r\n";
        let two = "GET /runCase?case=2 HTTP/1.1\r\nHost: 127.0.0.1:9002\r\nsec-websocket-key: BB==\r\n\r\n";
        assert_eq!(
            masked(one),
            "GET HTTP/1.1\r\nHost: 127.0.0.1:\nSec-WebSocket-Key\n"
        );
        assert_eq!(masked(one).to_lowercase(), masked(two).to_lowercase());
        assert_ne!(masked(one), masked(&one.replace("127.0.0.1", "localhost")));
        assert_ne!(masked("HTTP/1.1 101 OK"), masked("HTTP/1.1 400 OK"));
        assert_eq!(masked(""), "\n");
    }

    #[test]
    fn the_most_frequent_head_is_the_usual_one() {
        let heads = ["B 1", "A 1", "A 1"];
        assert_eq!(most_frequent(heads.into_iter()), Some("A 1"));
        assert_eq!(most_frequent([].into_iter()), None);
    }
}
