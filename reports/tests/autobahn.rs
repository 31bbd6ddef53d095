//! Reading and writing Autobahn's report files. The files under `wstest` are what wstest 25.10.1
//! wrote, cut to a few cases.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cloverleaf_reports::autobahn::{self, ReadErrorReason, WriteError};
use cloverleaf_reports::model::{Direction, Event, WireRow};
use cloverleaf_reports::{CaseId, CaseResult, CloseVerdict, Role, Run, Subject, Verdict};

fn fixtures(role: Role) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/wstest")
        .join(role.as_str())
}

/// A new, empty directory.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if directory.exists() {
        fs::remove_dir_all(&directory).expect("the old directory goes");
    }
    fs::create_dir_all(&directory).expect("a new directory");
    directory
}

fn id(text: &str) -> CaseId {
    text.parse().expect("a case id")
}

fn result<'a>(run: &'a Run, subject: &str, case: &str) -> &'a CaseResult {
    &run.subject(subject).expect("the subject").results[&id(case)]
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect();
    names.sort();
    names
}

#[test]
fn what_wstest_wrote_is_read_and_written_byte_for_byte() {
    for role in [Role::Server, Role::Client] {
        let from = fixtures(role);
        let to = scratch(&format!("round-trip-{role}"));
        let run = autobahn::read_dir(&from, role).expect("a report");
        autobahn::write_dir(&to, &run).expect("a report");
        assert_eq!(names(&from), names(&to));
        for name in names(&from) {
            let read = fs::read_to_string(from.join(&name)).expect("the fixture");
            let written = fs::read_to_string(to.join(&name)).expect("the copy");
            assert!(read == written, "{role}: {name} differs");
        }
    }
}

#[test]
fn both_verdicts_duration_and_close_code_come_from_the_index() {
    let run = autobahn::read_dir(&fixtures(Role::Server), Role::Server).expect("a report");
    let subjects: Vec<&str> = run
        .subjects
        .iter()
        .map(|subject| subject.name.as_str())
        .collect();
    assert_eq!(subjects, ["AutobahnPython/0.10.9", "python-websockets 15"]);
    let failed = result(&run, "python-websockets 15", "7.1.5");
    assert_eq!(failed.verdict, Verdict::Failed);
    assert_eq!(failed.close_verdict, CloseVerdict::WrongCode);
    assert_eq!(failed.remote_close_code, Some(1002));
    assert_eq!(
        result(&run, "python-websockets 15", "6.4.1").verdict,
        Verdict::NonStrict
    );
    assert_eq!(
        result(&run, "AutobahnPython/0.10.9", "7.13.1").remote_close_code,
        None
    );
}

#[test]
fn a_case_file_gives_texts_events_close_handshake_and_wire_log() {
    let run = autobahn::read_dir(&fixtures(Role::Server), Role::Server).expect("a report");
    let case = result(&run, "AutobahnPython/0.10.9", "3.4");
    assert_eq!(
        case.description.as_deref(),
        Some(
            "Send small text message, then send again with RSV = 4, then send Ping. Octets are \
             sent in octet-wise chops."
        )
    );
    let detail = case.detail.as_ref().expect("detail");
    let hello = Event::Message {
        payload: "Hello, world!".into(),
        binary: false,
    };
    assert_eq!(detail.received, std::slice::from_ref(&hello));
    assert_eq!(detail.expected["OK"], [hello]);
    assert_eq!(detail.expected["NON-STRICT"], []);
    let close = detail.close.as_ref().expect("a close");
    assert_eq!(close.subject_code, Some(1002));
    assert_eq!(
        close.subject_reason.as_deref(),
        Some("RSV = 4 and no extension negotiated")
    );
    assert_eq!(
        detail.expected_close.as_ref().expect("expected").codes,
        [1002]
    );
    assert!(
        detail
            .request
            .as_ref()
            .expect("a request")
            .starts_with("GET / HTTP/1.1\r\n")
    );
    assert_eq!(detail.sent_frames.get(&9), Some(&1));
    assert_eq!(
        detail.wire_log[4],
        WireRow::Frame {
            direction: Direction::Sent,
            opcode: 1,
            fin: true,
            rsv: 4,
            mask: Some("cd8f7aca".into()),
            length: 13,
            payload: "Hello, world!".into(),
            repeat: None,
            chop: Some(1),
            sync: false,
        }
    );
    let other = |row: &&WireRow| matches!(row, WireRow::Other { .. });
    for subject in &run.subjects {
        for result in subject.results.values() {
            let detail = result.detail.as_ref().expect("detail");
            assert_eq!(detail.wire_log.iter().find(other), None, "{}", result.id);
        }
    }
    let traffic = result(&run, "AutobahnPython/0.10.9", "12.1.1")
        .detail
        .as_ref();
    let traffic = traffic
        .and_then(|detail| detail.traffic.as_ref())
        .expect("traffic");
    assert_eq!((traffic.sent_app, traffic.sent_messages), (16_000, 1_000));
}

/// Python writes `"\udb80"` for the payload of this case, which is not JSON.
#[test]
fn half_a_surrogate_pair_is_read_as_visible_text() {
    let run = autobahn::read_dir(&fixtures(Role::Server), Role::Server).expect("a report");
    let case = result(&run, "AutobahnPython/0.10.9", "6.20.3");
    assert!(
        case.verbatim
            .as_ref()
            .expect("the file")
            .contains("\"\\udb80\"")
    );
    let frame = case
        .detail
        .as_ref()
        .expect("detail")
        .wire_log
        .iter()
        .find_map(|row| match row {
            WireRow::Frame { payload, .. } => Some(payload.as_str()),
            _ => None,
        });
    assert_eq!(frame, Some("\\udb80"));
}

/// A result with something in every field that Autobahn's form can hold.
fn made_up_run() -> Run {
    let mut run = autobahn::read_dir(&fixtures(Role::Server), Role::Server).expect("a report");
    for subject in &mut run.subjects {
        for result in subject.results.values_mut() {
            result.verbatim = None;
        }
        subject.results.remove(&id("6.20.3"));
    }
    run
}

#[test]
fn results_that_never_were_in_autobahns_form_are_written_in_it_and_read_back() {
    let directory = scratch("made-up");
    let run = made_up_run();
    autobahn::write_dir(&directory, &run).expect("a report");
    let mut read = autobahn::read_dir(&directory, Role::Server).expect("a report");
    for subject in &mut read.subjects {
        for result in subject.results.values_mut() {
            let file = result.verbatim.take().expect("the file");
            assert!(
                file.starts_with("{\n   \"agent\": \""),
                "three spaces: {file}"
            );
            assert_eq!(
                file.lines()
                    .filter(|line| line.starts_with("   \""))
                    .count(),
                39
            );
        }
    }
    assert_eq!(read, run);
}

#[test]
fn the_index_is_laid_out_as_autobahn_does_it() {
    let directory = scratch("layout");
    let mut subject = Subject::new("b");
    subject.insert(CaseResult::new(id("1.1.2"), Verdict::Ok, CloseVerdict::Ok));
    let mut odd = CaseResult::new(id("1.1.10"), "NEW".into(), CloseVerdict::FailedByClient);
    (odd.duration_ms, odd.remote_close_code) = (7, Some(1000));
    subject.insert(odd);
    subject.insert(CaseResult::missing(id("1.1.3")));
    let mut run = Run::new(Role::Client);
    run.subjects = vec![subject, Subject::new("A")];
    autobahn::write_dir(&directory, &run).expect("a report");
    let index = fs::read_to_string(directory.join("index.json")).expect("the index");
    assert_eq!(
        index,
        r#"{
   "A": {},
   "b": {
      "1.1.10": {
         "behavior": "NEW",
         "behaviorClose": "FAILED BY CLIENT",
         "duration": 7,
         "remoteCloseCode": 1000,
         "reportfile": "b_case_1_1_10.json"
      },
      "1.1.2": {
         "behavior": "OK",
         "behaviorClose": "OK",
         "duration": 0,
         "remoteCloseCode": null,
         "reportfile": "b_case_1_1_2.json"
      }
   }
}"#
    );
    assert_eq!(
        names(&directory),
        ["b_case_1_1_10.json", "b_case_1_1_2.json", "index.json"]
    );
    let read = autobahn::read_dir(&directory, Role::Client).expect("a report");
    assert_eq!(
        result(&read, "b", "1.1.10").verdict,
        Verdict::Other("NEW".into())
    );
}

#[test]
fn a_case_file_that_is_not_there_leaves_the_verdicts() {
    let directory = scratch("no-detail");
    fs::copy(
        fixtures(Role::Client).join("index.json"),
        directory.join("index.json"),
    )
    .expect("a copy");
    let run = autobahn::read_dir(&directory, Role::Client).expect("a report");
    let result = result(&run, "AutobahnPython/0.10.9", "2.2");
    assert_eq!((&result.verdict, &result.detail), (&Verdict::Ok, &None));
}

/// Writes an index of one case and its file, and reads them as a server's.
fn read_one(name: &str, index: &str, case_file: &str) -> Result<Run, autobahn::ReadError> {
    let directory = scratch(name);
    fs::write(directory.join("index.json"), index).expect("an index");
    fs::write(directory.join("x.json"), case_file).expect("a case file");
    autobahn::read_dir(&directory, Role::Server)
}

fn index_with(case: &str, file: &str) -> String {
    format!(
        r#"{{"s": {{"{case}": {{"behavior": "OK", "behaviorClose": "OK", "duration": 1,
            "remoteCloseCode": null, "reportfile": "{file}"}}}}}}"#
    )
}

#[test]
fn every_error_names_the_file_and_the_reason() {
    let good = index_with("1.1.1", "x.json");
    for (name, index, case_file, wrong_file, message) in [
        (
            "cut",
            "{\"s\": {",
            "{}",
            "index.json",
            "is not an Autobahn report: EOF",
        ),
        ("list", "[]", "{}", "index.json", "invalid type: sequence"),
        (
            "no-verdict",
            r#"{"s": {"1.1": {}}}"#,
            "{}",
            "index.json",
            "missing field `behavior`",
        ),
        (
            "bad-id",
            &index_with("../1", "x.json"),
            "{}",
            "index.json",
            "\"../1\" is not a case id",
        ),
        (
            "outside",
            &index_with("1.1.1", "../x.json"),
            "{}",
            "index.json",
            "not a plain file name",
        ),
        (
            "absolute",
            &index_with("1.1.1", "/x.json"),
            "{}",
            "index.json",
            "not a plain file name",
        ),
        (
            "cut-case",
            &good,
            "{",
            "x.json",
            "is not an Autobahn report: EOF",
        ),
        ("number", &good, "7", "x.json", "expected an object"),
        (
            "other-role",
            &good,
            r#"{"isServer": true}"#,
            "x.json",
            "the report of a client, not",
        ),
        (
            "other-case",
            &good,
            r#"{"id": "2.1"}"#,
            "x.json",
            "should report case 1.1.1, but",
        ),
    ] {
        let error = read_one(name, index, case_file).expect_err(name);
        assert!(error.path.ends_with(wrong_file), "{name}: {error}");
        let text = error.to_string();
        assert!(
            text.contains(message) && text.contains(wrong_file),
            "{name}: {text}"
        );
    }
    let nowhere = autobahn::read_dir(Path::new("no such directory"), Role::Server);
    let error = nowhere.expect_err("there is nothing");
    assert!(matches!(error.reason, ReadErrorReason::Io(_)), "{error}");
}

#[test]
fn fields_of_an_unknown_form_are_left_out_and_unknown_rows_are_kept() {
    let case_file = r#"{"received": [["message"], 5], "wirelog": [["NEW", 1], [], "x", ["RF", [1]]],
        "wasClean": "yes", "rxOctetStats": {"a": 1, "7": "x", "8": 2}, "remoteCloseReason": {}}"#;
    let run = read_one("odd-fields", &index_with("1.1.1", "x.json"), case_file).expect("a report");
    let detail = result(&run, "s", "1.1.1").detail.as_ref().expect("detail");
    let json = |row: &WireRow| match row {
        WireRow::Other { json } => json.clone(),
        other => format!("{other:?}"),
    };
    let rows: Vec<String> = detail.wire_log.iter().map(json).collect();
    assert_eq!(rows, [r#"["NEW",1]"#, "[]", r#""x""#, r#"["RF",[1]]"#]);
    assert_eq!(detail.received.len(), 2);
    assert!(
        detail
            .received
            .iter()
            .all(|event| matches!(event, Event::Other { .. }))
    );
    assert_eq!(detail.close, None);
    assert_eq!(detail.received_octets, BTreeMap::from([(8, 2)]));
}

#[test]
fn two_subjects_never_overwrite_each_others_files() {
    let directory = scratch("same-name");
    let mut run = Run::new(Role::Server);
    run.subjects = vec![Subject::new("my server"), Subject::new("My/Server ")];
    let error = autobahn::write_dir(&directory, &run).expect_err("they share their files");
    assert!(matches!(error, WriteError::SameFileName { .. }), "{error}");
    assert!(names(&directory).is_empty());
}
