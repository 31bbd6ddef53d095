use std::collections::BTreeSet;

use cloverleaf_reports::Record;
use cloverleaf_reports::site::{LabelError, publish};

use crate::sample::{assert_golden, hostile, sample};

fn history() -> Vec<Record> {
    let mut old = sample();
    old.label = Some("v0.1.0".into());
    old.started = Some("2026-10-01 04:27 UTC".into());
    vec![sample(), old]
}

#[test]
fn the_files_are_these_and_every_link_leads_to_one() {
    let files = publish(&history()).expect("labels");
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths.len(), files.len(), "a path given twice");
    let expected = [
        ".nojekyll",
        "ancestors.html",
        "badges/all.json",
        "badges/all.svg",
        "badges/client-alpha.json",
        "badges/client-alpha.svg",
        "badges/server-alpha.json",
        "badges/server-alpha.svg",
        "badges/server-beta.json",
        "badges/server-beta.svg",
        "diff/v0.1.0...v0.2.0.html",
        "index.html",
        "latest/index.html",
        "trend.html",
        "v0.1.0/index.html",
        "v0.1.0/results.json",
        "v0.2.0/index.html",
        "v0.2.0/results.json",
    ];
    assert_eq!(paths.into_iter().collect::<Vec<_>>(), expected);

    let own = [
        "index.html",
        "trend.html",
        "ancestors.html",
        "diff/v0.1.0...v0.2.0.html",
    ];
    let mut links = 0;
    for file in files
        .iter()
        .filter(|file| own.contains(&file.path.as_str()))
    {
        for link in file.content.split("href=\"").skip(1) {
            let link = link.split('"').next().unwrap_or_default();
            let target = match (link.strip_prefix("../"), file.path.starts_with("diff/")) {
                (Some(rest), true) => rest,
                (None, false) => link,
                _ => panic!("{link} in {}", file.path),
            };
            assert!(expected.contains(&target), "{link} in {}", file.path);
            links += 1;
        }
    }
    assert!(links > 15, "{links}");
}

#[test]
fn the_first_page_and_the_ancestors_are_written_byte_for_byte() {
    let files = publish(&history()).expect("labels");
    for (path, golden) in [
        ("index.html", "site.html"),
        ("ancestors.html", "ancestors.html"),
    ] {
        let file = files.iter().find(|file| file.path == path).expect("a page");
        assert_golden(golden, &file.content);
    }
}

#[test]
fn latest_is_the_newest_run_whatever_the_order() {
    let mut runs = history();
    for _ in 0..2 {
        let files = publish(&runs).expect("labels");
        let content = |path: &str| {
            let file = files.iter().find(|file| file.path == path);
            &file.expect("a file").content
        };
        let latest = content("latest/index.html");
        assert_eq!(
            latest.matches("../v0.2.0/index.html").count(),
            3,
            "{latest}"
        );
        let read = Record::from_json(content("v0.2.0/results.json")).expect("a record");
        assert_eq!(read, sample().without_details());
        runs.reverse();
    }
    let alone = publish(&runs[..1]).expect("a label");
    assert!(alone.iter().all(|file| file.path != "trend.html"));
}

#[test]
fn a_label_that_cannot_be_a_folder_is_refused() {
    assert_eq!(publish(&[]), Err(LabelError::NoRuns));
    let labelled = |label: Option<&str>| {
        let mut record = sample();
        record.label = label.map(Into::into);
        record
    };
    let absent = publish(&[labelled(None)]).expect_err("no label");
    assert!(absent.to_string().contains("give it one"), "{absent}");
    let long = "x".repeat(65);
    for label in [
        "",
        ".",
        "..",
        "a/b",
        "a\\b",
        "../a",
        "a b",
        "latest",
        "Diff",
        "badges",
        "index.html",
        "a..b",
        "-a",
        "a.",
        "é",
        "a\0",
        "a:b",
        "\"><script>",
        &long,
    ] {
        let error = publish(&[labelled(Some(label))]).expect_err(label);
        assert!(error.to_string().contains("letters, digits"), "{error}");
    }
    let twice = publish(&[labelled(Some("v1")), labelled(Some("V1"))]).expect_err("twice");
    assert!(matches!(twice, LabelError::Twice { .. }), "{twice}");
    for label in ["v0.1.0", "2026-11-21", "main_a+b", "1"] {
        assert!(publish(&[labelled(Some(label))]).is_ok(), "{label}");
    }
}

#[test]
fn hostile_text_stays_text() {
    let mut record = hostile();
    record.label = Some("v1".into());
    for file in publish(&[record]).expect("a label") {
        if file.path.starts_with("badges/") || file.path == "index.html" {
            assert!(!file.content.contains("<script") && !file.content.contains("<img"));
        }
        assert!(
            file.path.is_ascii() && !file.path.contains(".."),
            "{}",
            file.path
        );
    }
}
