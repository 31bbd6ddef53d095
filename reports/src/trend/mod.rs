//! A history of runs: verdicts and times of each subject from run to run.
//!
//! Charts are inline SVG with whole numbers only, so the same runs always give the same bytes; the
//! tables beside them say the same without graphics.

mod chart;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::layout;
use crate::model::{Counts, Record, Role, Subject};
use crate::outcome::{duration, number_of};
use crate::printable::{clipped, name};

pub use chart::{time_chart, verdict_chart};

/// The longest label, in characters.
const LABEL: usize = 60;

/// The runs in the order of their start; in the given order if one does not say when it began.
pub fn in_order(records: &[Record]) -> Vec<&Record> {
    let mut runs: Vec<&Record> = records.iter().collect();
    if runs.iter().all(|record| record.started.is_some()) {
        runs.sort_by(|left, right| left.started.cmp(&right.started));
    }
    runs
}

/// The history of one subject.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Series {
    /// The role.
    pub role: Role,
    /// The name of the subject.
    pub subject: String,
    /// Its results in the runs that have it, in order.
    pub points: Vec<Point>,
}

/// One subject in one run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Point {
    /// What the run is called.
    pub run: String,
    /// When it began.
    pub started: Option<String>,
    /// How often each verdict was given.
    pub counts: Counts,
    /// How long all cases took, in milliseconds.
    pub total_ms: u64,
    /// How long the cases of each group took, in milliseconds.
    pub groups: BTreeMap<String, u64>,
}

/// The history of each subject, in the order in which the runs name them, the newest run first.
pub fn series(records: &[Record]) -> Vec<Series> {
    let runs = in_order(records);
    let mut all: Vec<Series> = Vec::new();
    for record in runs.iter().rev() {
        for (role, subject) in record.subjects() {
            let known = |series: &Series| series.role == role && series.subject == subject.name;
            if !all.iter().any(known) {
                all.push(Series {
                    role,
                    subject: subject.name.clone(),
                    points: Vec::new(),
                });
            }
        }
    }
    for (place, record) in runs.iter().enumerate() {
        for (role, subject) in record.subjects() {
            let series = all
                .iter_mut()
                .find(|series| series.role == role && series.subject == subject.name);
            if let Some(series) = series {
                series.points.push(point(place, record, subject));
            }
        }
    }
    all
}

fn point(place: usize, record: &Record, subject: &Subject) -> Point {
    let mut groups: BTreeMap<String, u64> = BTreeMap::new();
    let mut total_ms = 0_u64;
    for (id, result) in &subject.results {
        total_ms = total_ms.saturating_add(result.duration_ms);
        let group = groups.entry(id.group().to_owned()).or_default();
        *group = group.saturating_add(result.duration_ms);
    }
    Point {
        run: run_name(place, record),
        started: record.started.as_ref().map(|text| clipped(text, LABEL)),
        counts: Counts::of(subject.results.values()),
        total_ms,
        groups,
    }
}

/// Its label, else its place among the runs.
fn run_name(place: usize, record: &Record) -> String {
    match &record.label {
        Some(label) => clipped(label, LABEL),
        None => format!("run {}", place + 1),
    }
}

#[derive(Serialize)]
struct Page {
    nav: bool,
    lead: String,
    sections: Vec<Section>,
}

#[derive(Serialize)]
struct Section {
    heading: String,
    verdicts: String,
    times: String,
    runs: Vec<Row>,
    group_names: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    run: String,
    started: String,
    numbers: Vec<String>,
    time: String,
    groups: Vec<String>,
}

/// The history as one self-contained page, without script.
pub fn html(records: &[Record]) -> String {
    render(records, false)
}

/// The page, with links into the site it is part of if `in_site`.
pub(crate) fn render(records: &[Record], in_site: bool) -> String {
    let all = series(records);
    let page = Page {
        nav: in_site,
        lead: format!(
            "{}, {}",
            number_of(records.len(), "run", "runs"),
            number_of(all.len(), "subject", "subjects")
        ),
        sections: all.iter().map(section).collect(),
    };
    layout::render(
        "From run to run",
        include_str!("../../assets/trend.html"),
        page,
    )
}

fn section(series: &Series) -> Section {
    let group_names = groups(series);
    let row = |point: &Point| {
        let counts = &point.counts;
        let numbers = [
            counts.total,
            counts.ok,
            counts.informational,
            counts.non_strict,
            counts.unimplemented,
            counts.failed,
            counts.error + counts.other,
            counts.missing,
            counts.close_problems,
        ];
        Row {
            run: point.run.clone(),
            started: point.started.clone().unwrap_or_default(),
            numbers: numbers.map(|number| number.to_string()).to_vec(),
            time: duration(point.total_ms),
            groups: group_names
                .iter()
                .map(|group| match point.groups.get(group) {
                    Some(ms) => duration(*ms),
                    None => "–".to_owned(),
                })
                .collect(),
        }
    };
    Section {
        heading: format!("{} ({})", name(&series.subject), series.role),
        verdicts: verdict_chart(series),
        times: time_chart(series),
        runs: series.points.iter().map(row).collect(),
        group_names: group_names.clone(),
    }
}

/// The groups of all points, numbers as numbers.
fn groups(series: &Series) -> Vec<String> {
    let mut groups: Vec<&String> = series
        .points
        .iter()
        .flat_map(|point| point.groups.keys())
        .collect();
    groups.sort_by_key(|group| (group.parse::<u64>().unwrap_or(u64::MAX), group.as_str()));
    groups.dedup();
    groups.into_iter().cloned().collect()
}
