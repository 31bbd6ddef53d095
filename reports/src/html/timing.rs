//! How long things took, as numbers and as small charts. All positions are integers, so that the
//! page is the same on every machine.

use super::column::Column;
use super::markup::Markup;
use super::suite::Group;
use super::visible::name;
use crate::model::CaseResult;

/// The width of the bar that compares a result with the slowest one of the case.
const BAR: u64 = 48;

/// The lower ends of the classes of a histogram, in milliseconds; each is about three times the
/// one before.
const CLASSES: [u64; 11] = [0, 1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000];
/// What the axis says below some of them.
const TICKS: [(usize, &str); 4] = [(1, "1 ms"), (5, "100"), (7, "1 s"), (9, "10 s")];

/// Sizes in the histogram.
const LEFT: u64 = 84;
const STEP: u64 = 20;
const ROW: u64 = 20;
const HIGHEST: u64 = 16;

/// How many of the slowest cases are named.
const SLOWEST: usize = 5;

/// Groups that are there to measure performance: many messages, long messages, compression.
const MEASURING: [&str; 3] = ["9", "12", "13"];

/// Writes `840 ms`, `12.3 s`, `20 min 3 s`.
pub(super) fn write_duration(out: &mut Markup, milliseconds: u64) {
    match milliseconds {
        0..1_000 => out.number(milliseconds).tag(" ms"),
        1_000..60_000 => {
            let tenths = milliseconds % 1_000 / 100;
            out.number(milliseconds / 1_000)
                .tag(".")
                .number(tenths)
                .tag(" s")
        }
        _ => {
            out.number(milliseconds / 60_000).tag(" min ");
            out.number(milliseconds % 60_000 / 1_000).tag(" s")
        }
    };
}

/// A bar beside a duration: as long as its share of the slowest.
pub(super) fn write_bar(out: &mut Markup, milliseconds: u64, slowest: u64) {
    out.tag("<svg class=d viewBox=\"0 0 48 6\" aria-hidden=true><path d=\"M0 0h");
    out.number(share(milliseconds, slowest, BAR))
        .tag("v6H0z\"/></svg>");
}

/// The part of `whole` that `of` shall be long, at least 1 if there is anything.
fn share(part: u64, whole: u64, of: u64) -> u64 {
    let share = u128::from(part) * u128::from(of) / u128::from(whole.max(1));
    u64::try_from(share).unwrap_or(of).clamp(part.min(1), of)
}

/// The class of a histogram that a duration is in.
fn class(milliseconds: u64) -> usize {
    CLASSES
        .iter()
        .rposition(|from| *from <= milliseconds)
        .unwrap_or_default()
}

/// How the durations of a subject's cases are spread, a row for each group.
pub(super) fn write_histogram(out: &mut Markup, column: &Column<'_>) {
    let mut groups: Vec<(&str, [u64; CLASSES.len()])> = Vec::new();
    for result in ran(column) {
        let key = result.id.group();
        if groups.last().is_none_or(|(last, _)| *last != key) {
            groups.push((key, [0; CLASSES.len()]));
        }
        if let Some((_, counts)) = groups.last_mut() {
            counts[class(result.duration_ms)] += 1;
        }
    }
    if groups.is_empty() {
        return;
    }
    let bottom = groups.len() as u64 * ROW;
    let right = LEFT + CLASSES.len() as u64 * STEP;
    out.tag("<svg class=histogram role=img viewBox=\"0 0 ")
        .number(right)
        .tag(" ");
    out.number(bottom + 18)
        .tag("\"><title>Durations of the cases, ");
    out.text(&name(&column.subject.name))
        .tag(" as ")
        .tag(column.role.as_str());
    out.tag("</title><desc>");
    for (key, counts) in &groups {
        out.tag("Group ").text(key).tag(": ");
        for (position, (class, count)) in counts
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .enumerate()
        {
            out.tag(if position > 0 { ", " } else { "" }).number(*count);
            match CLASSES.get(class + 1) {
                Some(below) => write_duration(out.tag(" below "), *below),
                None => write_duration(out.tag(" from "), CLASSES[class]),
            }
        }
        out.tag(". ");
    }
    out.tag("</desc>");
    for (position, label) in TICKS {
        let x = LEFT + position as u64 * STEP;
        out.tag("<path class=axis d=\"M")
            .number(x)
            .tag(" 0v")
            .number(bottom + 4);
        out.tag("\"/><text x=")
            .number(x)
            .tag(" y=")
            .number(bottom + 16)
            .tag(">")
            .tag(label);
        out.tag("</text>");
    }
    for (row, (key, counts)) in groups.iter().enumerate() {
        let base = (row as u64 + 1) * ROW;
        let most = counts.iter().copied().max().unwrap_or_default();
        out.tag("<text class=key x=")
            .number(LEFT - 8)
            .tag(" y=")
            .number(base - 4)
            .tag(">");
        out.text(key).tag("</text><path d=\"");
        for (class, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let height = share(*count, most, HIGHEST).max(2);
            out.tag("M")
                .number(LEFT + class as u64 * STEP + 1)
                .tag(" ")
                .number(base - height);
            out.tag("h18v").number(height).tag("h-18z");
        }
        out.tag("\"/>");
    }
    out.tag("</svg>\n");
}

/// The slowest cases of a subject, with links to the cases.
pub(super) fn write_slowest(out: &mut Markup, column: &Column<'_>) {
    let mut results: Vec<&CaseResult> = ran(column)
        .filter(|result| result.duration_ms > 0)
        .collect();
    // The sort is stable: of equal ones the first.
    results.sort_by_key(|result| std::cmp::Reverse(result.duration_ms));
    if results.is_empty() {
        return;
    }
    out.tag("<p class=slowest>Slowest: ");
    for (position, result) in results.iter().take(SLOWEST).enumerate() {
        out.tag(if position > 0 { ", " } else { "" });
        out.tag("<a href=\"#").text(result.id.as_str()).tag("\">");
        out.text(result.id.as_str()).tag("</a>\u{a0}<small>");
        write_duration(out, result.duration_ms);
        out.tag("</small>");
    }
    out.tag("</p>\n");
}

fn ran<'a>(column: &Column<'a>) -> impl Iterator<Item = &'a CaseResult> + use<'a> {
    column
        .subject
        .results
        .values()
        .filter(|result| !result.is_missing())
}

/// For each group that measures performance, the subjects beside each other.
pub(super) fn write_comparison(out: &mut Markup, groups: &[Group<'_>], columns: &[Column<'_>]) {
    if columns.len() < 2 {
        return;
    }
    let measuring = |group: &&Group<'_>| MEASURING.contains(&group.key);
    for group in groups.iter().filter(measuring) {
        let mut sums = vec![None; columns.len()];
        for view in group.rows.iter().flat_map(|row| row.views()) {
            if !view.result.is_missing() {
                let sum: &mut Option<u64> = &mut sums[view.position];
                *sum = Some(
                    sum.unwrap_or_default()
                        .saturating_add(view.result.duration_ms),
                );
            }
        }
        let slowest = sums.iter().flatten().copied().max().unwrap_or_default();
        if slowest == 0 || sums.iter().flatten().count() < 2 {
            continue;
        }
        out.tag("<article class=compare><h3><b>")
            .text(group.key)
            .tag("</b> ");
        out.text(group.title)
            .tag(" <small>sum over its cases</small></h3><ul>\n");
        for (column, sum) in columns.iter().zip(&sums) {
            let Some(sum) = sum else { continue };
            out.tag("<li>");
            column.write_name(out);
            out.tag("<svg viewBox=\"0 0 400 8\" preserveAspectRatio=none aria-hidden=true><path d=\"M0 0h");
            out.number(share(*sum, slowest, 400))
                .tag("v8H0z\"/></svg><span class=n>");
            write_duration(out, *sum);
            out.tag("</span>\n");
        }
        out.tag("</ul></article>\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        for (milliseconds, shown) in [
            (840, "840 ms"),
            (12_345, "12.3 s"),
            (1_203_999, "20 min 3 s"),
        ] {
            let mut out = Markup::default();
            write_duration(&mut out, milliseconds);
            assert_eq!(out.as_str(), shown);
        }
    }

    #[test]
    fn bars_are_as_long_as_their_share_and_never_longer_than_there_is_room() {
        for (part, whole, expected) in [
            (0, 0, 0),
            (0, 10, 0),
            (1, 1_000_000, 1),
            (5, 10, 24),
            (10, 10, 48),
            (u64::MAX, u64::MAX, 48),
            (u64::MAX, 1, 48),
        ] {
            assert_eq!(share(part, whole, BAR), expected, "{part} of {whole}");
        }
    }

    #[test]
    fn classes_begin_at_their_lower_end() {
        for (milliseconds, expected) in [
            (0, 0),
            (1, 1),
            (2, 1),
            (3, 2),
            (29_999, 9),
            (30_000, 10),
            (u64::MAX, 10),
        ] {
            assert_eq!(class(milliseconds), expected, "{milliseconds}");
        }
    }
}
