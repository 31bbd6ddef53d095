//! Frames and octets, counted.

use std::collections::BTreeMap;

use super::markup::Markup;
use super::wire::{octets, opcode_name};
use crate::model::Detail;

/// The most sizes and the most opcodes shown in a statistic.
const SIZES: usize = 3;
const OPCODES: usize = 16;

/// Frames and octets each way, in one line.
pub(super) fn write_line(out: &mut Markup, detail: &Detail) {
    for (way, frames, sizes) in [
        ("sent ", &detail.sent_frames, &detail.sent_octets),
        (
            " · received ",
            &detail.received_frames,
            &detail.received_octets,
        ),
    ] {
        let count = frames.values().fold(0_u64, |sum, n| sum.saturating_add(*n));
        out.tag(way).number(count);
        out.tag(if count == 1 { " frame, " } else { " frames, " });
        out.text(&octets(sum(sizes)));
    }
}

/// Whether anything was counted.
pub(super) fn is_known(detail: &Detail) -> bool {
    let counted = [
        &detail.sent_frames,
        &detail.received_frames,
        &detail.sent_octets,
        &detail.received_octets,
    ];
    counted.iter().any(|counts| !counts.is_empty())
}

/// Frames by kind, octets by size, messages and compression, as a table.
pub(super) fn write_table(out: &mut Markup, detail: &Detail) {
    out.tag("<section><h5>Traffic</h5><table><tr><td><th scope=col>→ sent by suite<th scope=col>← received");
    out.tag("<tr><th scope=row>Frames<td>");
    write_frames(out, &detail.sent_frames);
    out.tag("<td>");
    write_frames(out, &detail.received_frames);
    out.tag("<tr><th scope=row>Octets<td>");
    write_sizes(out, &detail.sent_octets);
    out.tag("<td>");
    write_sizes(out, &detail.received_octets);
    if let Some(traffic) = &detail.traffic {
        out.tag("<tr><th scope=row>Messages<td>");
        out.number(traffic.sent_messages).tag(" in ");
        out.number(traffic.sent_frames).tag(" frames<td>");
        out.number(traffic.received_messages).tag(" in ");
        out.number(traffic.received_frames).tag(" frames");
        out.tag("<tr><th scope=row>Compression<td>");
        write_compression(
            out,
            traffic.sent_app,
            traffic.sent_websocket,
            traffic.sent_ratio,
        );
        out.tag("<td>");
        write_compression(
            out,
            traffic.received_app,
            traffic.received_websocket,
            traffic.received_ratio,
        );
    }
    out.tag("</table></section>");
}

fn sum(sizes: &BTreeMap<u64, u64>) -> u64 {
    sizes.iter().fold(0_u64, |sum, (size, count)| {
        sum.saturating_add(size.saturating_mul(*count))
    })
}

fn write_frames(out: &mut Markup, counts: &BTreeMap<u64, u64>) {
    if counts.is_empty() {
        out.tag("none");
    }
    for (position, (opcode, count)) in counts.iter().take(OPCODES).enumerate() {
        out.tag(if position > 0 { ", " } else { "" }).number(*count);
        out.tag("\u{a0}×\u{a0}").text(&opcode_name(*opcode));
    }
}

/// The sum, and the sizes of the pieces it came in, the most frequent first.
fn write_sizes(out: &mut Markup, counts: &BTreeMap<u64, u64>) {
    if counts.is_empty() {
        out.tag("none");
        return;
    }
    let mut by_count: Vec<(u64, u64)> =
        counts.iter().map(|(size, count)| (*size, *count)).collect();
    by_count.sort_by_key(|(size, count)| (std::cmp::Reverse(*count), *size));
    out.number(sum(counts)).tag(" (");
    for (position, (size, count)) in by_count.iter().take(SIZES).enumerate() {
        out.tag(if position > 0 { ", " } else { "" }).number(*count);
        out.tag("\u{a0}×\u{a0}").number(*size);
    }
    if let Some(more) = by_count.len().checked_sub(SIZES).filter(|more| *more > 0) {
        out.tag(" and ").count(more, " other size");
    }
    out.tag(")");
}

/// Octets before and after, and their ratio in thousandths.
fn write_compression(out: &mut Markup, app: u64, websocket: u64, ratio: Option<f64>) {
    out.number(app).tag(" to ").text(&octets(websocket));
    if let Some(ratio) = ratio {
        out.tag(" (ratio ").text(&format!("{ratio:.3}")).tag(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_is_told_in_one_line_and_never_overflows() {
        assert!(!is_known(&Detail::default()));
        let detail = Detail {
            sent_frames: [(1, 2), (8, 1)].into(),
            sent_octets: [(10, 3)].into(),
            received_frames: [(1, 1)].into(),
            received_octets: [(u64::MAX, u64::MAX)].into(),
            ..Detail::default()
        };
        let mut out = Markup::default();
        write_line(&mut out, &detail);
        assert_eq!(
            out.as_str(),
            "sent 3 frames, 30 octets · received 1 frame, 18446744073709551615 octets"
        );
        assert!(is_known(&detail));
    }

    #[test]
    fn the_most_frequent_sizes_are_named() {
        let sizes = [(1, 5), (2, 7), (3, 1), (4, 1), (5, 1)].into();
        let mut out = Markup::default();
        write_sizes(&mut out, &sizes);
        assert_eq!(
            out.as_str(),
            "31 (7\u{a0}×\u{a0}2, 5\u{a0}×\u{a0}1, 1\u{a0}×\u{a0}3 and 2 other sizes)"
        );
    }
}
