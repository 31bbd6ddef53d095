//! The cases of the Autobahn suite: their ids, how long each may take, and what each costs.
//!
//! The list is kept here, and not asked of the installed suite, so that a suite which
//! loses cases (a crash, an unreachable subject) is noticed.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use cloverleaf_judge::cases;
use cloverleaf_reports::CaseId;

use crate::subject::Subject;

/// How many cases the suite has.
pub const CASE_COUNT: usize = 517;

/// For each group: its number, whether its ids have three parts, and how many cases each
/// section has (0: there is no such section).
const GROUPS: [(u8, bool, &[u8]); 11] = [
    (1, true, &[8, 8]),
    (2, false, &[11]),
    (3, false, &[7]),
    (4, true, &[5, 5]),
    (5, false, &[20]),
    (
        6,
        true,
        &[
            3, 4, 2, 4, 5, 11, 4, 2, 4, 3, 5, 8, 5, 10, 1, 3, 5, 5, 5, 7, 8, 34, 7,
        ],
    ),
    (7, true, &[6, 0, 6, 0, 1, 0, 13, 0, 9, 0, 0, 0, 2]),
    (9, true, &[6, 6, 9, 9, 6, 6, 6, 6]),
    (10, true, &[1]),
    (12, true, &[18; 5]),
    (13, true, &[18; 7]),
];

/// Every case of the suite, in the order of the ids.
pub fn all() -> impl Iterator<Item = CaseId> {
    GROUPS.iter().flat_map(|&(group, deep, sections)| {
        (1..)
            .zip(sections)
            .flat_map(move |(section, &count): (usize, _)| {
                (1..=count).map(move |item| {
                    let id = if deep {
                        format!("{group}.{section}.{item}")
                    } else {
                        format!("{group}.{item}")
                    };
                    id.parse().expect("numbers and dots are a valid id")
                })
            })
    })
}

/// The titles of the groups and sections that these cases are in.
pub fn sections<'a>(ids: impl IntoIterator<Item = &'a CaseId>) -> BTreeMap<String, String> {
    ids.into_iter()
        .flat_map(|id| {
            let dots = id.as_str().match_indices('.').map(|(at, _)| at);
            dots.map(|at| &id.as_str()[..at])
        })
        .filter_map(|prefix| Some((prefix.to_owned(), cases::section_title(prefix)?.to_owned())))
        .collect()
}

/// Every case of the native suite: Autobahn's, then those that Autobahn does not have.
pub fn known() -> &'static [CaseId] {
    static KNOWN: LazyLock<Vec<CaseId>> =
        LazyLock::new(|| cases::all().into_iter().map(|case| case.id).collect());
    &KNOWN
}

/// Those of the cases that can judge this subject.
pub fn for_subject(ids: &[CaseId], subject: &Subject) -> Vec<CaseId> {
    let other: Vec<_> = cases::all()
        .into_iter()
        .filter(|case| !subject.is_for(case))
        .map(|case| case.id)
        .collect();
    ids.iter()
        .filter(|id| !other.contains(id))
        .cloned()
        .collect()
}

/// Whether this is one of the permessage-deflate cases, groups 12 and 13.
pub fn is_deflate(case: &CaseId) -> bool {
    matches!(case.group(), "12" | "13")
}

/// How long the suite lets a case run before it ends it itself.
///
/// A judge that shows no sign of life for much longer than this has hung.
pub fn time_limit(case: &CaseId) -> Duration {
    let seconds = match (case.group(), case.parts().nth(1)) {
        ("12" | "13", _) => match deflate_message_size(case) {
            Some(16 | 64) => 60,
            Some(256) => 120,
            Some(1024) => 240,
            _ => 480,
        },
        ("9", Some("5" | "6")) => 1000,
        ("9", _) => 100,
        _ => 20,
    };
    Duration::from_secs(seconds)
}

/// Roughly how many milliseconds a case takes on one of two busy cores, for dividing the work
/// evenly.
pub fn weight(case: &CaseId) -> u64 {
    if let Some(size) = deflate_message_size(case) {
        return 800 + size / 10;
    }
    match (case.group(), case.parts().nth(1)) {
        ("9", _) => 500,
        ("6", Some("4")) => 1000, // pauses
        ("5", _) => 100,          // two of them have pauses
        _ => 20,
    }
}

/// The size in bytes of the messages of a case of group 12 or 13.
fn deflate_message_size(case: &CaseId) -> Option<u64> {
    const SIZES: [u64; 18] = [
        16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131_072, // one frame each
        8192, 16384, 32768, 65536, 131_072, // in fragments of 256 bytes
        131_072, 131_072, 131_072, // in larger fragments
    ];
    if !is_deflate(case) {
        return None;
    }
    let item: usize = case.parts().nth(2)?.parse().ok()?;
    SIZES.get(item.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_suite_has_517_cases_and_each_group_its_own_number() {
        let mut groups = BTreeMap::new();
        for case in all() {
            *groups
                .entry(case.group().parse::<u8>().expect("a number"))
                .or_insert(0) += 1;
        }
        let expected = [
            (1, 16),
            (2, 11),
            (3, 7),
            (4, 10),
            (5, 20),
            (6, 145),
            (7, 37),
            (9, 54),
            (10, 1),
            (12, 90),
            (13, 126),
        ];
        assert_eq!(groups.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(all().count(), CASE_COUNT);
    }

    #[test]
    fn ids_come_in_numeric_order_and_only_once() {
        let ids: Vec<_> = all().collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        for id in [
            "1.1.1", "2.11", "5.20", "6.22.34", "7.13.2", "10.1.1", "13.7.18",
        ] {
            assert!(ids.iter().any(|case| case.as_str() == id), "{id}");
        }
        for id in ["2.1.1", "7.2.1", "2.12", "8.1.1", "9.9.1"] {
            assert!(!ids.iter().any(|case| case.as_str() == id), "{id}");
        }
    }

    #[test]
    fn only_the_deflate_groups_have_a_message_size() {
        for (id, size) in [
            ("12.1.1", Some(16)),
            ("13.7.10", Some(131_072)),
            ("12.5.11", Some(8192)),
            ("13.1.18", Some(131_072)),
            ("9.1.1", None),
            ("2.10", None),
        ] {
            assert_eq!(
                deflate_message_size(&id.parse().expect("an id")),
                size,
                "{id}"
            );
        }
    }

    #[test]
    fn the_longest_cases_may_take_longest() {
        for (id, seconds) in [
            ("9.5.1", 1000),
            ("9.1.6", 100),
            ("12.1.1", 60),
            ("13.2.4", 240),
            ("12.5.18", 480),
            ("1.1.1", 20),
        ] {
            assert_eq!(
                time_limit(&id.parse().expect("an id")).as_secs(),
                seconds,
                "{id}"
            );
        }
    }
}
