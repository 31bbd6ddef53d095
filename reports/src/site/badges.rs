//! The badges of a site.

use super::{File, file};
use crate::autobahn;
use crate::badge::{self, Badge};
use crate::model::{Record, Role};

/// The longest part of a file name that comes from the name of a subject, in bytes; it is ASCII.
const STEM: usize = 60;

/// Badges by the names of their files, without ending.
pub(super) struct Badges(Vec<(String, Badge)>);

/// One for each subject in each role, in the order of the record, and one for all.
pub(super) fn of(record: &Record) -> Badges {
    let mut badges: Vec<(String, Badge)> = vec![("all".to_owned(), Badge::of_record(record))];
    for (role, subject) in record.subjects() {
        let base = stem(role, &subject.name);
        let mut name = base.clone();
        let mut copy = 2;
        while badges.iter().any(|(known, _)| *known == name) {
            name = format!("{base}-{copy}");
            copy += 1;
        }
        badges.push((name, Badge::of_subject(role, subject)));
    }
    Badges(badges)
}

fn stem(role: Role, name: &str) -> String {
    let mut stem = autobahn::file_stem(name);
    stem.truncate(STEM);
    match stem.as_str() {
        "" => format!("{role}-subject"),
        stem => format!("{role}-{stem}"),
    }
}

impl Badges {
    pub(super) fn files(&self) -> Vec<File> {
        let both = |(name, badge): &(String, Badge)| {
            [
                file(format!("badges/{name}.svg"), badge::svg(badge)),
                file(format!("badges/{name}.json"), badge::endpoint(badge)),
            ]
        };
        self.0.iter().flat_map(both).collect()
    }

    /// The names of the files, without ending.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}
