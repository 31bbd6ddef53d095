use cloverleaf_reports::diff::{Diff, TimeLimits, html, markdown, text};
use cloverleaf_reports::{Record, Role};

use crate::sample::{
    EVIL, assert_golden, assert_harmless, empty, hostile, huge, id, record, sample, subject,
};

fn one(verdict: &str, close: &str) -> Record {
    record(
        Role::Server,
        vec![subject("a", &[("1.1", verdict, close, 1)])],
    )
}

#[test]
fn a_change_is_a_regression_a_fix_or_neither() {
    for (old, new, kind) in [
        (("OK", "OK"), ("OK", "OK"), "none"),
        (("OK", "OK"), ("FAILED", "OK"), "worse"),
        (("OK", "OK"), ("OK", "UNCLEAN"), "worse"),
        (("OK", "OK"), ("NON-STRICT", "OK"), "worse"),
        (("NON-STRICT", "OK"), ("UNIMPLEMENTED", "OK"), "worse"),
        (("FAILED", "OK"), ("FAILED", "WRONG CODE"), "worse"),
        (("OK", "OK"), ("MISSING", "MISSING"), "worse"),
        (("OK", "OK"), ("no such word", "OK"), "worse"),
        (("FAILED", "OK"), ("OK", "OK"), "better"),
        (("UNIMPLEMENTED", "OK"), ("NON-STRICT", "OK"), "better"),
        (("OK", "FAILED BY CLIENT"), ("OK", "OK"), "better"),
        (("OK", "OK"), ("INFORMATIONAL", "OK"), "other"),
        (("FAILED", "OK"), ("ERROR", "OK"), "other"),
        (("OK", "UNCLEAN"), ("FAILED", "OK"), "other"),
    ] {
        let diff = Diff::between(&one(old.0, old.1), &one(new.0, new.1));
        let counts = (diff.regressions.len(), diff.fixes.len(), diff.others.len());
        let expected = match kind {
            "worse" => (1, 0, 0),
            "better" => (0, 1, 0),
            "other" => (0, 0, 1),
            _ => (0, 0, 0),
        };
        assert_eq!(counts, expected, "{old:?} to {new:?}");
        assert_eq!(diff.has_regressions(), kind == "worse");
        assert_eq!(diff.is_empty(), kind == "none");
    }
}

#[test]
fn an_accepted_result_is_no_regression() {
    let mut new = one("FAILED", "OK");
    let result = new.runs[0].subjects[0].results.get_mut(&id("1.1"));
    result.expect("a case").accepted = Some("known".into());
    let diff = Diff::between(&one("OK", "OK"), &new);
    assert!(!diff.has_regressions());
    assert_eq!(diff.others.len(), 1);
    assert!(text(&diff).contains("OK -> FAILED, accepted: known: 1.1"));
}

#[test]
fn times_count_beyond_a_factor_and_a_floor() {
    let timed = |ms| record(Role::Server, vec![subject("a", &[("1.1", "OK", "OK", ms)])]);
    for (old, new, slower, faster) in [
        (0, 99, 0, 0),
        (0, 100, 1, 0),
        (100, 199, 0, 0),
        (100, 200, 1, 0),
        (1_000, 1_999, 0, 0),
        (200, 100, 0, 1),
        (5, 5, 0, 0),
        (0, u64::MAX, 1, 0),
    ] {
        let diff = Diff::between(&timed(old), &timed(new));
        assert_eq!(
            (diff.slower.len(), diff.faster.len()),
            (slower, faster),
            "{old} to {new}"
        );
        assert_eq!(diff.groups[0].beyond, slower + faster > 0);
        assert!(diff.is_empty(), "times alone are no change");
    }
    let limits = TimeLimits::new(1.1, 1);
    assert_eq!(
        Diff::with_limits(&timed(10), &timed(11), limits)
            .slower
            .len(),
        1
    );
}

/// The sample, a version later.
fn later() -> (Record, Record) {
    let old = sample();
    let mut new = sample();
    new.label = Some("v0.3.0".into());
    new.started = Some("2026-11-22 04:27 UTC".into());
    new.troubles.clear();
    let alpha = &mut new.runs[0].subjects[0];
    alpha.insert(crate::sample::result("1.1.1", "FAILED", "UNCLEAN", 3));
    alpha.insert(crate::sample::result("6.4.1", "OK", "OK", 2));
    alpha.insert(crate::sample::result("9.1.1", "OK", "OK", 10_000));
    alpha.insert(crate::sample::result("9.1.2", "OK", "OK", 1));
    alpha.results.remove(&id("12.1.2"));
    let mut code = crate::sample::result("7.1.6", "INFORMATIONAL", "INFORMATIONAL", 9);
    code.remote_close_code = Some(1001);
    alpha.insert(code);
    new.runs[1].subjects[0].name = "gamma".into();
    (old, new)
}

#[test]
fn the_sample_is_written_byte_for_byte() {
    let (old, new) = later();
    let diff = Diff::between(&old, &new);
    assert_eq!(diff.new_subjects.len(), 1);
    assert_eq!(diff.gone_subjects.len(), 1);
    assert_eq!(diff.new_cases[0].case, id("9.1.2"));
    assert_eq!(diff.gone_cases[0].case, id("12.1.2"));
    assert_golden("diff.txt", &text(&diff));
    assert_golden("diff.md", &markdown(&diff));
    assert_golden("diff.html", &html(&diff));
    assert_golden("diff.json", &diff.to_json());
}

#[test]
fn hostile_huge_and_empty_records_compare() {
    let mut evil = hostile();
    let mut clean = hostile();
    for run in &mut clean.runs {
        for subject in &mut run.subjects {
            for result in subject.results.values_mut() {
                result.verdict = "OK".into();
                result.accepted = None;
            }
        }
    }
    evil.label = Some(EVIL.into());
    let huge = huge();
    let mut records = vec![evil, clean, huge];
    records.extend(empty().map(|(_, record)| record));
    for old in &records {
        for new in &records {
            let diff = Diff::between(old, new);
            let (text, markdown, html) = (text(&diff), markdown(&diff), html(&diff));
            for rendered in [&text, &markdown, &html] {
                assert_harmless(rendered);
                assert!(rendered.len() < 100_000, "{}", rendered.len());
            }
            for live in ["<script", "<img", "@octocat", "https://"] {
                assert!(!markdown.contains(live), "{live}");
            }
            assert!(!html.contains("<script") && !html.contains("<img"));
        }
    }
}
