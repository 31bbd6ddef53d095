//! The records the tests render, and the files they compare with.

use std::fs;
use std::path::{Path, PathBuf};

use cloverleaf_reports::model::{Suite, Tool};
use cloverleaf_reports::{CaseId, CaseResult, Detail, Record, Role, Run, Subject};

pub(crate) fn id(text: &str) -> CaseId {
    text.parse().expect("a case id")
}

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

/// Compares with a file in `tests/golden`, or writes it when `UPDATE_GOLDEN` is set.
pub(crate) fn assert_golden(name: &str, actual: &str) {
    let path = golden(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, actual).expect("the golden file");
    }
    let expected = fs::read_to_string(&path).expect("the golden file");
    let differs = expected
        .lines()
        .zip(actual.lines())
        .position(|(left, right)| left != right);
    assert!(
        expected == actual,
        "{name} differs from line {:?}: look at it, then run again with UPDATE_GOLDEN=1",
        differs.map(|line| line + 1)
    );
}

/// A result by the words of Autobahn's files.
pub(crate) fn result(case: &str, verdict: &str, close: &str, ms: u64) -> CaseResult {
    let mut result = CaseResult::new(id(case), verdict.into(), close.into());
    result.duration_ms = ms;
    result
}

/// A subject with results by case, verdict, close verdict and milliseconds.
pub(crate) fn subject(name: &str, results: &[(&str, &str, &str, u64)]) -> Subject {
    let mut subject = Subject::new(name);
    for (case, verdict, close, ms) in results {
        subject.insert(result(case, verdict, close, *ms));
    }
    subject
}

pub(crate) fn record(role: Role, subjects: Vec<Subject>) -> Record {
    let mut run = Run::new(role);
    run.subjects = subjects;
    let mut record = Record::new("Test");
    record.add(run).expect("one run");
    record
}

/// Every kind of result once.
pub(crate) fn sample() -> Record {
    let mut first = subject(
        "alpha",
        &[
            ("1.1.1", "OK", "OK", 3),
            ("1.1.2", "OK", "OK", 4),
            ("6.4.1", "NON-STRICT", "OK", 1_002),
            ("6.4.2", "NON-STRICT", "OK", 1_003),
            ("7.1.5", "FAILED", "WRONG CODE", 12),
            ("7.1.6", "INFORMATIONAL", "INFORMATIONAL", 9),
            ("7.9.1", "OK", "UNCLEAN", 8),
            ("9.1.1", "ERROR", "FAILED", 60_000),
            ("12.1.1", "UNIMPLEMENTED", "OK", 2),
            ("12.1.2", "UNIMPLEMENTED", "OK", 2),
            ("handshake.host.1", "BRAND NEW", "ODD", 1),
        ],
    );
    first.version = Some("1.2.3".into());
    first.language = Some("Rust".into());
    first.homepage = Some("https://example.org/alpha".into());
    let failed = first.results.get_mut(&id("7.1.5")).expect("a case");
    failed.title = Some("Close, then a text".into());
    let mut detail = Detail::default();
    detail.result = Some("Nothing came back.".into());
    detail.result_close = Some("Code 1000 is not one of [1002].".into());
    failed.detail = Some(detail);
    let accepted = first.results.get_mut(&id("6.4.2")).expect("a case");
    accepted.accepted = Some("It validates a frame at its end.".into());
    first.expect_cases(&[id("10.1.1")]);

    let second = subject(
        "beta",
        &[("1.1.1", "OK", "OK", 3), ("1.1.2", "OK", "OK", 5)],
    );
    let mut record = record(Role::Server, vec![first, second]);
    let mut clients = Run::new(Role::Client);
    clients
        .subjects
        .push(subject("alpha", &[("1.1.1", "OK", "FAILED BY CLIENT", 7)]));
    record.add(clients).expect("another role");
    record.title = "Sample".into();
    record.label = Some("v0.2.0".into());
    record.tool = Some(Tool::new("cloverleaf", "0.2.0"));
    record.suite = Some(Suite::new("Autobahn TestSuite", "25.10.1"));
    record.started = Some("2026-11-21 04:27 UTC".into());
    record.host = Some("example, 2 cores".into());
    record.notes = vec!["Cases of group 9 ran once.".into()];
    record.troubles = vec!["beta (server) stopped after case 1.1.2.".into()];
    record
        .sections
        .insert("handshake".into(), "Opening handshake".into());
    record
}

/// What an evil subject would like to smuggle in.
pub(crate) const EVIL: &str = "</script><script>alert(1)</script>\"'|`*_[x](https://evil.example)\
                               <img src=x onerror=y> @octocat #1 ]]> --> &amp; %0A::error::\r\n\
                               ::stop-commands::x\n# h1\n| a | b |\u{1b}[2J\u{0}\u{202e}\u{ffff}";

/// Hostile text in every field that takes text.
pub(crate) fn hostile() -> Record {
    let mut record = sample();
    for text in [&mut record.label, &mut record.started, &mut record.host] {
        *text = Some(EVIL.into());
    }
    record.title = EVIL.into();
    record.tool = Some(Tool::new(EVIL, EVIL));
    record.suite = Some(Suite::new(EVIL, EVIL));
    record.notes = vec![EVIL.into()];
    record.troubles = vec![EVIL.into()];
    for group in ["6", "7", "handshake"] {
        record.sections.insert(group.into(), EVIL.into());
    }
    for run in &mut record.runs {
        for (place, subject) in run.subjects.iter_mut().enumerate() {
            subject.name = format!("{place}{EVIL}");
            for text in [
                &mut subject.version,
                &mut subject.language,
                &mut subject.homepage,
            ] {
                *text = Some(EVIL.into());
            }
            for result in subject.results.values_mut() {
                result.title = Some(EVIL.into());
                let mut detail = Detail::default();
                detail.result = Some(EVIL.into());
                detail.result_close = Some(EVIL.into());
                result.detail = Some(detail);
                if result.accepted.is_some() {
                    result.accepted = Some(EVIL.into());
                }
                if result.id.group() == "handshake" {
                    result.verdict = EVIL.into();
                    result.close_verdict = EVIL.into();
                }
            }
        }
    }
    record
}

/// Ten megabytes wherever a sentence can be.
pub(crate) fn huge() -> Record {
    let sentence = "a|@b ".repeat(2_000_000);
    let mut record = sample();
    record.title.clone_from(&sentence);
    record.troubles = vec![sentence.clone()];
    record.notes = vec![sentence.clone()];
    let subject = &mut record.runs[0].subjects[0];
    subject.name.clone_from(&sentence);
    let failed = subject.results.get_mut(&id("7.1.5")).expect("a case");
    failed.title = Some(sentence.clone());
    failed.detail.as_mut().expect("a detail").result = Some(sentence.clone());
    let accepted = subject.results.get_mut(&id("6.4.2")).expect("a case");
    accepted.accepted = Some(sentence);
    record
}

/// The edges: nothing at all, a run without subjects, a subject without cases.
pub(crate) fn empty() -> [(&'static str, Record); 3] {
    [
        ("no run", Record::new("Empty")),
        ("no subject", record(Role::Server, Vec::new())),
        ("no case", record(Role::Server, vec![subject("alpha", &[])])),
    ]
}

/// No control character but the line end, and nothing that reorders text.
pub(crate) fn assert_harmless(text: &str) {
    for c in text.chars() {
        assert!(
            c == '\n' || !(c.is_control() || c == '\u{202e}' || c == '\u{ffff}'),
            "{c:?}"
        );
    }
}
