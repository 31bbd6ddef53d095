use cloverleaf_reports::Role;
use cloverleaf_reports::github::annotations;

use crate::sample::{
    assert_golden, assert_harmless, empty, hostile, huge, record, sample, subject,
};

#[test]
fn the_sample_is_written_byte_for_byte() {
    assert_golden("sample.github.txt", &annotations(&sample()));
}

#[test]
fn at_most_ten_of_each_kind_the_worst_first_and_the_last_counts_the_rest() {
    let many: Vec<(String, usize)> = (1..=30).map(|group| (group.to_string(), group)).collect();
    let cases: Vec<String> = many
        .iter()
        .flat_map(|(group, count)| (1..=*count).map(move |case| format!("{group}.{case}")))
        .collect();
    let results: Vec<(&str, &str, &str, u64)> = cases
        .iter()
        .map(|case| (case.as_str(), "FAILED", "OK", 1))
        .collect();
    let text = annotations(&record(Role::Server, vec![subject("alpha", &results)]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10);
    assert!(lines[0].starts_with("::error title=server alpha%3A 30::30 of 30 cases: FAILED: 30.*"));
    assert!(lines[9].contains("21 more of this kind"), "{}", lines[9]);
}

#[test]
fn a_clean_run_says_nothing() {
    let clean = record(Role::Server, vec![subject("a", &[("1.1", "OK", "OK", 1)])]);
    assert_eq!(annotations(&clean), "");
    for (name, record) in empty() {
        assert!(annotations(&record).starts_with("::error "), "{name}");
    }
}

#[test]
fn no_text_starts_a_command_of_its_own() {
    for record in [hostile(), huge()] {
        let text = annotations(&record);
        assert_harmless(&text);
        assert!(text.len() < 60_000);
        for line in text.lines() {
            let command = line.strip_prefix("::").expect("a command");
            let (kind, rest) = command.split_once(" title=").expect("a title");
            assert!(["error", "warning", "notice"].contains(&kind), "{line}");
            let (title, message) = rest.split_once("::").expect("a message");
            assert!(!title.contains([':', ',']), "{title}");
            for (place, _) in message.match_indices('%') {
                assert_eq!(&message[place..place + 3], "%25", "{message}");
            }
        }
    }
}
