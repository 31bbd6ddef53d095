//! The wire log as lines to read.

use super::markup::Markup;
use super::visible::cut;
use crate::model::{Direction, TimerEvent, WireRow};

/// The most digits of hexadecimal shown of one row.
const HEX: usize = 32;
/// The longest payload shown, in characters.
const PAYLOAD: usize = 64;

/// A wire log, cut to a number of lines.
pub(super) struct WireLog {
    lines: Vec<WireLine>,
    /// How many lines there would be.
    total: usize,
    /// How many are not shown.
    left_out: usize,
}

/// One line: an arrow, what it is, a remark, and octets or text.
struct WireLine {
    /// `s` sent, `r` received, both with `o` for bare octets; `t` timer.
    class: &'static str,
    arrow: &'static str,
    what: String,
    note: String,
    content: String,
}

impl WireLog {
    /// The first `limit` lines. Octets that went the same way in pieces of the same size share a
    /// line.
    pub(super) fn of(rows: &[WireRow], limit: usize) -> Self {
        let mut lines = Vec::new();
        let mut total = 0;
        let mut at = 0;
        while at < rows.len() {
            let alike = alike_octets(&rows[at..]).max(1);
            if total < limit {
                lines.push(line(&rows[at..at + alike]));
            }
            total += 1;
            at += alike;
        }
        Self {
            left_out: total - lines.len(),
            lines,
            total,
        }
    }

    /// The log as a block that unfolds, from the start if it is `open`. What it leaves out is in
    /// the case file.
    pub(super) fn write(&self, out: &mut Markup, open: bool, case_file: &str) {
        out.tag(if open {
            "<details class=more open>"
        } else {
            "<details class=more>"
        });
        out.tag("<summary>Wire log, ").count(self.total, " line");
        out.tag("</summary><ol class=log>\n");
        for line in &self.lines {
            out.tag("<li class=")
                .tag(line.class)
                .tag(">")
                .tag(line.arrow);
            if !line.what.is_empty() {
                out.tag(" <b>").text(&line.what).tag("</b>");
            }
            if !line.note.is_empty() {
                out.tag(" ").text(&line.note);
            }
            if !line.content.is_empty() {
                out.tag(" <code>").text(&line.content).tag("</code>");
            }
            out.tag("\n");
        }
        out.tag("</ol>");
        if self.left_out > 0 {
            out.tag("<p class=cut>").count(self.left_out, " more line");
            out.tag(" in <code>").text(case_file).tag("</code></p>");
        }
        out.tag("</details>\n");
    }
}

/// How many rows from the first on are octets of the same direction, size and flush.
fn alike_octets(rows: &[WireRow]) -> usize {
    let key = |row: &WireRow| match row {
        WireRow::Octets {
            direction,
            length,
            sync,
            ..
        } => Some((*direction, *length, *sync)),
        _ => None,
    };
    let Some(first) = rows.first().and_then(key) else {
        return 0;
    };
    rows.iter()
        .take_while(|row| key(row) == Some(first))
        .count()
}

/// A line for one row, or for rows of alike octets.
fn line(rows: &[WireRow]) -> WireLine {
    match &rows[0] {
        WireRow::Octets {
            direction,
            length,
            sync,
            ..
        } => {
            let (arrow, class) = match direction {
                Direction::Sent => ("→", "so"),
                Direction::Received => ("←", "ro"),
            };
            let times = if rows.len() > 1 {
                format!("{} × ", rows.len())
            } else {
                String::new()
            };
            let flushed = if *sync { " flushed" } else { "" };
            WireLine {
                class,
                arrow,
                what: String::new(),
                note: format!("{times}{}{flushed}", octets(*length)),
                content: head_name(rows).map_or_else(|| hex_of(rows, *length), str::to_owned),
            }
        }
        WireRow::Frame { .. } => frame_line(&rows[0]),
        WireRow::Timer {
            event,
            seconds,
            tag,
        } => {
            let what = match event {
                TimerEvent::ContinueSet => "the case pauses",
                TimerEvent::ContinueFired => "the case goes on",
                TimerEvent::KillSet => "the connection will be failed",
                TimerEvent::KillFired => "time is up: the connection is failed",
                TimerEvent::CloseSet => "the connection will be closed",
                TimerEvent::CloseFired => "time is up: the connection is closed",
            };
            let after = match (event, seconds) {
                (TimerEvent::ContinueSet, Some(seconds)) => format!(" for {seconds} s"),
                (_, Some(seconds)) => format!(" after {seconds} s"),
                (_, None) => String::new(),
            };
            let tag = tag
                .as_deref()
                .map(|tag| format!(", pause {}", cut(tag, PAYLOAD).0));
            timer_line(format!("{what}{after}{}", tag.unwrap_or_default()))
        }
        WireRow::Logging { on: false } => timer_line("bulk traffic, not logged, from here".into()),
        WireRow::Logging { on: true } => timer_line("logged again from here".into()),
        WireRow::Other { json } => timer_line(cut(json, PAYLOAD).0.to_owned()),
    }
}

fn timer_line(note: String) -> WireLine {
    WireLine {
        class: "t",
        arrow: "·",
        what: String::new(),
        note,
        content: String::new(),
    }
}

/// The name of an HTTP head: the page shows it as text, so its octets would say nothing more.
fn head_name(rows: &[WireRow]) -> Option<&'static str> {
    match rows {
        [WireRow::Octets { hex, .. }] if hex.starts_with("474554202f") => Some("GET /…"),
        [WireRow::Octets { hex, .. }] if hex.starts_with("485454502f312e31") => Some("HTTP/1.1 …"),
        _ => None,
    }
}

/// The first octets of some rows, in hexadecimal, and how many are not shown.
fn hex_of(rows: &[WireRow], length: u64) -> String {
    let mut hex = String::new();
    for row in rows {
        if let WireRow::Octets { hex: part, .. } = row {
            // Enough to see whether there is more than is shown.
            hex.push_str(cut(part.trim_end_matches(" ..."), HEX + 1).0);
        }
        // What follows a row that is itself incomplete would not be its continuation.
        if hex.len() > HEX || (hex.len() as u64) < length.saturating_mul(2) {
            break;
        }
    }
    let (shown, _) = cut(&hex, HEX);
    let all = length.saturating_mul(rows.len() as u64);
    let left_out = all.saturating_sub(shown.len() as u64 / 2);
    let more = if left_out > 0 {
        format!(" … {left_out} more")
    } else {
        String::new()
    };
    format!("{shown}{more}")
}

fn frame_line(row: &WireRow) -> WireLine {
    let WireRow::Frame {
        direction,
        opcode,
        fin,
        rsv,
        mask,
        length,
        payload,
        repeat,
        chop,
        ..
    } = row
    else {
        return timer_line(String::new());
    };
    let (arrow, class) = match direction {
        Direction::Sent => ("→", "s"),
        Direction::Received => ("←", "r"),
    };
    let mut notes = vec![octets(*length)];
    if !*fin {
        notes.push("more to come".to_owned());
    }
    for (bit, name) in [(4, "RSV1"), (2, "RSV2"), (1, "RSV3")] {
        if rsv & bit != 0 {
            notes.push(name.to_owned());
        }
    }
    if let Some(mask) = mask {
        notes.push(format!("mask {}", cut(mask, 8).0));
    }
    if let Some(repeat) = repeat {
        notes.push(format!("repeated to {}", octets(*repeat)));
    }
    if let Some(chop) = chop {
        notes.push(format!("written in pieces of {}", octets(*chop)));
    }
    WireLine {
        class,
        arrow,
        what: opcode_name(u64::from(*opcode)),
        note: notes.join(", "),
        content: payload_text(*opcode, payload),
    }
}

/// The name of an opcode (RFC 6455 section 5.2).
pub(super) fn opcode_name(opcode: u64) -> String {
    match opcode {
        0 => "CONTINUATION".to_owned(),
        1 => "TEXT".to_owned(),
        2 => "BINARY".to_owned(),
        8 => "CLOSE".to_owned(),
        9 => "PING".to_owned(),
        10 => "PONG".to_owned(),
        other => format!("OPCODE {other}"),
    }
}

/// `1 octet`, `13 octets`.
pub(super) fn octets(count: u64) -> String {
    format!("{count} octet{}", if count == 1 { "" } else { "s" })
}

fn payload_text(opcode: u8, payload: &str) -> String {
    if opcode == 8
        && let Some(close) = payload.strip_prefix("0x").and_then(close_text)
    {
        return close;
    }
    let (shown, left_out) = cut(payload, PAYLOAD);
    format!("{}{}", shown, if left_out > 0 { " …" } else { "" })
}

/// Code and reason of a close frame (RFC 6455 section 5.5.1), from hexadecimal that may be cut.
fn close_text(hex: &str) -> Option<String> {
    let (hex, cut_short) = match hex.strip_suffix(" ...") {
        Some(hex) => (hex, true),
        None => (hex, false),
    };
    let octets: Vec<u8> = hex
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect::<Option<_>>()?;
    let (code, reason) = octets.split_at_checked(2)?;
    let code = u16::from_be_bytes([code[0], code[1]]);
    if reason.is_empty() {
        return Some(code.to_string());
    }
    let reason = String::from_utf8_lossy(reason);
    let (shown, left_out) = cut(&reason, PAYLOAD);
    let more = if left_out > 0 || cut_short {
        " …"
    } else {
        ""
    };
    Some(format!("{code} “{shown}{more}”"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chop(hex: &str) -> WireRow {
        WireRow::Octets {
            direction: Direction::Sent,
            length: 1,
            hex: hex.to_owned(),
            sync: true,
        }
    }

    #[test]
    fn octets_written_one_by_one_share_a_line() {
        let rows: Vec<_> = ["81", "85", "00"].map(chop).into();
        let log = WireLog::of(&rows, 10);
        assert_eq!((log.total, log.left_out), (1, 0));
        assert_eq!(log.lines[0].note, "3 × 1 octet flushed");
        assert_eq!(log.lines[0].content, "818500");
    }

    #[test]
    fn a_long_log_says_how_many_lines_it_left_out() {
        let rows: Vec<_> = (0..100)
            .map(|on| WireRow::Logging { on: on % 2 == 0 })
            .collect();
        let log = WireLog::of(&rows, 8);
        assert_eq!((log.lines.len(), log.total, log.left_out), (8, 100, 92));
    }

    #[test]
    fn long_octets_say_how_many_are_not_shown() {
        let row = WireRow::Octets {
            direction: Direction::Received,
            length: 1000,
            hex: format!("{} ...", "ab".repeat(64)),
            sync: false,
        };
        let log = WireLog::of(&[row.clone(), row], 8);
        assert_eq!(
            log.lines[0].content,
            format!("{} … 1984 more", "ab".repeat(16))
        );
    }

    #[test]
    fn close_frames_show_code_and_reason() {
        for (payload, shown) in [
            ("0x03e8", "1000"),
            ("0x03e9627965", "1001 “bye”"),
            ("0x03e9627965 ...", "1001 “bye …”"),
            ("0x03e9ff00", "1001 “\u{fffd}\0”"),
            ("0x03", "0x03"),
            ("0xzz", "0xzz"),
            ("0xé1234", "0xé1234"),
            ("", ""),
        ] {
            assert_eq!(payload_text(8, payload), shown, "{payload}");
        }
    }
}
