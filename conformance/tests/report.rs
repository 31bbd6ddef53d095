//! `cloverleaf report`, `completions` and `man`, as people start them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cloverleaf_reports::{CaseResult, Record, Role, Run, Subject};

fn cloverleaf(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cloverleaf"))
        .args(arguments)
        .output()
        .expect("starts")
}

fn text(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

/// Files as wstest wrote them.
fn samples(role: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../reports/tests/wstest");
    folder.join(role).display().to_string()
}

/// A folder with results in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes results of one subject, and returns the name of the file.
    fn results(&self, name: &str, started: &str, results: &[(&str, &str)]) -> String {
        let mut subject = Subject::new("mine");
        for (case, verdict) in results {
            let id = case.parse().expect("an id");
            subject.insert(CaseResult::new(id, (*verdict).into(), "OK".into()));
        }
        let mut run = Run::new(Role::Server);
        run.subjects.push(subject);
        let mut record = Record::new("Test");
        record.started = Some(started.to_owned());
        record.add(run).expect("the first");
        fs::write(self.path(name), record.to_json()).expect("written");
        self.name(name)
    }
}

#[test]
fn reports_of_wstest_are_rendered_in_every_form() {
    let folder = Folder::new();
    let output = cloverleaf(&[
        "report",
        "render",
        &samples("server"),
        &samples("client"),
        "--title",
        "From the original",
        "--format",
        "html,json,junit",
        "--format",
        "markdown",
        "--out",
        &folder.name("out"),
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let page = fs::read_to_string(folder.path("out/index.html")).expect("a page");
    assert!(page.contains("From the original") && page.contains("AutobahnPython"));
    let record = fs::read_to_string(folder.path("out/results.json")).expect("a record");
    let record = Record::from_json(&record).expect("of this schema");
    let roles: Vec<Role> = record.runs.iter().map(|run| run.role).collect();
    assert_eq!(roles, [Role::Server, Role::Client]);
    let junit = fs::read_to_string(folder.path("out/junit.xml")).expect("JUnit");
    assert!(junit.contains("<testsuite"), "{junit}");
    let tables = fs::read_to_string(folder.path("out/report.md")).expect("Markdown");
    assert!(tables.contains("| "), "{tables}");
}

#[test]
fn on_github_annotations_are_printed_and_the_summary_grows() {
    let folder = Folder::new();
    let results = folder.results("a.json", "1", &[("1.1.1", "FAILED")]);
    let summary = folder.path("summary");
    fs::write(&summary, "before\n").expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_cloverleaf"))
        .args(["report", "render", &results, "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).starts_with("::error"),
        "{}",
        text(&output.stdout)
    );
    let summary = fs::read_to_string(summary).expect("readable");
    assert!(
        summary.starts_with("before\n") && summary.contains("mine"),
        "{summary}"
    );
}

#[test]
fn a_regression_makes_diff_exit_with_1_and_a_fix_does_not() {
    let folder = Folder::new();
    let good = folder.results("good.json", "1", &[("1.1.1", "OK"), ("2.1", "OK")]);
    let bad = folder.results("bad.json", "2", &[("1.1.1", "OK"), ("2.1", "FAILED")]);
    for (old, new, code) in [(&good, &bad, 1), (&bad, &good, 0), (&good, &good, 0)] {
        let output = cloverleaf(&["report", "diff", old, new]);
        assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout).contains("2.1"), old != new);
    }
    for format in ["markdown", "html", "json"] {
        let file = folder.name(format);
        let output = cloverleaf(&[
            "report", "diff", &good, &bad, "--format", format, "--out", &file,
        ]);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
        // Markdown escapes the dot.
        let written = fs::read_to_string(&file).expect("written");
        assert!(written.replace('\\', "").contains("2.1"), "{written}");
    }
}

#[test]
fn results_of_other_cases_merge_and_of_the_same_only_if_told_to() {
    let folder = Folder::new();
    let one = folder.results("one.json", "1", &[("1.1.1", "FAILED")]);
    let two = folder.results("two.json", "2", &[("1.1.1", "OK"), ("2.1", "OK")]);
    let refused = cloverleaf(&["report", "merge", &one, &two]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("1.1.1"),
        "{}",
        text(&refused.stderr)
    );
    let merged = cloverleaf(&["report", "merge", &one, &two, "--replace", "--label", "v1"]);
    let record = Record::from_json(&text(&merged.stdout)).expect("a record");
    assert_eq!(record.label.as_deref(), Some("v1"));
    assert!(record.summary().standing().is_pass());
    assert_eq!(record.summary().subjects[0].counts.total, 2);
}

#[test]
fn a_site_grows_by_a_release_and_keeps_the_reports_of_earlier_ones() {
    let folder = Folder::new();
    let site = folder.name("site");
    let one = folder.results("one.json", "2026-01-01T00:00:00Z", &[("1.1.1", "FAILED")]);
    let two = folder.results("two.json", "2026-02-01T00:00:00Z", &[("1.1.1", "OK")]);
    let publish = |release: &str| {
        let output = cloverleaf(&["report", "publish", release, "--out", &site]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    };
    publish(&format!("v1={one}"));
    let first = folder.path("site/v1/index.html");
    fs::write(&first, "the full report").expect("written");
    publish(&format!("v2={two}"));
    for file in [
        "index.html",
        "v2/index.html",
        "latest/index.html",
        "trend.html",
        ".nojekyll",
    ] {
        assert!(folder.path("site").join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_to_string(&first).expect("kept"), "the full report");
    let index = fs::read_to_string(folder.path("site/index.html")).expect("an index");
    assert!(index.contains("v1") && index.contains("v2"), "{index}");
    // An old release published again does not become the latest.
    publish(&format!("v1={one}"));
    let latest = fs::read_to_string(folder.path("site/latest/index.html")).expect("latest");
    assert!(latest.contains("../v2/index.html"), "{latest}");

    let unnamed = cloverleaf(&["report", "publish", &one, "--out", &site]);
    assert_eq!(unnamed.status.code(), Some(2), "a release needs a label");
}

#[test]
fn badges_trends_and_schemas_are_printed() {
    let folder = Folder::new();
    let one = folder.results("one.json", "1", &[("1.1.1", "OK")]);
    let two = folder.results("two.json", "2", &[("1.1.1", "FAILED")]);
    for (arguments, part) in [
        (&["badge", &one][..], "<svg"),
        (
            &["badge", &one, "--subject", "mine", "--format", "shields"],
            "schemaVersion",
        ),
        (&["badge", &one, "--label", "conformance"], "conformance"),
        (&["trend", &one, &two], "<svg"),
        (&["schema"], "$schema"),
        (&["schema", "subjects"], "$schema"),
    ] {
        let output = cloverleaf(&[&["report"], arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert!(text(&output.stdout).contains(part), "{arguments:?}");
    }
    let unknown = cloverleaf(&["report", "badge", &one, "--subject", "yours"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("mine (server)"),
        "{}",
        text(&unknown.stderr)
    );
}

#[test]
fn what_is_no_report_is_refused_with_a_reason() {
    let folder = Folder::new();
    fs::write(folder.path("x.json"), "{}").expect("written");
    fs::create_dir(folder.path("empty")).expect("created");
    for source in ["x.json", "empty", "nowhere"] {
        let source = folder.name(source);
        let output = cloverleaf(&["report", "render", &source, "--out", &folder.name("out")]);
        assert_eq!(output.status.code(), Some(2), "{source}");
        assert!(
            text(&output.stderr).contains(&source),
            "{}",
            text(&output.stderr)
        );
    }
}

#[test]
fn the_shells_and_the_manual_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = cloverleaf(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        let script = text(&output.stdout);
        for command in ["check", "fuzzingserver", "report"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
    let page = text(&cloverleaf(&["man"]).stdout);
    assert!(
        page.contains(".TH cloverleaf 1") && page.contains("check"),
        "{page}"
    );
    let folder = Folder::new();
    let output = cloverleaf(&["man", "--out", &folder.name("man1")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    for page in [
        "cloverleaf.1",
        "cloverleaf-check.1",
        "cloverleaf-report-diff.1",
    ] {
        assert!(folder.path("man1").join(page).is_file(), "{page}");
    }
}
