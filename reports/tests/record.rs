//! The record: merging, counting, and its JSON.

use cloverleaf_reports::model::{MergeError, RecordError, Suite, Tool};
use cloverleaf_reports::{
    CaseId, CaseResult, CloseVerdict, Record, Role, Run, Standing, Subject, Verdict, text,
};

fn id(text: &str) -> CaseId {
    text.parse().expect("a case id")
}

/// A run of one subject; verdicts are those of Autobahn's files.
fn run(role: Role, subject: &str, results: &[(&str, &str, &str)]) -> Run {
    let mut subject = Subject::new(subject);
    for (case, verdict, close) in results {
        let mut result = CaseResult::new(id(case), (*verdict).into(), (*close).into());
        result.duration_ms = 5;
        subject.insert(result);
    }
    let mut run = Run::new(role);
    run.subjects.push(subject);
    run
}

fn server(results: &[(&str, &str, &str)]) -> Run {
    run(Role::Server, "s", results)
}

fn record(runs: Vec<Run>) -> Record {
    let mut record = Record::new("Test");
    for run in runs {
        record.add(run).expect("disjoint runs");
    }
    record
}

fn cases(run: &Run) -> Vec<&str> {
    run.subjects[0].results.keys().map(CaseId::as_str).collect()
}

#[test]
fn shards_of_a_run_become_one_in_the_order_of_the_cases() {
    let mut all = server(&[("1.1.10", "OK", "OK"), ("10.1.1", "OK", "OK")]);
    all.merge(server(&[("1.1.9", "OK", "OK"), ("2.1", "FAILED", "OK")]))
        .expect("disjoint");
    assert_eq!(cases(&all), ["1.1.9", "1.1.10", "2.1", "10.1.1"]);
    all.merge(run(Role::Server, "t", &[("1.1.9", "OK", "OK")]))
        .expect("another subject");
    assert_eq!(all.subjects.len(), 2);
}

#[test]
fn a_case_with_two_results_is_refused_and_nothing_is_changed() {
    let mut all = server(&[("1.1", "OK", "OK")]);
    let before = all.clone();
    let error = all.merge(server(&[("1.2", "OK", "OK"), ("1.1", "OK", "OK")]));
    let error = error.expect_err("1.1 is in both");
    assert!(
        matches!(&error, MergeError::Overlap { case, .. } if *case == id("1.1")),
        "{error}"
    );
    assert!(
        error.to_string().contains("server \"s\" for case 1.1"),
        "{error}"
    );
    assert_eq!(all, before);

    let error = all
        .merge(run(Role::Client, "s", &[]))
        .expect_err("another role");
    assert!(matches!(error, MergeError::RolesDiffer { .. }), "{error}");
    assert_eq!(all, before);
}

#[test]
fn a_result_takes_the_place_of_a_missing_one_and_not_the_reverse() {
    let mut all = server(&[("1.1", "OK", "OK")]);
    all.expect_cases(&[id("1.1"), id("1.2"), id("1.3")]);
    assert_eq!(all.subjects[0].results[&id("1.1")].verdict, Verdict::Ok);
    assert_eq!(
        all.subjects[0].results[&id("1.2")].verdict,
        Verdict::Missing
    );

    let mut other = server(&[("1.2", "FAILED", "OK")]);
    other.expect_cases(&[id("1.1"), id("1.3")]);
    all.merge(other).expect("disjoint");
    let verdicts: Vec<&Verdict> = all.subjects[0]
        .results
        .values()
        .map(|result| &result.verdict)
        .collect();
    assert_eq!(
        verdicts,
        [&Verdict::Ok, &Verdict::Failed, &Verdict::Missing]
    );
}

#[test]
fn runs_of_the_same_role_share_one_place_in_a_record() {
    let record = record(vec![
        server(&[("1.1", "OK", "OK")]),
        run(Role::Client, "s", &[("1.1", "OK", "OK")]),
        server(&[("1.2", "OK", "OK")]),
    ]);
    let roles: Vec<Role> = record.runs.iter().map(|run| run.role).collect();
    assert_eq!(roles, [Role::Server, Role::Client]);
    assert_eq!(cases(&record.runs[0]), ["1.1", "1.2"]);
}

#[test]
fn the_worst_verdict_decides() {
    let ok = ("1.1", "OK", "OK");
    for (results, standing) in [
        (vec![], Standing::Fail),
        (vec![ok], Standing::Pass),
        (
            vec![ok, ("7.1.6", "INFORMATIONAL", "INFORMATIONAL")],
            Standing::Pass,
        ),
        (vec![ok, ("6.4.1", "NON-STRICT", "OK")], Standing::Notes),
        (vec![ok, ("12.1.1", "UNIMPLEMENTED", "OK")], Standing::Notes),
        (
            vec![ok, ("7.3.6", "OK", "FAILED BY CLIENT")],
            Standing::Notes,
        ),
        (vec![ok, ("1.2", "FAILED", "OK")], Standing::Fail),
        (vec![ok, ("1.2", "ERROR", "FAILED")], Standing::Fail),
        (vec![ok, ("1.2", "MISSING", "MISSING")], Standing::Fail),
        (vec![ok, ("1.2", "SPLENDID", "OK")], Standing::Fail),
        (vec![ok, ("1.2", "OK", "WRONG CODE")], Standing::Fail),
        (vec![ok, ("1.2", "OK", "UNCLEAN")], Standing::Fail),
        (vec![ok, ("1.2", "OK", "FAILED")], Standing::Fail),
        (vec![ok, ("1.2", "OK", "SPLENDID")], Standing::Fail),
    ] {
        assert_eq!(
            record(vec![server(&results)]).summary().standing(),
            standing,
            "{results:?}"
        );
    }
    assert_eq!(Record::new("empty").summary().standing(), Standing::Fail);
}

#[test]
fn the_summary_counts_each_subject_and_the_problems_name_each_case() {
    let record = record(vec![
        server(&[
            ("1.1", "OK", "OK"),
            ("1.2", "OK", "WRONG CODE"),
            ("6.4.1", "NON-STRICT", "OK"),
            ("7.1.6", "INFORMATIONAL", "INFORMATIONAL"),
            ("9.1", "MISSING", "MISSING"),
            ("12.1", "UNIMPLEMENTED", "OK"),
        ]),
        run(
            Role::Client,
            "c",
            &[("1.1", "FAILED", "UNCLEAN"), ("1.2", "ERROR", "FAILED")],
        ),
    ]);
    let summary = record.summary();
    let counts = &summary.subjects[0].counts;
    assert_eq!(
        (counts.ok, counts.non_strict, counts.informational),
        (2, 1, 1)
    );
    assert_eq!(
        (counts.unimplemented, counts.missing, counts.total),
        (1, 1, 6)
    );
    assert_eq!(
        counts.close_problems, 1,
        "a case that did not run did not close"
    );
    let counts = &summary.subjects[1].counts;
    assert_eq!(
        (counts.failed, counts.error, counts.close_problems),
        (1, 1, 2)
    );

    let problems: Vec<(Role, &str)> = record
        .problems()
        .iter()
        .map(|problem| (problem.role, problem.result.id.as_str()))
        .collect();
    let worst_first = [
        (Role::Server, "1.2"),
        (Role::Server, "9.1"),
        (Role::Client, "1.1"),
        (Role::Client, "1.2"),
        (Role::Server, "6.4.1"),
        (Role::Server, "12.1"),
    ];
    assert_eq!(problems, worst_first);
}

#[test]
fn a_record_survives_its_json() {
    let mut record = record(vec![
        server(&[("1.1", "OK", "OK"), ("handshake.2", "NEW WORD", "ODD")]),
        run(Role::Client, "\u{0}\"<ü>", &[("1.1", "MISSING", "MISSING")]),
    ]);
    record.tool = Some(Tool::new("cloverleaf", "0.1.0"));
    record.suite = Some(Suite::new("Autobahn TestSuite", "25.10.1"));
    record.started = Some("2026-01-02T03:04:05Z".into());
    record.host = Some("host".into());
    let json = record.to_json();
    assert!(
        json.starts_with("{\"schema\":1,\"title\":\"Test\",") && json.ends_with("}\n"),
        "{json}"
    );
    assert_eq!(Record::from_json(&json), Ok(record));
}

#[test]
fn another_schema_and_other_json_are_told_apart() {
    let later = r#"{"schema": 2, "title": {"new": "form"}}"#;
    let error = Record::from_json(later).expect_err("another schema");
    assert!(
        matches!(error, RecordError::UnknownSchema { schema: 2, .. }),
        "{error}"
    );
    for json in [
        "",
        "{}",
        "[]",
        r#"{"schema": 1}"#,
        r#"{"schema": 1, "title": 1, "runs": []}"#,
    ] {
        let error = Record::from_json(json).expect_err(json);
        assert!(
            matches!(error, RecordError::Malformed { .. }),
            "{json}: {error}"
        );
    }
    let bad_id = record(vec![server(&[("1.1", "OK", "OK")])])
        .to_json()
        .replace("1.1", "../1");
    assert!(Record::from_json(&bad_id).is_err());
}

#[test]
fn the_terminal_table_shows_counts_by_group_and_what_to_remark() {
    let record = record(vec![
        server(&[
            ("1.1.9", "OK", "OK"),
            ("1.1.10", "OK", "WRONG CODE"),
            ("6.4.1", "NON-STRICT", "OK"),
            ("6.4.2", "NON-STRICT", "OK"),
            ("handshake.1", "MISSING", "MISSING"),
        ]),
        run(
            Role::Client,
            "evil\u{1b}[31m\r\n",
            &[("1.1", "BAD\u{7}", "OK")],
        ),
    ]);
    let expected = "\
Subjects
                                    cases     OK NON-STRICT   INFO   UNIMPL FAILED  ERROR MISSING  CLOSE
  s (server)                            5      2          2      .        .      .      .       1      1
  evil\\u{1b}[31m\\u{d}\\u{a} (client)     1      .          .      .        .      .      1       .      .

s (server)
                                 cases     OK NON-STRICT   INFO   UNIMPL FAILED  ERROR MISSING  CLOSE
  1 Framing                          2      2          .      .        .      .      .       .      1
  6 UTF-8 handling                   2      .          2      .        .      .      .       .      .
  handshake                          1      .          .      .        .      .      .       1      .
  all                                5      2          2      .        .      .      .       1      1

evil\\u{1b}[31m\\u{d}\\u{a} (client)
                                 cases     OK NON-STRICT   INFO   UNIMPL FAILED  ERROR MISSING  CLOSE
  1 Framing                          1      .          .      .        .      .      1       .      .

To remark:
  s (server): OK, close WRONG CODE: 1.1.10
  s (server): MISSING: handshake.1
  s (server): NON-STRICT: 6.*
  evil\\u{1b}[31m\\u{d}\\u{a} (client): BAD\\u{7}: 1.1
";
    assert_eq!(text::table(&record), expected);
    assert!(text::table(&Record::new("empty")).contains("Nothing was run."));
}

#[test]
fn close_verdicts_of_cases_that_ran_always_appear() {
    assert_eq!(
        CloseVerdict::from("FAILED BY CLIENT"),
        CloseVerdict::FailedByClient
    );
    let record = record(vec![server(&[("7.3.6", "OK", "FAILED BY CLIENT")])]);
    assert!(text::table(&record).contains("s (server): OK, close FAILED BY CLIENT: 7.3.6"));
}

#[test]
fn two_records_become_one_and_what_only_one_knows_is_kept() {
    let mut all = record(vec![server(&[("1.1", "OK", "OK")])]);
    all.started = Some("2026-02-02T00:00:00Z".to_owned());
    all.notes = vec!["a note".to_owned()];
    let mut other = record(vec![
        server(&[("1.2", "OK", "OK")]),
        run(Role::Client, "c", &[("1.1", "OK", "OK")]),
    ]);
    other.label = Some("v1".to_owned());
    other.started = Some("2026-01-01T00:00:00Z".to_owned());
    other.notes = vec!["a note".to_owned(), "another".to_owned()];
    other.troubles = vec!["a crash".to_owned()];
    other.sections = [("limits".to_owned(), "Limits".to_owned())].into();
    other.runs[0].subjects[0].version = Some("2.0".to_owned());

    all.merge(other).expect("disjoint");
    assert_eq!(all.title, "Test");
    assert_eq!(all.label.as_deref(), Some("v1"));
    assert_eq!(all.started.as_deref(), Some("2026-01-01T00:00:00Z"));
    assert_eq!(all.notes, ["a note", "another"]);
    assert_eq!(all.troubles, ["a crash"]);
    assert_eq!(all.section_title("limits"), Some("Limits"));
    assert_eq!(all.section_title("6"), Some("UTF-8 handling"));
    assert_eq!(cases(&all.runs[0]), ["1.1", "1.2"]);
    assert_eq!(all.runs[0].subjects[0].version.as_deref(), Some("2.0"));
    assert_eq!(all.runs[1].role, Role::Client);

    let before = all.clone();
    all.merge(record(vec![server(&[("1.2", "FAILED", "OK")])]))
        .expect_err("1.2 is in both");
    assert_eq!(all, before, "nothing was changed");
}

#[test]
fn an_accepted_result_is_expected_and_still_no_pass() {
    let mut subject = Subject::new("s");
    let mut known = CaseResult::new(id("6.4.3"), "NON-STRICT".into(), "OK".into());
    known.accepted = Some("checks text when a frame is whole".to_owned());
    subject.insert(known);
    assert_eq!(subject.unexpected().count(), 0);
    assert_eq!(subject.standing(), Standing::Notes);
    subject.insert(CaseResult::new(
        id("6.4.4"),
        "NON-STRICT".into(),
        "OK".into(),
    ));
    assert_eq!(subject.unexpected().count(), 1);
}

#[test]
fn a_record_without_details_keeps_verdicts_and_times() {
    let mut all = record(vec![server(&[("1.1", "OK", "OK")])]);
    let result = all.runs[0].subjects[0].results.values_mut().next();
    let result = result.expect("one result");
    result.detail = Some(cloverleaf_reports::Detail::default());
    result.verbatim = Some("{}".to_owned());
    let light = all.without_details();
    let result = &light.runs[0].subjects[0].results[&id("1.1")];
    assert_eq!((&result.detail, &result.verbatim), (&None, &None));
    assert_eq!(result.duration_ms, 5);
}

#[test]
fn groups_with_numbers_that_autobahn_has_are_autobahns() {
    for (case, autobahn) in [
        ("1.1.1", true),
        ("13.7.18", true),
        ("8.1", false),
        ("handshake.1.1", false),
        ("limits", false),
    ] {
        assert_eq!(id(case).is_autobahn(), autobahn, "{case}");
    }
}
