//! The report files of the native suite beside those of the original.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use cloverleaf_conformance::native::fuzzing_client::News;
use cloverleaf_conformance::native::{FuzzingClient, Results, Target};
use cloverleaf_conformance::spec::WsUrl;
use cloverleaf_judge::cases;
use cloverleaf_reports::autobahn;
use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use serde_json::Value;

use crate::servers::echo;

/// Runs these cases against our echo server, and writes the reports.
async fn report(ids: &[&str], folder: &Path) -> Results {
    let selected: Vec<_> = cases::all()
        .into_iter()
        .filter(|case| ids.contains(&case.id.as_str()))
        .map(cloverleaf_judge::case::Case::fast)
        .collect();
    assert_eq!(selected.len(), ids.len());
    let mut target = Target::new(WsUrl::parse(&echo(None).await).expect("a URL"));
    target.agent = Some("Echo Server/1".to_owned());
    let mut news = FuzzingClient::new(selected, NonZeroUsize::MIN).judge(target);
    let results = Results::new(Role::Server);
    while let Some(news) = news.recv().await {
        let News::Judged(agent, result) = news else {
            panic!("{news:?}");
        };
        results.insert(&agent, *result);
    }
    results.write(folder, &[]).expect("written");
    results
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).expect("read")).expect("JSON")
}

/// The kind of a value; `null` goes with any.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "an integer",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn kinds(value: &Value) -> BTreeMap<String, &'static str> {
    let object = value.as_object().expect("an object");
    object
        .iter()
        .map(|(name, value)| (name.clone(), kind(value)))
        .collect()
}

/// Case files that the original has written.
fn original(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/wstest/server");
    json(&folder.join(format!("{name}.json")))
}

#[tokio::test]
async fn case_files_have_the_fields_of_the_original_with_values_of_their_kinds() {
    let folder = tempfile::tempdir().expect("a folder");
    report(&["3.4", "7.13.1", "12.1.1"], folder.path()).await;
    for case in ["3_4", "7_13_1", "12_1_1"] {
        let original = original(&format!("autobahnpython_0_10_9_case_{case}"));
        let ours = json(
            &folder
                .path()
                .join(format!("echo_server_1_case_{case}.json")),
        );
        let (theirs, found) = (kinds(&original), kinds(&ours));
        assert_eq!(found.len(), 39);
        assert!(found.keys().eq(theirs.keys()), "{case}: {found:?}");
        for (name, kind) in &found {
            let expected = theirs[name];
            assert!(
                *kind == expected || *kind == "null" || expected == "null",
                "{case}: {name} is {kind}, not {expected}"
            );
        }
        // What does not depend on the subject is the same.
        for name in [
            "id",
            "isServer",
            "createStats",
            "createWirelog",
            "reportTime",
            "reportCompressionRatio",
            "expectedClose",
        ] {
            assert_eq!(ours[name], original[name], "{case}: {name}");
        }
        if original["trafficStats"].is_null() {
            assert_eq!(ours["trafficStats"], Value::Null, "{case}");
        } else {
            let (found, theirs) = (
                kinds(&ours["trafficStats"]),
                kinds(&original["trafficStats"]),
            );
            assert_eq!(found, theirs, "{case}");
        }
    }
}

#[tokio::test]
async fn time_is_written_as_the_original_writes_it() {
    let folder = tempfile::tempdir().expect("a folder");
    report(&["1.1.1"], folder.path()).await;
    let ours = json(&folder.path().join("echo_server_1_case_1_1_1.json"));
    let started = ours["started"].as_str().expect("a text");
    let shape: String = started
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    // As in `2026-01-31T23:59:59.007Z`.
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    assert_eq!(ours["case"], 1);
    let text = |name: &str| ours[name].as_str().expect("a text");
    assert!(text("httpRequest").starts_with("GET / HTTP/1.1\r\nHost: 127.0.0.1:"));
    assert!(text("httpRequest").ends_with("\r\n\r\n"));
    assert!(text("httpResponse").starts_with("HTTP/1.1 101 "));
    for name in ["description", "expectation", "result", "resultClose"] {
        assert!(!text(name).is_empty(), "{name}");
    }
    assert_eq!(
        ours["expected"],
        serde_json::json!({"OK": [["message", "", false]]})
    );
    assert_eq!(ours["received"], ours["expected"]["OK"]);
}

#[tokio::test]
async fn the_index_has_the_fields_of_the_original_and_names_the_case_files() {
    let folder = tempfile::tempdir().expect("a folder");
    report(&["1.1.1", "7.1.6", "9.1.1"], folder.path()).await;
    let index = json(&folder.path().join("index.json"));
    let theirs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/wstest/server");
    let theirs = json(&theirs.join("index.json"));
    let expected = theirs
        .as_object()
        .and_then(|agents| agents.values().next()?.as_object()?.values().next())
        .expect("an entry");
    let agent = index["Echo Server/1"].as_object().expect("the agent");
    let ids: Vec<_> = agent.keys().map(String::as_str).collect();
    assert_eq!(ids, ["1.1.1", "7.1.6", "9.1.1"]);
    for entry in agent.values() {
        assert!(kinds(entry).keys().eq(kinds(expected).keys()), "{entry}");
        let file = entry["reportfile"].as_str().expect("a name");
        let case = json(&folder.path().join(file));
        for name in ["behavior", "behaviorClose", "duration", "remoteCloseCode"] {
            assert_eq!(case[name], entry[name], "{file}: {name}");
        }
    }
    // Durations are shown where the original shows them.
    let shown = |id: &str| {
        let file = agent[id]["reportfile"].as_str().expect("a name");
        json(&folder.path().join(file))["reportTime"].clone()
    };
    assert_eq!(
        (shown("1.1.1"), shown("9.1.1")),
        (false.into(), true.into())
    );
}

#[tokio::test]
async fn what_was_written_is_read_back_as_it_was_measured() {
    let folder = tempfile::tempdir().expect("a folder");
    let results = report(&["2.4", "6.4.1", "7.1.5", "12.1.1"], folder.path()).await;
    let read = autobahn::read_dir(folder.path(), Role::Server).expect("reports");
    let measured = results.run();
    let (read, measured) = (&read.subjects[0], &measured.subjects[0]);
    assert_eq!(read.name, measured.name);
    assert!(read.results.keys().eq(measured.results.keys()));
    for (read, measured) in read.results.values().zip(measured.results.values()) {
        let id = &measured.id;
        assert_eq!(read.verdict, measured.verdict, "{id}");
        assert_eq!(read.close_verdict, measured.close_verdict, "{id}");
        assert_eq!(read.duration_ms, measured.duration_ms, "{id}");
        assert_eq!(read.remote_close_code, measured.remote_close_code, "{id}");
        assert_eq!(read.description, measured.description, "{id}");
        assert_eq!(read.expectation, measured.expectation, "{id}");
        assert_eq!(read.detail, measured.detail, "{id}");
    }
}

#[test]
fn agents_whose_files_would_have_the_same_names_are_all_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let results = Results::new(Role::Client);
    let long = "x".repeat(400);
    for agent in ["a b", "A-B", "a_b", "/", &long, &format!("{long}y")] {
        let id = "1.1.1".parse().expect("an id");
        results.insert(agent, CaseResult::new(id, Verdict::Ok, CloseVerdict::Ok));
    }
    results.write(folder.path(), &[]).expect("written");
    let run = autobahn::read_dir(folder.path(), Role::Client).expect("reports");
    let mut names: Vec<_> = run.subjects.iter().map(|s| s.name.as_str()).collect();
    names.sort_by_key(|name| (name.len(), *name));
    let short = format!("{} 2", "x".repeat(100));
    assert_eq!(names, ["/", "a b", "A-B 2", "a_b 3", &short, &long]);
}
