//! Comparing two records.

use std::cmp::{Ordering, Reverse};

use super::{
    Change, Diff, GroupTime, OneSided, Outcome, Side, SubjectName, TimeChange, TimeLimits,
};
use crate::model::{CaseId, CaseResult, CloseVerdict, Record, Role, Subject, Verdict};

pub(super) fn compare(old: &Record, new: &Record, limits: TimeLimits) -> Diff {
    let mut diff = Diff {
        old: side(old),
        new: side(new),
        regressions: Vec::new(),
        fixes: Vec::new(),
        others: Vec::new(),
        new_subjects: Vec::new(),
        gone_subjects: Vec::new(),
        new_cases: Vec::new(),
        gone_cases: Vec::new(),
        time_limits: limits,
        slower: Vec::new(),
        faster: Vec::new(),
        groups: Vec::new(),
    };
    for (role, subject) in new.subjects() {
        match find(old, role, &subject.name) {
            None => diff.new_subjects.push(name(role, subject)),
            Some(before) => compare_subject(&name(role, subject), before, subject, &mut diff),
        }
    }
    for (role, subject) in old.subjects() {
        if find(new, role, &subject.name).is_none() {
            diff.gone_subjects.push(name(role, subject));
        }
    }
    for changes in [&mut diff.slower, &mut diff.faster] {
        changes.sort_by_key(|change| Reverse(change.old_ms.abs_diff(change.new_ms)));
    }
    diff
}

fn side(record: &Record) -> Side {
    Side {
        label: record.label.clone(),
        title: record.title.clone(),
        started: record.started.clone(),
        troubles: record.troubles.clone(),
    }
}

fn find<'a>(record: &'a Record, role: Role, name: &str) -> Option<&'a Subject> {
    let run = record.runs.iter().find(|run| run.role == role)?;
    run.subject(name)
}

fn name(role: Role, subject: &Subject) -> SubjectName {
    SubjectName {
        role,
        subject: subject.name.clone(),
    }
}

fn compare_subject(who: &SubjectName, old: &Subject, new: &Subject, diff: &mut Diff) {
    let one_sided = |result: &CaseResult| OneSided {
        who: who.clone(),
        case: result.id.clone(),
        outcome: outcome(result),
    };
    let gone = old
        .results
        .iter()
        .filter(|(id, _)| !new.results.contains_key(id));
    diff.gone_cases.extend(gone.map(|(_, it)| one_sided(it)));

    let mut groups: Vec<GroupTime> = Vec::new();
    for (id, after) in &new.results {
        let Some(before) = old.results.get(id) else {
            diff.new_cases.push(one_sided(after));
            continue;
        };
        compare_verdicts(who, before, after, diff);
        // A case that did not run took no time: no comparison.
        if before.is_missing() || after.is_missing() {
            continue;
        }
        compare_times(who, id, before.duration_ms, after.duration_ms, diff);
        if groups.last().is_none_or(|group| group.group != id.group()) {
            groups.push(GroupTime {
                who: who.clone(),
                group: id.group().to_owned(),
                cases: 0,
                old_ms: 0,
                new_ms: 0,
                beyond: false,
            });
        }
        if let Some(group) = groups.last_mut() {
            group.cases += 1;
            group.old_ms = group.old_ms.saturating_add(before.duration_ms);
            group.new_ms = group.new_ms.saturating_add(after.duration_ms);
        }
    }
    for group in &mut groups {
        group.beyond = beyond(group.old_ms, group.new_ms, diff.time_limits);
    }
    diff.groups.extend(groups);
}

fn outcome(result: &CaseResult) -> Outcome {
    Outcome {
        verdict: result.verdict.clone(),
        close_verdict: result.close_verdict.clone(),
        close_code: result.remote_close_code,
        accepted: result.accepted.clone(),
    }
}

fn compare_verdicts(who: &SubjectName, old: &CaseResult, new: &CaseResult, diff: &mut Diff) {
    let same = old.verdict == new.verdict
        && old.close_verdict == new.close_verdict
        && old.remote_close_code == new.remote_close_code;
    if same {
        return;
    }
    let change = Change {
        who: who.clone(),
        case: new.id.clone(),
        old: outcome(old),
        new: outcome(new),
    };
    match direction(old, new) {
        Ordering::Greater if new.accepted.is_none() => diff.regressions.push(change),
        Ordering::Less => diff.fixes.push(change),
        _ => diff.others.push(change),
    }
}

/// `Greater` if the new result is worse: by its standing, and among equals by its two words, unless
/// these went different ways.
fn direction(old: &CaseResult, new: &CaseResult) -> Ordering {
    let by_standing = new.standing().cmp(&old.standing());
    if by_standing.is_ne() {
        return by_standing;
    }
    let by_verdict = rank(&new.verdict).cmp(&rank(&old.verdict));
    let by_close = close_rank(&new.close_verdict).cmp(&close_rank(&old.close_verdict));
    match (by_verdict, by_close) {
        (Ordering::Equal, direction) | (direction, Ordering::Equal) => direction,
        (verdict, close) if verdict == close => verdict,
        _ => Ordering::Equal,
    }
}

fn rank(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Ok | Verdict::Informational => 0,
        Verdict::NonStrict => 1,
        Verdict::Unimplemented => 2,
        Verdict::Failed | Verdict::Error | Verdict::Missing | Verdict::Other(_) => 3,
    }
}

fn close_rank(close: &CloseVerdict) -> u8 {
    match close {
        CloseVerdict::Ok | CloseVerdict::Informational => 0,
        CloseVerdict::FailedByClient => 1,
        _ => 2,
    }
}

fn compare_times(who: &SubjectName, case: &CaseId, old_ms: u64, new_ms: u64, diff: &mut Diff) {
    if !beyond(old_ms, new_ms, diff.time_limits) {
        return;
    }
    let change = TimeChange {
        who: who.clone(),
        case: case.clone(),
        old_ms,
        new_ms,
    };
    match new_ms > old_ms {
        true => diff.slower.push(change),
        false => diff.faster.push(change),
    }
}

fn beyond(old_ms: u64, new_ms: u64, limits: TimeLimits) -> bool {
    let (short, long) = (old_ms.min(new_ms), old_ms.max(new_ms));
    // A time of 0 ms is below the clock's resolution, not infinitely short.
    long != short
        && long - short >= limits.floor_ms
        && long as f64 >= short.max(1) as f64 * limits.factor
}
