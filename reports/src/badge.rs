//! Badges: a label and a message in a colour, as SVG or for shields.io.

use serde_json::json;

use crate::model::{Counts, Record, Role, Standing, Subject};
use crate::printable::clipped;

/// What a badge says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Badge {
    /// The left half: `autobahn server`.
    pub label: String,
    /// The right half: `517/517`, `514 ok · 3 info`, `2 failed`.
    pub message: String,
    /// What decides the colour: green for pass, amber for notes, red for fail.
    pub standing: Standing,
}

/// The longest label or message, in characters.
const TEXT: usize = 60;

impl Badge {
    /// The badge of one subject in a role. Accepted deviations count like any other: a badge shows
    /// what the cases found.
    pub fn of_subject(role: Role, subject: &Subject) -> Self {
        let failing = subject
            .results
            .values()
            .filter(|result| result.standing().is_fail())
            .count();
        let counts = Counts::of(subject.results.values());
        Self {
            label: format!("autobahn {role}"),
            message: message(&counts, failing),
            standing: subject.standing(),
        }
    }

    /// The badge of a whole record; red if the run is incomplete.
    pub fn of_record(record: &Record) -> Self {
        let results = || {
            record
                .subjects()
                .flat_map(|(_, subject)| subject.results.values())
        };
        let failing = results()
            .filter(|result| result.standing().is_fail())
            .count();
        let complete = record.troubles.is_empty();
        Self {
            label: "autobahn".to_owned(),
            message: match complete {
                true => message(&Counts::of(results()), failing),
                false => "incomplete".to_owned(),
            },
            standing: match complete {
                true => record.summary().standing(),
                false => Standing::Fail,
            },
        }
    }

    /// The badge with another label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }
}

fn message(counts: &Counts, failing: usize) -> String {
    if counts.total == 0 {
        return "nothing run".to_owned();
    }
    if failing > 0 && failing == counts.missing {
        return format!("{failing} missing");
    }
    if failing > 0 {
        return format!("{failing} failed");
    }
    if counts.ok == counts.total && counts.close_problems == 0 {
        return format!("{}/{}", counts.ok, counts.total);
    }
    let parts = [
        (counts.ok, "ok"),
        (counts.informational, "info"),
        (counts.non_strict, "non-strict"),
        (counts.unimplemented, "unimplemented"),
        (counts.close_problems, "unclosed"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    parts.join(" · ")
}

/// The badge as a picture that stands alone: no font, no style and no script from elsewhere. White
/// on each colour has a contrast of at least 4.5 to 1.
pub fn svg(badge: &Badge) -> String {
    let label = clipped(&badge.label, TEXT);
    let message = clipped(&badge.message, TEXT);
    let colour = match badge.standing {
        Standing::Pass => "#16763f",
        Standing::Notes => "#8a6100",
        Standing::Fail => "#b3202c",
    };
    let (label_width, message_width) = (width(&label), width(&message));
    let (left, right) = (label_width + 12, message_width + 12);
    let whole = left + right;
    let (label, message) = (escape(&label), escape(&message));
    // `textLength` makes the text fit whatever font the reader has.
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" role=\"img\" \
         aria-label=\"{label}: {message}\">\n\
         <title>{label}: {message}</title>\n\
         <clipPath id=\"r\"><rect width=\"{whole}\" height=\"20\" rx=\"4\"/></clipPath>\n\
         <g clip-path=\"url(#r)\">\
         <rect width=\"{left}\" height=\"20\" fill=\"#454d47\"/>\
         <rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{colour}\"/></g>\n\
         <g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,Geneva,sans-serif\" \
         font-size=\"11\">\
         <text x=\"6\" y=\"14\" textLength=\"{label_width}\">{label}</text>\
         <text x=\"{}\" y=\"14\" textLength=\"{message_width}\">{message}</text></g>\n\
         </svg>\n",
        left + 6
    )
}

/// The badge as JSON for shields.io's endpoint badge, schema version 1.
pub fn endpoint(badge: &Badge) -> String {
    let colour = match badge.standing {
        Standing::Pass => "brightgreen",
        Standing::Notes => "yellow",
        Standing::Fail => "red",
    };
    let value = json!({
        "schemaVersion": 1,
        "label": clipped(&badge.label, TEXT),
        "message": clipped(&badge.message, TEXT),
        "color": colour,
    });
    format!("{value:#}\n")
}

/// About how wide a text is in 11 pixels of a sans-serif font, in pixels.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '·' => 4,
            'f' | 'r' | 't' | '(' | ')' | '[' | ']' | '/' | '\\' | '-' => 5,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 11,
            '0'..='9' | 'a'..='z' => 7,
            '\0'..='\u{24f}' => 8,
            _ => 12,
        })
        .sum()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
