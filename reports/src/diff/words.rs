//! A diff as plain text and as Markdown: results that changed alike share a line.

use std::collections::HashMap;

use super::{Change, Diff, OneSided, Outcome, Side, SubjectName, TimeChange};
use crate::markdown::escape;
use crate::model::CaseId;
use crate::outcome::{duration, number_of, words};
use crate::pattern::first_of;
use crate::printable::{clipped, name};

/// How many ids a line lists.
const IDS: usize = 20;

/// How many lines a chapter has at most. The JSON form has all.
const LINES: usize = 100;

/// The longest title, label or reason, in characters.
const TEXT: usize = 200;

/// A chapter: its title, and lines of who, what, and which cases.
pub(super) struct Chapter {
    pub(super) title: String,
    /// `worse`, `fixed`, or nothing: for the colour.
    pub(super) kind: &'static str,
    pub(super) lines: Vec<Line>,
    pub(super) left_out: usize,
}

pub(super) struct Line {
    pub(super) who: String,
    pub(super) what: String,
    pub(super) cases: String,
}

/// The diff as plain text.
pub fn text(diff: &Diff) -> String {
    let mut out = format!("{} -> {}\n", side(&diff.old), side(&diff.new));
    out += &format!("{}\n", verdict(diff));
    for trouble in troubles(diff) {
        out += &format!("{trouble}\n");
    }
    for chapter in chapters(diff) {
        out += &format!("\n{}:\n", chapter.title);
        for line in &chapter.lines {
            let cases = match line.cases.as_str() {
                "" => String::new(),
                cases => format!(": {cases}"),
            };
            let what = match line.what.as_str() {
                "" => String::new(),
                what => format!(": {what}"),
            };
            out += &format!("  {}{what}{cases}\n", line.who);
        }
        if chapter.left_out > 0 {
            out += &format!("  and {} more lines\n", chapter.left_out);
        }
    }
    out
}

/// The diff as Markdown. Text of the records is escaped.
pub fn markdown(diff: &Diff) -> String {
    let mut out = format!(
        "## {} → {}\n\n**{}**\n",
        escape(&side(&diff.old)),
        escape(&side(&diff.new)),
        escape(&verdict(diff))
    );
    for trouble in troubles(diff) {
        out += &format!("\n{}\n", escape(&trouble));
    }
    for chapter in chapters(diff) {
        out += &format!("\n### {}\n\n", chapter.title);
        out += "| subject | change | cases |\n| --- | --- | --- |\n";
        for line in &chapter.lines {
            out += &format!(
                "| {} | {} | {} |\n",
                escape(&line.who),
                escape(&line.what),
                escape(&line.cases)
            );
        }
        if chapter.left_out > 0 {
            out += &format!("\nand {} more lines\n", chapter.left_out);
        }
    }
    out
}

/// A run in few words: its label, else its title.
pub(super) fn side(side: &Side) -> String {
    let words = side.label.as_ref().unwrap_or(&side.title);
    match &side.started {
        None => clipped(words, TEXT),
        Some(started) => format!("{} ({})", clipped(words, TEXT), clipped(started, TEXT)),
    }
}

/// The diff in a sentence.
pub(crate) fn verdict(diff: &Diff) -> String {
    if diff.is_empty() {
        return "No verdict and no close code changed.".to_owned();
    }
    let parts = [
        (diff.regressions.len(), "regression", "regressions"),
        (diff.fixes.len(), "fix", "fixes"),
        (diff.others.len(), "other change", "other changes"),
        (diff.new_subjects.len(), "new subject", "new subjects"),
        (diff.gone_subjects.len(), "subject gone", "subjects gone"),
        (diff.new_cases.len(), "new case", "new cases"),
        (diff.gone_cases.len(), "case gone", "cases gone"),
    ];
    let parts: Vec<String> = parts
        .iter()
        // That there is no regression is worth saying.
        .filter(|(count, one, _)| *count > 0 || *one == "regression")
        .map(|(count, one, many)| number_of(*count, one, many))
        .collect();
    format!("{}.", parts.join(", "))
}

/// What makes one of the runs incomplete, and so the comparison.
pub(super) fn troubles(diff: &Diff) -> Vec<String> {
    [("old", &diff.old), ("new", &diff.new)]
        .into_iter()
        .flat_map(|(which, side)| {
            side.troubles.iter().map(move |trouble| {
                format!("The {which} run is incomplete: {}", clipped(trouble, TEXT))
            })
        })
        .collect()
}

/// The chapters that are not empty.
pub(super) fn chapters(diff: &Diff) -> Vec<Chapter> {
    let mut chapters = vec![
        chapter("Regressions", "worse", changes(&diff.regressions)),
        chapter("Fixes", "fixed", changes(&diff.fixes)),
        chapter("Other changes", "", changes(&diff.others)),
        chapter("New subjects", "", subjects(&diff.new_subjects)),
        chapter("Subjects gone", "", subjects(&diff.gone_subjects)),
        chapter("New cases", "", one_sided(&diff.new_cases)),
        chapter("Cases gone", "", one_sided(&diff.gone_cases)),
        chapter("Slower cases", "", times(&diff.slower)),
        chapter("Faster cases", "", times(&diff.faster)),
        chapter("Time by group of cases", "", groups(diff)),
    ];
    chapters.retain(|chapter| !chapter.lines.is_empty());
    chapters
}

fn chapter(title: &str, kind: &'static str, mut lines: Vec<Line>) -> Chapter {
    let left_out = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    Chapter {
        title: title.to_owned(),
        kind,
        lines,
        left_out,
    }
}

/// Lines of what is alike, in the order of the first of each.
fn gathered<'a>(items: impl Iterator<Item = (&'a SubjectName, String, &'a CaseId)>) -> Vec<Line> {
    let mut alike: Vec<(&SubjectName, String, Vec<String>)> = Vec::new();
    let mut places = HashMap::new();
    for (who, what, case) in items {
        let place = *places
            .entry((who, what.clone()))
            .or_insert_with(|| alike.len());
        match alike.get_mut(place) {
            Some((.., cases)) => cases.push(case.to_string()),
            None => alike.push((who, what, vec![case.to_string()])),
        }
    }
    let line = |(who, what, cases): (&SubjectName, String, Vec<String>)| Line {
        who: shown(who),
        what,
        cases: first_of(&cases, IDS),
    };
    alike.into_iter().map(line).collect()
}

fn shown(who: &SubjectName) -> String {
    format!("{} ({})", name(&who.subject), who.role)
}

fn changes(changes: &[Change]) -> Vec<Line> {
    gathered(changes.iter().map(|change| {
        let with_code = change.old.close_code != change.new.close_code;
        let what = format!(
            "{} -> {}",
            outcome(&change.old, with_code),
            outcome(&change.new, with_code)
        );
        let what = match &change.new.accepted {
            None => what,
            Some(reason) => format!("{what}, accepted: {}", clipped(reason, TEXT)),
        };
        (&change.who, what, &change.case)
    }))
}

fn outcome(outcome: &Outcome, with_code: bool) -> String {
    let words = words(&outcome.verdict, &outcome.close_verdict);
    match (with_code, outcome.close_code) {
        (false, _) => words,
        (true, Some(code)) => format!("{words}, code {code}"),
        (true, None) => format!("{words}, no code"),
    }
}

fn subjects(subjects: &[SubjectName]) -> Vec<Line> {
    let line = |who| Line {
        who: shown(who),
        what: String::new(),
        cases: String::new(),
    };
    subjects.iter().map(line).collect()
}

fn one_sided(cases: &[OneSided]) -> Vec<Line> {
    gathered(cases.iter().map(|case| {
        let what = outcome(&case.outcome, false);
        (&case.who, what, &case.case)
    }))
}

fn times(changes: &[TimeChange]) -> Vec<Line> {
    let line = |change: &TimeChange| Line {
        who: shown(&change.who),
        what: format!("{} -> {}", duration(change.old_ms), duration(change.new_ms)),
        cases: change.case.to_string(),
    };
    changes.iter().map(line).collect()
}

fn groups(diff: &Diff) -> Vec<Line> {
    let groups = diff.groups.iter().filter(|group| group.beyond);
    groups
        .map(|group| Line {
            who: shown(&group.who),
            what: format!("{} -> {}", duration(group.old_ms), duration(group.new_ms)),
            cases: format!(
                "{}.* ({})",
                group.group,
                number_of(group.cases, "case", "cases")
            ),
        })
        .collect()
}
