use cloverleaf_reports::Role;
use cloverleaf_reports::markdown::{LIMIT, render};

use crate::sample::{
    assert_golden, assert_harmless, empty, hostile, huge, record, sample, subject,
};

#[test]
fn the_sample_is_written_byte_for_byte() {
    assert_golden("sample.md", &render(&sample()));
}

#[test]
fn what_did_not_run_is_said() {
    for (name, record) in empty() {
        let text = render(&record);
        assert!(
            text.contains("**Nothing was run.**") || text.contains("**No case was run.**"),
            "{name}: {text}"
        );
    }
}

#[test]
fn hostile_text_stays_text() {
    let text = render(&hostile());
    assert_harmless(&text);
    for live in ["<script", "<img", "@octocat", "https://", "#1", "\n# h1"] {
        assert!(!text.contains(live), "{live}");
    }
    for (place, _) in text.match_indices(']') {
        assert!(text[..place].ends_with('\\'), "a link could end at {place}");
    }
    // Every row of the table has the 14 cells of its head.
    let rows = text.lines().filter(|line| line.starts_with('|'));
    for row in rows {
        let bars = row.replace("\\|", "").matches('|').count();
        assert_eq!(bars, 15, "{row}");
    }
}

#[test]
fn it_never_exceeds_the_limit_and_says_what_it_left_out() {
    assert!(render(&huge()).len() < 30_000);

    let names: Vec<String> = (0..30_000).map(|number| format!("s{number}")).collect();
    let subjects = names
        .iter()
        .map(|name| subject(name, &[("1.1.1", "FAILED", "OK", 1)]));
    let text = render(&record(Role::Server, subjects.collect()));
    assert!(text.len() <= LIMIT, "{}", text.len());
    let last = text.lines().last().expect("a line");
    assert!(last.contains("more bytes are left out"), "{last}");
}
