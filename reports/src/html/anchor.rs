//! Addresses inside the page.

use super::markup::Markup;
use crate::autobahn;
use crate::model::{CaseId, Record};

/// The longest part of an address that comes from a name, in bytes; it is ASCII.
const STEM: usize = 60;

/// For each subject of a record, in its order, the part of an address that stands for it:
/// `server:autobahnpython_0_10_9`. Only letters, digits, `:`, `-` and `_`; no two alike.
pub(super) fn subjects(record: &Record) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (role, subject) in record.subjects() {
        let mut stem = autobahn::file_stem(&subject.name);
        stem.truncate(STEM);
        let base = format!("{role}:{stem}");
        let mut anchor = base.clone();
        let mut copy = 2;
        while anchors.contains(&anchor) {
            anchor = format!("{base}-{copy}");
            copy += 1;
        }
        anchors.push(anchor);
    }
    anchors
}

/// Writes the address of one case of one subject: `1.1.1:server:autobahnpython_0_10_9`. A case id
/// holds no colon, so no two addresses are alike.
pub(super) fn write_result(out: &mut Markup, case: &CaseId, subject_anchor: &str) {
    out.text(case.as_str()).tag(":").text(subject_anchor);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, Run, Subject};

    #[test]
    fn subjects_with_similar_names_keep_different_addresses() {
        let mut record = Record::new("");
        for role in [Role::Server, Role::Client] {
            let mut run = Run::new(role);
            run.subjects = ["A b", "a/B", "a_b", "\"><script>"]
                .map(Subject::new)
                .to_vec();
            record.runs.push(run);
        }
        assert_eq!(
            subjects(&record),
            [
                "server:a_b",
                "server:a_b-2",
                "server:a_b-3",
                "server:script",
                "client:a_b",
                "client:a_b-2",
                "client:a_b-3",
                "client:script",
            ]
        );
    }
}
