//! JUnit XML, for the test views of CI systems.
//!
//! One `testsuite` for each subject in each role, one `testcase` for each case. A result counts as
//! in the exit code of a check:
//!
//! | result | test case |
//! | --- | --- |
//! | both verdicts OK or INFORMATIONAL | passed |
//! | anything else with a reason why it is accepted | skipped, with the reason |
//! | UNIMPLEMENTED, the connection ended as it should | skipped |
//! | ERROR, MISSING | error |
//! | anything else | failure |

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::model::{CaseResult, Record, Role, Subject, Verdict};
use crate::outcome::{sentence, words};
use crate::printable::{clipped, name};

/// The longest title, reason or trouble that is written, in characters.
const TEXT: usize = 500;

/// Renders a record as JUnit XML.
///
/// A record with troubles or without subjects gets a test case `the run is complete` that is an
/// error, a subject without cases one `cases were run`: nothing passes by being absent.
pub fn render(record: &Record) -> String {
    let mut report = Report::new(clipped(&record.title, TEXT));
    report.add_test_suites(completeness(record));
    for (role, subject) in record.subjects() {
        report.add_test_suite(suite(role, subject));
    }
    report.set_time(sum(record.subjects().map(|(_, subject)| total(subject))));
    let xml = report
        .to_string()
        .expect("text without control characters is always XML");
    without_sum_of_skipped(&xml)
}

/// Jenkins' schema knows the number of skipped cases for a suite, not for all suites.
fn without_sum_of_skipped(xml: &str) -> String {
    const ATTRIBUTE: &str = " skipped=\"";
    // Quotes in names are escaped, so the attribute cannot be part of one.
    let root_end = xml.find("<testsuite ").unwrap_or(xml.len());
    let (root, rest) = xml.split_at(root_end);
    match root.split_once(ATTRIBUTE) {
        None => xml.to_owned(),
        Some((before, value)) => {
            let after = value.split_once('"').map_or("", |(_, after)| after);
            format!("{before}{after}{rest}")
        }
    }
}

/// The suite that says why the run is incomplete, if it is.
fn completeness(record: &Record) -> Option<TestSuite> {
    let mut reasons: Vec<String> = record
        .troubles
        .iter()
        .map(|trouble| clipped(trouble, TEXT))
        .collect();
    if record.subjects().next().is_none() {
        reasons.push("Nothing was run.".to_owned());
    }
    if reasons.is_empty() {
        return None;
    }
    Some(suite_of_one_error(
        "run",
        "the run is complete",
        &reasons.join(" "),
    ))
}

fn suite_of_one_error(suite: &str, case: &str, message: &str) -> TestSuite {
    let mut test_suite = TestSuite::new(suite);
    add_error(&mut test_suite, suite, case, message);
    test_suite.set_time(Duration::ZERO);
    test_suite
}

fn add_error(suite: &mut TestSuite, class: &str, case: &str, message: &str) {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message).set_type("INCOMPLETE");
    let mut test_case = TestCase::new(case, status);
    test_case.set_classname(class).set_time(Duration::ZERO);
    suite.add_test_case(test_case);
}

fn suite(role: Role, subject: &Subject) -> TestSuite {
    let shown = name(&subject.name);
    let mut suite = TestSuite::new(format!("{role} {shown}"));
    let facts = [
        ("version", &subject.version),
        ("language", &subject.language),
        ("homepage", &subject.homepage),
    ];
    for (key, fact) in facts {
        if let Some(fact) = fact {
            suite.add_property(Property::new(key, clipped(fact, TEXT)));
        }
    }
    // Dots separate the levels of a class name.
    let class = format!("{role}.{}", shown.replace('.', "_"));
    for result in subject.results.values() {
        suite.add_test_case(case(&class, result));
    }
    if subject.results.is_empty() {
        add_error(&mut suite, &class, "cases were run", "No case was run.");
    }
    suite.set_time(total(subject));
    suite
}

fn case(class: &str, result: &CaseResult) -> TestCase {
    let title = result
        .title
        .as_ref()
        .map(|title| format!(" {}", clipped(title, TEXT)))
        .unwrap_or_default();
    let mut case = TestCase::new(format!("{}{title}", result.id), status(result));
    case.set_classname(format!("{class}.{}", result.id.group()))
        .set_time(Duration::from_millis(result.duration_ms));
    case
}

fn status(result: &CaseResult) -> TestCaseStatus {
    if result.standing().is_pass() {
        return TestCaseStatus::success();
    }
    let words = words(&result.verdict, &result.close_verdict);
    if let Some(reason) = &result.accepted {
        let mut status = TestCaseStatus::skipped();
        status.set_message(format!("{words}; accepted: {}", clipped(reason, TEXT)));
        return status;
    }
    let ended_well = result.close_verdict.standing().is_pass();
    if result.verdict == Verdict::Unimplemented && ended_well {
        let mut status = TestCaseStatus::skipped();
        status.set_message(words);
        return status;
    }
    let kind = match result.verdict {
        Verdict::Error | Verdict::Missing => NonSuccessKind::Error,
        _ => NonSuccessKind::Failure,
    };
    let mut status = TestCaseStatus::non_success(kind);
    let message = match sentence(result) {
        Some(sentence) => format!("{words}: {sentence}"),
        None => words,
    };
    status
        .set_message(message)
        .set_type(clipped(result.verdict.as_str(), TEXT));
    status
}

fn total(subject: &Subject) -> Duration {
    let durations = subject.results.values().map(|result| result.duration_ms);
    sum(durations.map(Duration::from_millis))
}

/// Durations come from files: their sum may be longer than any time.
fn sum(durations: impl Iterator<Item = Duration>) -> Duration {
    durations.fold(Duration::ZERO, Duration::saturating_add)
}
