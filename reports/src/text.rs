//! A table for the terminal.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::model::{CaseResult, CloseVerdict, Counts, Record, group_title};

/// A table by group of cases for each subject, and below it every result that is not fully right
/// with both verdicts. Plain text without colours; control characters are escaped.
pub fn table(record: &Record) -> String {
    let mut out = String::new();
    for (role, subject) in record.subjects() {
        let name = printable(&subject.name);
        line(&mut out, &format!("{name} ({role})"));
        line(
            &mut out,
            &format!(
                "  {:<30} {:>5} {:>6} {:>10} {:>6} {:>8} {:>6} {:>6} {:>7} {:>6}",
                "",
                "cases",
                "OK",
                "NON-STRICT",
                "INFO",
                "UNIMPL",
                "FAILED",
                "ERROR",
                "MISSING",
                "CLOSE"
            ),
        );
        let mut groups: Vec<(&str, Vec<&CaseResult>)> = Vec::new();
        for (id, result) in &subject.results {
            match groups.last_mut() {
                Some((group, results)) if *group == id.group() => results.push(result),
                _ => groups.push((id.group(), vec![result])),
            }
        }
        for (group, results) in &groups {
            let title = group_title(group).unwrap_or_default();
            let label = format!("{group} {title}");
            line(
                &mut out,
                &row(label.trim(), &Counts::of(results.iter().copied())),
            );
        }
        if groups.len() != 1 {
            line(&mut out, &row("all", &Counts::of(subject.results.values())));
        }
        out.push('\n');
    }
    problems(record, &mut out);
    out
}

fn row(label: &str, counts: &Counts) -> String {
    // A dot for zero: what is there stands out.
    let cell = |count: usize| {
        if count == 0 {
            ".".to_owned()
        } else {
            count.to_string()
        }
    };
    format!(
        "  {label:<30} {:>5} {:>6} {:>10} {:>6} {:>8} {:>6} {:>6} {:>7} {:>6}",
        counts.total,
        cell(counts.ok),
        cell(counts.non_strict),
        cell(counts.informational),
        cell(counts.unimplemented),
        cell(counts.failed),
        cell(counts.error + counts.other),
        cell(counts.missing),
        cell(counts.close_problems),
    )
}

/// Problems by subject; results alike in both verdicts share a line.
fn problems(record: &Record, out: &mut String) {
    let problems = record.problems();
    if record.subjects().next().is_none() {
        line(out, "Nothing was run.");
        return;
    }
    if problems.is_empty() {
        line(out, "Nothing to remark.");
        return;
    }
    let mut alike: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for problem in &problems {
        let result = problem.result;
        let key = (
            problem.role,
            problem.subject,
            std::cmp::Reverse(result.standing()),
            &result.verdict,
            &result.close_verdict,
        );
        alike.entry(key).or_default().push(result.id.as_str());
    }
    line(out, "To remark:");
    for ((role, subject, _, verdict, close), ids) in alike {
        let verdict = printable(verdict.as_str());
        let close = match close {
            CloseVerdict::Ok | CloseVerdict::Missing => String::new(),
            other => format!(", close {}", printable(other.as_str())),
        };
        let subject = printable(subject);
        line(
            out,
            &format!("  {subject} ({role}): {verdict}{close}: {}", listed(&ids)),
        );
    }
}

/// The first ids, and how many there are beyond them.
fn listed(ids: &[&str]) -> String {
    const SHOWN: usize = 12;
    let shown = ids[..ids.len().min(SHOWN)].join(" ");
    match ids.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end()).expect("writing to a String does not fail");
}

/// Names come from files and from peers: no control character reaches the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| match c.is_control() {
            true => c.escape_unicode().collect::<Vec<_>>(),
            false => vec![c],
        })
        .collect()
}
