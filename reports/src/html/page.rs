//! What the template is filled with.

use std::collections::BTreeMap;

use serde::Serialize;

use super::anchor;
use super::badge::{Badge, Count};
use super::problem::{self, ProblemGroup};
use super::result::ResultView;
use super::visible::{cut, name, visible, with_rest};
use crate::model::{CaseId, CaseResult, Counts, Record, Role, Standing, Subject, group_title};

/// The longest heading of a case, in characters.
const HEADING: usize = 140;
/// The longest description or expectation shown, in characters.
const PROSE: usize = 3000;

/// The whole page.
#[derive(Serialize)]
pub(super) struct Page {
    style: &'static str,
    script: &'static str,
    title: String,
    standing: Badge,
    sentence: String,
    facts: Vec<(&'static str, String)>,
    columns: Vec<Column>,
    problems: Vec<ProblemGroup>,
    groups: Vec<Group>,
    verdicts: Vec<Badge>,
}

/// A subject in a role: a card in the summary, a column in the matrix.
#[derive(Serialize)]
struct Column {
    role: &'static str,
    name: String,
    standing: Badge,
    total: usize,
    counts: Vec<Count>,
    close_problems: usize,
    duration: String,
}

/// A group of cases: a row in the matrix that unfolds, a section below.
#[derive(Serialize)]
struct Group {
    key: String,
    title: &'static str,
    total: usize,
    cells: Vec<GroupCell>,
    cases: Vec<Case>,
}

/// What one subject did in a group.
#[derive(Serialize)]
struct GroupCell {
    total: usize,
    counts: Vec<Count>,
    close_problems: usize,
}

/// A case: a row in the matrix, an article below.
#[derive(Serialize)]
struct Case {
    id: String,
    heading: String,
    description: String,
    expectation: String,
    /// Whether anything is to remark in any column.
    remark: bool,
    /// One for each column; empty where the case was not part of the run.
    cells: Vec<Option<ResultView>>,
}

impl Page {
    pub(super) fn of(record: &Record, style: &'static str, script: &'static str) -> Self {
        let anchors = anchor::subjects(record);
        let columns: Vec<(Role, &Subject)> = record.subjects().collect();
        let standing = record.summary().standing();
        let all: Vec<&CaseResult> = columns
            .iter()
            .flat_map(|(_, subject)| subject.results.values())
            .collect();
        let counts = Counts::of(all.iter().copied());
        Self {
            style,
            script,
            title: visible(&record.title),
            standing: Badge::of_standing(standing),
            sentence: sentence(&all),
            facts: facts(record),
            columns: columns
                .iter()
                .map(|(role, subject)| column(*role, subject))
                .collect(),
            problems: problem::groups(record, &anchors),
            groups: groups(&columns, &anchors),
            verdicts: counts
                .occurring()
                .iter()
                .map(|(verdict, _)| Badge::of_verdict(verdict))
                .collect(),
        }
    }
}

/// The result in words.
fn sentence(results: &[&CaseResult]) -> String {
    let total = results.len();
    let count = |standing| {
        results
            .iter()
            .filter(|result| result.standing() == standing)
            .count()
    };
    let (notes, fails) = (count(Standing::Notes), count(Standing::Fail));
    let only_ends = results
        .iter()
        .all(|result| !result.verdict.standing().is_fail());
    if total == 0 {
        "No case was run, so nothing was shown.".to_owned()
    } else if fails > 0 && only_ends {
        format!(
            "All {total} results are within the standard, but {fails} connections did not end as \
             it asks."
        )
    } else if fails > 0 {
        format!(
            "{fails} of {total} results are against the standard, could not be judged, or were \
             not run."
        )
    } else if notes > 0 {
        format!(
            "Nothing is against the standard. {notes} of {total} results are non-strict, not \
             implemented, or left to the client to clean up."
        )
    } else {
        format!("All {total} results, and the end of every connection, are as the standard asks.")
    }
}

fn facts(record: &Record) -> Vec<(&'static str, String)> {
    let named = |product: &str, version: &str| name(format!("{product} {version}").trim());
    [
        (
            "Judged by",
            record
                .suite
                .as_ref()
                .map(|suite| named(&suite.name, &suite.version)),
        ),
        ("Started", record.started.as_deref().map(name)),
        ("Host", record.host.as_deref().map(name)),
        (
            "Recorded by",
            record
                .tool
                .as_ref()
                .map(|tool| named(&tool.name, &tool.version)),
        ),
    ]
    .into_iter()
    .filter_map(|(label, value)| Some((label, value?)))
    .collect()
}

fn column(role: Role, subject: &Subject) -> Column {
    let counts = Counts::of(subject.results.values());
    let milliseconds = subject
        .results
        .values()
        .fold(0_u64, |sum, result| sum.saturating_add(result.duration_ms));
    Column {
        role: role.as_str(),
        name: name(&subject.name),
        standing: Badge::of_standing(subject.standing()),
        total: counts.total,
        close_problems: counts.close_problems,
        duration: duration(milliseconds),
        counts: Count::all(&counts),
    }
}

/// `840 ms`, `12.3 s`, `20 min 3 s`.
fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0..1_000 => format!("{milliseconds} ms"),
        1_000..60_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds % 1_000 / 100),
        _ => format!(
            "{} min {} s",
            milliseconds / 60_000,
            milliseconds % 60_000 / 1_000
        ),
    }
}

fn groups(columns: &[(Role, &Subject)], anchors: &[String]) -> Vec<Group> {
    // All cases of all columns, in order, each with its results.
    let mut cases: BTreeMap<&CaseId, Vec<Option<&CaseResult>>> = BTreeMap::new();
    for (position, (_, subject)) in columns.iter().enumerate() {
        for (id, result) in &subject.results {
            cases.entry(id).or_insert_with(|| vec![None; columns.len()])[position] = Some(result);
        }
    }

    let mut grouped: Vec<Vec<Row<'_>>> = Vec::new();
    for (id, results) in cases {
        let row = Row { id, results };
        match grouped.last_mut() {
            Some(rows) if rows[0].id.group() == id.group() => rows.push(row),
            _ => grouped.push(vec![row]),
        }
    }

    grouped
        .iter()
        .map(|rows| group(rows, columns, anchors))
        .collect()
}

/// A case with its results, one for each column.
struct Row<'a> {
    id: &'a CaseId,
    results: Vec<Option<&'a CaseResult>>,
}

/// A group of at least one row.
fn group(rows: &[Row<'_>], columns: &[(Role, &Subject)], anchors: &[String]) -> Group {
    let key = rows[0].id.group();
    let cell = |position: usize| group_cell(rows.iter().filter_map(|row| row.results[position]));
    Group {
        key: key.to_owned(),
        title: group_title(key).unwrap_or_default(),
        total: rows.len(),
        cells: (0..columns.len()).map(cell).collect(),
        cases: rows.iter().map(|row| case(row, columns, anchors)).collect(),
    }
}

fn group_cell<'a>(results: impl Iterator<Item = &'a CaseResult>) -> GroupCell {
    let counts = Counts::of(results);
    GroupCell {
        total: counts.total,
        close_problems: counts.close_problems,
        counts: Count::all(&counts),
    }
}

fn case(row: &Row<'_>, columns: &[(Role, &Subject)], anchors: &[String]) -> Case {
    let Row { id, results } = row;
    let first = |field: fn(&CaseResult) -> Option<&str>| {
        results
            .iter()
            .flatten()
            .copied()
            .find_map(field)
            .map(str::trim)
            .unwrap_or_default()
    };
    let title = first(|result| result.title.as_deref());
    let (heading, description) = heading(title, first(|result| result.description.as_deref()));
    let cells = results
        .iter()
        .zip(columns)
        .zip(anchors)
        .map(|((result, column), anchor)| {
            let (role, subject) = column;
            let result = (*result)?;
            Some(ResultView::of(
                *role,
                &subject.name,
                anchor::result(id, anchor),
                result,
            ))
        });
    Case {
        id: id.to_string(),
        heading: visible(&heading),
        description: with_rest(description, PROSE),
        expectation: with_rest(first(|result| result.expectation.as_deref()), PROSE),
        remark: results
            .iter()
            .flatten()
            .any(|result| !result.standing().is_pass()),
        cells: cells.collect(),
    }
}

/// The heading of a case, and what is left of its description. Autobahn's cases have no titles;
/// their first sentence serves.
fn heading<'a>(title: &str, description: &'a str) -> (String, &'a str) {
    if !title.is_empty() {
        let (shown, left_out) = cut(title, HEADING);
        let more = if left_out > 0 { " …" } else { "" };
        return (format!("{shown}{more}"), description);
    }
    let line = description.lines().next().unwrap_or_default();
    let sentence = match line.find(". ") {
        Some(end) => &line[..end],
        None => line,
    };
    let (shown, left_out) = cut(sentence, HEADING);
    if left_out > 0 {
        let words = shown.rfind(' ').map_or(shown, |end| &shown[..end]);
        return (format!("{words} …"), description);
    }
    let rest = description[sentence.len()..].trim_start_matches('.').trim();
    (sentence.trim_end_matches(['.', ':']).to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_is_the_heading_and_the_rest_stays() {
        for (title, description, expected, rest) in [
            ("Title", "Text. More.", "Title", "Text. More."),
            ("", "Send a ping. Then wait.", "Send a ping", "Then wait."),
            ("", "Send a ping.", "Send a ping", ""),
            ("", "One line\nand another.", "One line", "and another."),
            ("", "", "", ""),
        ] {
            let (heading, left) = heading(title, description);
            assert_eq!((heading.as_str(), left), (expected, rest));
        }
        let long = "word ".repeat(40);
        let (heading, left) = heading("", &long);
        assert!(heading.ends_with("word …") && heading.chars().count() <= HEADING + 2);
        assert_eq!(left, long);
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(duration(840), "840 ms");
        assert_eq!(duration(12_345), "12.3 s");
        assert_eq!(duration(1_203_999), "20 min 3 s");
    }
}
