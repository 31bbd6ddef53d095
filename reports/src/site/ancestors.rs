//! Where the ancestors stand: measurements of older implementations, as a page.

use serde::{Deserialize, Serialize};

use crate::layout;

/// The measurements. They are facts about fixed versions and are not measured again.
const DATA: &str = include_str!("../../assets/ancestors.json");

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ancestors {
    method: Vec<String>,
    cases: u32,
    groups: Vec<Group>,
    rows: Vec<Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    group: String,
    cases: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    version: String,
    setup: String,
    /// How many cases were run, where not all.
    executed: Option<u32>,
    passed: u32,
    closed: u32,
    /// Passed by group, in the order of `groups`; none where that was not written down.
    by_group: Option<Vec<u32>>,
    compression: String,
    notes: String,
}

/// The page.
pub(super) fn html() -> String {
    let data: Ancestors = serde_json::from_str(DATA).expect("the data is part of the program");
    layout::render(
        "Where the ancestors stand",
        include_str!("../../assets/ancestors.html"),
        data,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_groups_of_a_row_add_up_to_its_sum() {
        let data: Ancestors = serde_json::from_str(DATA).expect("the data");
        let sum: u32 = data.groups.iter().map(|group| group.cases).sum();
        assert_eq!(sum, data.cases);
        assert_eq!(data.rows.len(), 11);
        for row in &data.rows {
            let run = row.executed.unwrap_or(data.cases);
            assert!(row.passed <= run && row.closed <= run, "{}", row.name);
            let Some(by_group) = &row.by_group else {
                continue;
            };
            assert_eq!(by_group.len(), data.groups.len(), "{}", row.name);
            for (count, group) in by_group.iter().zip(&data.groups) {
                assert!(*count <= group.cases, "{} in {}", row.name, group.group);
            }
            assert_eq!(by_group.iter().sum::<u32>(), row.passed, "{}", row.name);
        }
    }
}
