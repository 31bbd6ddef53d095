use std::fs;
use std::path::{Path, PathBuf};

use cloverleaf_reports::load::{LoadError, read, read_as};
use cloverleaf_reports::{Role, Verdict, html, markdown};

use crate::sample::{id, sample};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// An empty folder of this name.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder for tests");
    folder
}

#[test]
fn a_record_is_read_from_its_file_and_from_its_folder() {
    let folder = folder("load-record");
    fs::write(folder.join("results.json"), sample().to_json()).expect("a file");
    assert_eq!(read(&folder).expect("a folder"), sample());
    assert_eq!(
        read(&folder.join("results.json")).expect("a file"),
        sample()
    );
}

#[test]
fn the_case_files_of_wstest_tell_the_role() {
    for (name, role) in [("server", Role::Server), ("client", Role::Client)] {
        let record = read(&tests().join("wstest").join(name)).expect("reports");
        assert_eq!(record.runs.len(), 1);
        assert_eq!(record.runs[0].role, role);
        assert!(!record.runs[0].subjects.is_empty());
    }
}

#[test]
fn reports_like_those_of_kosoku_are_read_merged_and_rendered() {
    let mut record = read(&tests().join("kosoku")).expect("reports");
    assert_eq!(record.runs[0].role, Role::Server);
    let subject = &record.runs[0].subjects[0];
    assert_eq!(subject.results[&id("1.1.1")].verdict, Verdict::Ok);
    assert_eq!(subject.results[&id("1.1.2")].verdict, Verdict::Error);
    let detail = subject.results[&id("1.1.1")]
        .detail
        .as_ref()
        .expect("a case file");
    assert_eq!(
        detail.started.as_deref(),
        Some("2026-11-20T10:00:00.123456+00:00")
    );
    record
        .merge(read(&tests().join("wstest/server")).expect("reports"))
        .expect("other subjects");
    assert!(html::render(&record).contains("kosoku-subject"));
    assert!(markdown::render(&record).contains("kosoku"));
}

#[test]
fn folders_named_servers_and_clients_become_one_record() {
    let whole = folder("load-both");
    for (from, to) in [("server", "servers"), ("client", "clients")] {
        fs::create_dir(whole.join(to)).expect("a folder");
        for file in fs::read_dir(tests().join("wstest").join(from)).expect("samples") {
            let file = file.expect("a file");
            fs::copy(file.path(), whole.join(to).join(file.file_name())).expect("a copy");
        }
    }
    let record = read(&whole).expect("reports");
    let roles: Vec<Role> = record.runs.iter().map(|run| run.role).collect();
    assert_eq!(roles, [Role::Server, Role::Client]);
}

#[test]
fn what_cannot_be_read_says_what_to_do() {
    let alone = folder("load-alone");
    fs::copy(
        tests().join("wstest/server/index.json"),
        alone.join("index.json"),
    )
    .expect("a copy");
    let error = read(&alone).expect_err("no case file");
    assert!(matches!(error, LoadError::RoleUnknown { .. }));
    assert!(error.to_string().contains("server="), "{error}");
    assert!(read_as(&alone, Role::Server).is_ok());

    let nothing = folder("load-nothing");
    let error = read(&nothing).expect_err("nothing");
    assert!(
        error.to_string().contains("expected results.json"),
        "{error}"
    );
    assert!(matches!(
        read(&nothing.join("x")),
        Err(LoadError::Io { .. })
    ));

    for (content, part) in [("{", "not a record"), ("{\"schema\": 9}", "schema 9")] {
        fs::write(nothing.join("results.json"), content).expect("a file");
        let error = read(&nothing).expect_err(content);
        assert!(error.to_string().contains(part), "{error}");
    }
    let wrong = read_as(&tests().join("wstest/server"), Role::Client).expect_err("servers");
    assert!(wrong.to_string().contains("other role"), "{wrong}");

    // An index may not make it read files elsewhere.
    let evil = folder("load-evil");
    let index = r#"{"a": {"1.1.1": {"behavior": "OK", "behaviorClose": "OK", "duration": 1,
        "remoteCloseCode": null, "reportfile": "../load-record/results.json"}}}"#;
    fs::write(evil.join("index.json"), index).expect("a file");
    assert!(matches!(read(&evil), Err(LoadError::RoleUnknown { .. })));
}
