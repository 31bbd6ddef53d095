//! The record of a check.

use std::collections::BTreeSet;
use std::env::consts::{ARCH, OS};

use cloverleaf_reports::model::{Suite, Tool};
use cloverleaf_reports::{Record, Run, Subject as Column, Verdict};

use super::outcome::{Expectations, Reason};
use super::{By, CheckError, Measured, Options};
use crate::catalog;
use crate::subject::Subject;

/// A run of nothing yet, with what is known of the subject.
pub(super) fn run_of(subject: &Subject) -> Run {
    let mut column = Column::new(&subject.name);
    column.version.clone_from(&subject.version);
    column.language.clone_from(&subject.language);
    column.homepage.clone_from(&subject.homepage);
    let mut run = Run::new(subject.role);
    run.subjects.push(column);
    run
}

/// Everything that was measured, as the report has it.
pub(super) fn record(
    by: &By,
    options: &Options,
    expectations: &Expectations<'_>,
    measured: Measured,
) -> Result<Record, CheckError> {
    let (suite, version) = by.suite();
    let judge = match by {
        By::Us => "the native suite",
        By::Installed(_) => suite,
    };
    let mut record = Record::new(format!("{} judged by {judge} {version}", who(options)));
    record.tool = Some(Tool::new("cloverleaf", env!("CARGO_PKG_VERSION")));
    record.suite = Some(Suite::new(suite, version));
    record.host = Some(host());
    record.label.clone_from(&options.label);
    record.notes = notes(options);
    record.notes.extend(measured.remarks);
    record.troubles = measured.troubles;
    for (subject, mut run) in options.subjects.iter().zip(measured.runs) {
        let expected = match by {
            By::Us => catalog::for_subject(&options.cases, subject),
            By::Installed(_) => options.cases.clone(),
        };
        let mut known = run_of(subject);
        run.expect_cases(&expected);
        for column in &mut run.subjects {
            accept(column, subject, expectations);
        }
        known
            .merge(run)
            .and_then(|()| record.add(known))
            .map_err(|error| CheckError::Report(error.to_string()))?;
    }
    record.started = record.first_case_started();
    record.sections = catalog::sections(&options.cases);
    Ok(record)
}

/// Says of results that are known and accepted why they are so.
fn accept(column: &mut Column, subject: &Subject, expectations: &Expectations<'_>) {
    for result in column.results.values_mut() {
        if result.verdict == Verdict::Missing {
            continue;
        }
        let reason =
            expectations.reason(subject, &result.id, &result.verdict, &result.close_verdict);
        if let Some(Reason::SuiteDefect(reason) | Reason::Deviation(reason)) = reason {
            result.accepted = Some(reason);
        }
    }
}

fn who(options: &Options) -> String {
    let names: BTreeSet<&str> = options
        .subjects
        .iter()
        .map(|subject| subject.name.as_str())
        .collect();
    match names.first() {
        Some(name) if names.len() == 1 => (*name).to_owned(),
        _ => format!("{} implementations", names.len()),
    }
}

fn notes(options: &Options) -> Vec<String> {
    let fast = options
        .fast
        .then(|| "Cases that repeat messages sent a tenth of them.".to_owned());
    let budget = options.budget.map(|budget| {
        let seconds = budget.as_secs();
        format!(
            "A case that took longer than {seconds} s was ended, and judged by what it had shown."
        )
    });
    fast.into_iter().chain(budget).collect()
}

/// The machine, modestly.
fn host() -> String {
    let system = match OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "freebsd" => "FreeBSD",
        other => other,
    };
    match std::thread::available_parallelism().map(usize::from) {
        Ok(1) => format!("{system} {ARCH}, 1 core"),
        Ok(cores) => format!("{system} {ARCH}, {cores} cores"),
        Err(_) => format!("{system} {ARCH}"),
    }
}
