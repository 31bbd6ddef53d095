use cloverleaf_reports::Role;
use cloverleaf_reports::text::{Colour, table, table_with};

use crate::sample::{
    assert_golden, assert_harmless, empty, hostile, huge, record, sample, subject,
};

#[test]
fn the_sample_is_written_byte_for_byte() {
    assert_golden("table.txt", &table(&sample()));
}

#[test]
fn colours_change_no_word() {
    let coloured = table_with(&sample(), Colour::Always);
    let mut plain = coloured.clone();
    for code in ["\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"] {
        assert!(coloured.contains(code), "{code:?}");
        plain = plain.replace(code, "");
    }
    assert_eq!(plain, table(&sample()));
    assert_eq!(table_with(&sample(), Colour::Never), table(&sample()));
}

#[test]
fn many_subjects_have_a_line_each_and_no_tables() {
    let names: Vec<String> = (0..27).map(|number| format!("subject {number}")).collect();
    let subjects = names
        .iter()
        .map(|name| subject(name, &[("1.1", "OK", "OK", 1), ("2.1", "FAILED", "OK", 1)]));
    let text = table(&record(Role::Server, subjects.collect()));
    assert_eq!(text.lines().count(), 2 + 27 + 1 + 1 + 27);
}

#[test]
fn a_group_that_fails_as_a_whole_is_a_pattern() {
    let text = table(&sample());
    assert!(text.contains("UNIMPLEMENTED: 12.*\n"), "{text}");
    assert!(text.contains("handshake Opening handshake"), "{text}");
    assert!(
        text.contains("NON-STRICT: 6.4.2: It validates a frame"),
        "{text}"
    );
}

#[test]
fn hostile_huge_and_empty_records_are_tables() {
    assert_harmless(&table(&hostile()));
    assert!(table(&huge()).len() < 10_000);
    for (name, record) in empty() {
        let text = table(&record).to_lowercase();
        assert!(
            text.contains("nothing was run") || text.contains("no case was run"),
            "{name}"
        );
    }
}
