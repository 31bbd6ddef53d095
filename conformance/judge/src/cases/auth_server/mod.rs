//! auth.1: servers that want credentials before they open a connection.
//!
//! Ids are given in the order of the tables: a new case goes to the end of its table.

mod basic;
mod challenges;
mod digest;
mod nonces;
mod token;

use crate::case::{Case, Guarded};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("auth", "Authentication"),
    ("auth.1", "Servers that want credentials"),
    ("auth.1.1", "The challenge"),
    ("auth.1.2", "Basic"),
    ("auth.1.3", "Digest: algorithms and responses"),
    ("auth.1.4", "Digest: parameters"),
    ("auth.1.5", "Digest: nonces and their counts"),
    ("auth.1.6", "Bearer"),
];

pub(super) fn cases() -> Vec<Case> {
    let themes = [
        challenges::cases(),
        basic::cases(),
        digest::algorithms(),
        digest::parameters(),
        nonces::cases(),
        token::cases(),
    ];
    let mut all = Vec::new();
    for (theme, cases) in (1..).zip(themes) {
        for (number, mut case) in (1..).zip(cases) {
            let id = format!("auth.1.{theme}.{number}");
            case.id = id.parse().expect("an id in a table of cases");
            all.push(case);
        }
    }
    all
}

/// A case. Its number comes later.
fn guarded(title: &str, plan: Guarded, expectation: &str, section: &'static str) -> Case {
    Case::new("auth.1", title, plan)
        .expect(expectation)
        .section(section)
        .for_servers()
}
