//! The first page of a site.

use serde::Serialize;

use super::badges::Badges;
use crate::badge::Badge;
use crate::diff::{self, Diff};
use crate::html::stamp::Stamp;
use crate::layout;
use crate::model::{CaseResult, Record, Role, Standing, Subject};
use crate::printable::{clipped, name};

/// The longest title or fact, in characters.
const TEXT: usize = 200;

#[derive(Serialize)]
struct Page<'a> {
    latest: Latest,
    labels: Vec<&'a str>,
    rows: Vec<Row>,
    diffs: &'a [DiffLink],
    badges: Vec<&'a str>,
    has_trend: bool,
}

#[derive(Serialize)]
struct Latest {
    title: String,
    label: String,
    facts: Vec<String>,
    troubles: Vec<String>,
    notes: Vec<String>,
    standing: &'static str,
    word: String,
}

#[derive(Serialize)]
struct Row {
    name: String,
    role: &'static str,
    /// One for each label; none where the run does not have the subject.
    cells: Vec<Option<Cell>>,
}

#[derive(Serialize)]
struct Cell {
    label: String,
    message: String,
    standing: &'static str,
    /// The standing in a word, for those who see no colours.
    word: &'static str,
}

/// A link to what changed between two runs.
#[derive(Serialize)]
pub(super) struct DiffLink {
    old: String,
    new: String,
    path: String,
    changes: String,
}

impl DiffLink {
    pub(super) fn new(old: &str, new: &str, path: String, diff: &Diff) -> Self {
        Self {
            old: old.to_owned(),
            new: new.to_owned(),
            path,
            changes: diff::verdict(diff),
        }
    }
}

/// `runs` and `labels` in order, the newest last.
pub(super) fn html(
    runs: &[&Record],
    labels: &[&str],
    diffs: &[DiffLink],
    badges: &Badges,
) -> String {
    // The newest first, in the table as in the lists.
    let newest_first: Vec<(&Record, &str)> = runs
        .iter()
        .copied()
        .zip(labels.iter().copied())
        .rev()
        .collect();
    let Some((newest, label)) = newest_first.first() else {
        return String::new();
    };
    let page = Page {
        latest: latest(newest, label),
        labels: newest_first.iter().map(|(_, label)| *label).collect(),
        rows: rows(&newest_first),
        diffs,
        badges: badges.names().collect(),
        has_trend: runs.len() > 1,
    };
    layout::render(
        &clipped(&newest.title, TEXT),
        include_str!("../../assets/site.html"),
        page,
    )
}

fn latest(record: &Record, label: &str) -> Latest {
    let suite = record.suite.as_ref().map(ToString::to_string);
    let tool = record.tool.as_ref().map(ToString::to_string);
    let facts = [suite, tool, record.started.clone(), record.host.clone()];
    let stamp = Stamp::of(record);
    Latest {
        title: stamp.sentences.join(" "),
        label: label.to_owned(),
        facts: facts
            .into_iter()
            .flatten()
            .map(|fact| clipped(&fact, TEXT))
            .collect(),
        troubles: texts(&record.troubles),
        notes: texts(&record.notes),
        standing: match stamp.class {
            "ok" => "pass",
            "nonstrict" => "notes",
            _ => "fail",
        },
        word: format!("{} {}", stamp.symbol, stamp.word),
    }
}

fn texts(sentences: &[String]) -> Vec<String> {
    sentences
        .iter()
        .map(|sentence| clipped(sentence, TEXT))
        .collect()
}

fn rows(runs: &[(&Record, &str)]) -> Vec<Row> {
    let mut subjects: Vec<(Role, &str)> = Vec::new();
    for (role, subject) in runs.iter().flat_map(|(record, _)| record.subjects()) {
        if !subjects.contains(&(role, &subject.name)) {
            subjects.push((role, &subject.name));
        }
    }
    let row = |(role, subject): (Role, &str)| Row {
        name: name(subject),
        role: role.as_str(),
        cells: runs
            .iter()
            .map(|(record, label)| {
                let run = record.runs.iter().find(|run| run.role == role)?;
                run.subject(subject)
                    .map(|subject| cell(role, subject, label))
            })
            .collect(),
    };
    subjects.into_iter().map(row).collect()
}

fn cell(role: Role, subject: &Subject, label: &str) -> Cell {
    let badge = Badge::of_subject(role, subject);
    let failing = |result: &&CaseResult| result.standing().is_fail();
    let failed = subject.results.values().filter(failing);
    let beyond = subject.results.keys().any(|id| !id.is_autobahn());
    // Who knows a subject by its Autobahn report finds it again.
    let message = match failed.clone().count() {
        0 => badge.message,
        _ if !beyond => badge.message,
        _ => {
            let autobahn = failed.filter(|result| result.id.is_autobahn()).count();
            format!("{}, of Autobahn’s cases {autobahn}", badge.message)
        }
    };
    Cell {
        label: label.to_owned(),
        message,
        standing: class(badge.standing),
        word: word(badge.standing),
    }
}

fn class(standing: Standing) -> &'static str {
    match standing {
        Standing::Pass => "pass",
        Standing::Notes => "notes",
        Standing::Fail => "fail",
    }
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Pass => "✓ pass",
        Standing::Notes => "≈ pass with notes",
        Standing::Fail => "✗ fail",
    }
}
