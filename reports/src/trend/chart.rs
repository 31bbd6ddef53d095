//! Two charts of a history, as inline SVG.

use std::fmt::Write;

use super::{Series, groups};
use crate::model::Counts;
use crate::outcome::duration;
use crate::printable::name;

/// The height of the plot, and the space around it, in pixels.
const HEIGHT: u64 = 120;
const MARGIN: u64 = 24;

/// What the plots of all runs share at most, and the limits of what one run takes, in pixels.
const WIDTH: u64 = 480;
const SLOT: std::ops::RangeInclusive<u64> = 6..=48;

/// A stacked column for each run: how often each verdict was given.
pub fn verdict_chart(series: &Series) -> String {
    let slot = slot(series);
    let most = series.points.iter().map(|point| point.counts.total).max();
    let most = most.unwrap_or(0) as u64;
    let mut out = start(series, "Verdicts", &format!("{most} cases"));
    for (place, point) in series.points.iter().enumerate() {
        let x = MARGIN + place as u64 * slot + 1;
        let mut below = 0;
        for (class, word, count) in stack(&point.counts) {
            let bottom = height(below, most);
            below += count as u64;
            let top = height(below, most);
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}: \
                 {count} {word}</title></rect>",
                MARGIN + HEIGHT - top,
                slot - 2,
                top - bottom,
                escape(&point.run),
            );
        }
    }
    out + "</svg>\n"
}

/// A line for the time of all cases, and a thin one for each group of cases.
pub fn time_chart(series: &Series) -> String {
    let most = series.points.iter().map(|point| point.total_ms).max();
    let most = most.unwrap_or(0);
    let mut out = start(series, "Time", &duration(most));
    for group in groups(series) {
        let times = series
            .points
            .iter()
            .map(|point| point.groups.get(&group).copied());
        // A run without the group leaves a gap that the line crosses.
        let points = places(series, times, most);
        let _ = write!(
            out,
            "<polyline class=\"group\" points=\"{}\"><title>group {}</title></polyline>",
            points.join(" "),
            escape(&group)
        );
    }
    let total = series.points.iter().map(|point| Some(point.total_ms));
    let points = places(series, total, most);
    let _ = write!(
        out,
        "<polyline class=\"all\" points=\"{}\"><title>all cases</title></polyline>",
        points.join(" ")
    );
    for (point, place) in series.points.iter().zip(&points) {
        let (x, y) = place.split_once(',').unwrap_or(("0", "0"));
        let _ = write!(
            out,
            "<circle class=\"dot\" cx=\"{x}\" cy=\"{y}\" r=\"3\"><title>{}: {}</title></circle>",
            escape(&point.run),
            duration(point.total_ms)
        );
    }
    out + "</svg>\n"
}

fn start(series: &Series, what: &str, most: &str) -> String {
    let width = 2 * MARGIN + slot(series) * series.points.len() as u64;
    let whole = HEIGHT + 2 * MARGIN;
    let base = MARGIN + HEIGHT;
    let title = format!(
        "{what} of {} ({}) in {} runs",
        name(&series.subject),
        series.role,
        series.points.len()
    );
    let width = width.max(160);
    format!(
        "<svg class=\"chart\" role=\"img\" width=\"{width}\" height=\"{whole}\" viewBox=\"0 0 \
         {width} {whole}\" aria-label=\"{0}\"><title>{0}</title><text x=\"{MARGIN}\" \
         y=\"16\">{what}: {most}</text><line class=\"axis\" x1=\"{MARGIN}\" x2=\"{1}\" \
         y1=\"{base}\" y2=\"{base}\"/>",
        escape(&title),
        width - MARGIN,
    )
}

fn slot(series: &Series) -> u64 {
    let runs = (series.points.len() as u64).max(1);
    (WIDTH / runs).clamp(*SLOT.start(), *SLOT.end())
}

/// `value` of `most` in pixels of the plot.
fn height(value: u64, most: u64) -> u64 {
    let pixels = u128::from(value) * u128::from(HEIGHT) / u128::from(most.max(1));
    u64::try_from(pixels).map_or(HEIGHT, |pixels| pixels.min(HEIGHT))
}

fn places(series: &Series, values: impl Iterator<Item = Option<u64>>, most: u64) -> Vec<String> {
    let slot = slot(series);
    let at = |(place, value): (usize, Option<u64>)| {
        let x = MARGIN + place as u64 * slot + slot / 2;
        value.map(|value| format!("{x},{}", MARGIN + HEIGHT - height(value, most)))
    };
    values.enumerate().filter_map(at).collect()
}

/// From the bottom up.
fn stack(counts: &Counts) -> [(&'static str, &'static str, usize); 7] {
    [
        ("ok", "OK", counts.ok),
        ("info", "INFORMATIONAL", counts.informational),
        ("nonstrict", "NON-STRICT", counts.non_strict),
        ("unimpl", "UNIMPLEMENTED", counts.unimplemented),
        ("failed", "FAILED", counts.failed),
        ("error", "ERROR", counts.error + counts.other),
        ("missing", "MISSING", counts.missing),
    ]
}

/// For text in elements and in quoted attributes.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
