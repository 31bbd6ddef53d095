//! The tables of cases are whole: Autobahn's ids and no others, and words for all of it.

use std::collections::BTreeSet;

use cloverleaf_conformance::catalog;
use cloverleaf_judge::cases;

#[test]
fn autobahns_cases_are_those_of_the_catalog_in_the_same_order() {
    let ours: Vec<_> = cases::autobahn().into_iter().map(|case| case.id).collect();
    for (id, case) in catalog::all().zip(&ours) {
        assert_eq!(id, *case, "the first that differs");
    }
    assert_eq!(ours.len(), catalog::CASE_COUNT);
}

// Whoever selects cases looks them up by bisection.
#[test]
fn all_cases_are_in_the_order_of_their_ids() {
    let ids: Vec<_> = cases::all().into_iter().map(|case| case.id).collect();
    for pair in ids.windows(2) {
        assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
    }
}

#[test]
fn no_id_is_there_twice() {
    let mut ids = BTreeSet::new();
    for case in cases::all() {
        assert!(ids.insert(case.id.clone()), "{} is there twice", case.id);
    }
}

#[test]
fn every_case_says_what_is_done_what_is_expected_and_where_the_rule_stands() {
    for case in cases::all() {
        for (what, words) in [
            ("title", &*case.title),
            ("expectation", &*case.expectation),
            ("section", case.section),
        ] {
            assert!(!words.trim().is_empty(), "{} has no {what}", case.id);
        }
    }
}

#[test]
fn every_group_and_section_that_has_cases_has_a_title() {
    for case in cases::all() {
        let parts: Vec<_> = case.id.parts().collect();
        for depth in 1..parts.len() {
            let prefix = parts[..depth].join(".");
            let title = cases::section_title(&prefix);
            assert!(
                title.is_some_and(|title| !title.is_empty()),
                "{prefix} has no title"
            );
        }
    }
}
