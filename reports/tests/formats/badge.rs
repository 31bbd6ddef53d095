use cloverleaf_reports::Role;
use cloverleaf_reports::badge::{Badge, endpoint, svg};

use crate::sample::{EVIL, assert_golden, assert_harmless, empty, record, sample, subject};

#[test]
fn the_message_says_the_standing() {
    for (results, message, colour) in [
        (
            &[("1.1", "OK", "OK", 1), ("1.2", "OK", "OK", 1)][..],
            "2/2",
            "brightgreen",
        ),
        (
            &[("1.1", "OK", "OK", 1), ("7.1.6", "INFORMATIONAL", "OK", 1)],
            "1 ok · 1 info",
            "brightgreen",
        ),
        (
            &[("1.1", "OK", "OK", 1), ("6.4.1", "NON-STRICT", "OK", 1)],
            "1 ok · 1 non-strict",
            "yellow",
        ),
        (
            &[("1.1", "OK", "FAILED BY CLIENT", 1)],
            "1 ok · 1 unclosed",
            "yellow",
        ),
        (
            &[("1.1", "OK", "UNCLEAN", 1), ("1.2", "FAILED", "OK", 1)],
            "2 failed",
            "red",
        ),
        (
            &[("1.1", "OK", "OK", 1), ("1.2", "MISSING", "MISSING", 1)],
            "1 missing",
            "red",
        ),
        (&[("1.1", "SPLENDID", "OK", 1)], "1 failed", "red"),
        (&[], "nothing run", "red"),
    ] {
        let badge = Badge::of_subject(Role::Server, &subject("a", results));
        assert_eq!(badge.label, "autobahn server");
        assert_eq!(badge.message, message);
        let json = endpoint(&badge);
        assert!(json.contains(&format!("\"color\": \"{colour}\"")), "{json}");
        assert!(json.contains("\"schemaVersion\": 1"), "{json}");
    }
}

#[test]
fn a_record_that_is_empty_or_incomplete_is_red() {
    for (name, record) in empty() {
        let badge = Badge::of_record(&record);
        assert!(badge.standing.is_fail(), "{name}");
        assert_eq!(badge.message, "nothing run");
    }
    assert_eq!(Badge::of_record(&sample()).message, "incomplete");
}

#[test]
fn the_picture_is_written_byte_for_byte_and_stands_alone() {
    let ok = record(Role::Server, vec![subject("a", &[("1.1", "OK", "OK", 1)])]);
    assert_golden("badge.svg", &svg(&Badge::of_record(&ok)));
    let evil = svg(&Badge::of_record(&ok).with_label(EVIL));
    assert_harmless(&evil);
    assert!(!evil.contains("<script") && !evil.contains("<img"));
    assert_eq!(
        evil.matches("http").count(),
        1 + 3,
        "the namespace, and text"
    );
    assert!(evil.contains("<title>") && evil.contains("role=\"img\""));
    assert!(svg(&Badge::of_record(&ok).with_label("x".repeat(10_000_000))).len() < 4_000);
}
