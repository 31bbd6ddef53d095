//! The cases of all subjects, in order and in groups.

use std::collections::BTreeMap;

use super::column::Column;
use super::result::ResultView;
use super::visible::cut;
use crate::model::{CaseId, CaseResult, Record};

/// The longest heading of a case or a group, in characters.
const HEADING: usize = 140;

/// A group of cases: a row of the matrix that unfolds, a chapter below.
pub(super) struct Group<'a> {
    pub(super) key: &'a str,
    pub(super) title: &'a str,
    /// At least one.
    pub(super) rows: Vec<Row<'a>>,
}

/// A case: a row in the matrix, an article below.
pub(super) struct Row<'a> {
    pub(super) id: &'a CaseId,
    /// The title of the section it opens: that of the first two parts of its id.
    pub(super) section: Option<(&'a str, &'a str)>,
    /// One for each column; none where the case was not part of the run.
    pub(super) results: Vec<Option<ResultView<'a>>>,
}

impl<'a> Row<'a> {
    /// The results there are.
    pub(super) fn views(&self) -> impl Iterator<Item = ResultView<'a>> {
        self.results.iter().copied().flatten()
    }

    /// Whether anything is to remark in any column.
    pub(super) fn has_remark(&self) -> bool {
        self.views().any(|view| !view.result.standing().is_pass())
    }

    /// The first text of any subject's result.
    pub(super) fn first(&self, field: fn(&CaseResult) -> Option<&str>) -> &'a str {
        self.views()
            .find_map(|view| field(view.result))
            .map(str::trim)
            .unwrap_or_default()
    }
}

/// The groups of a record, in the order of their cases.
pub(super) fn groups<'a>(record: &'a Record, columns: &'a [Column<'a>]) -> Vec<Group<'a>> {
    let mut cases: BTreeMap<&CaseId, Vec<Option<&CaseResult>>> = BTreeMap::new();
    for (position, column) in columns.iter().enumerate() {
        for (id, result) in &column.subject.results {
            cases.entry(id).or_insert_with(|| vec![None; columns.len()])[position] = Some(result);
        }
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut last_section = "";
    for (id, results) in cases {
        let key = id.group();
        if groups.last().is_none_or(|group| group.key != key) {
            groups.push(Group {
                key,
                title: cut(record.section_title(key).unwrap_or_default(), HEADING).0,
                rows: Vec::new(),
            });
        }
        let section = section_of(id);
        let opens = section.filter(|section| *section != last_section);
        last_section = section.unwrap_or_default();
        let slowest_ms = results
            .iter()
            .flatten()
            .map(|result| result.duration_ms)
            .max()
            .unwrap_or_default();
        let views = results.iter().zip(columns).enumerate();
        let row = Row {
            id,
            section: opens.and_then(|key| Some((key, record.section_title(key)?))),
            results: views
                .map(|(position, (result, column))| {
                    Some(ResultView {
                        column,
                        position,
                        result: (*result)?,
                        slowest_ms,
                    })
                })
                .collect(),
        };
        if let Some(group) = groups.last_mut() {
            group.rows.push(row);
        }
    }
    groups
}

/// The first two parts of an id that has more.
fn section_of(id: &CaseId) -> Option<&str> {
    let (second_dot, _) = id.as_str().match_indices('.').nth(1)?;
    id.as_str().get(..second_dot)
}

/// The heading of a case, and what is left of its description. Autobahn's cases have no titles;
/// their first sentence serves.
pub(super) fn heading<'a>(row: &Row<'a>) -> (String, &'a str) {
    let title = row.first(|result| result.title.as_deref());
    heading_of(title, row.first(|result| result.description.as_deref()))
}

fn heading_of<'a>(title: &str, description: &'a str) -> (String, &'a str) {
    if !title.is_empty() {
        let (shown, left_out) = cut(title, HEADING);
        let more = if left_out > 0 { " …" } else { "" };
        return (format!("{shown}{more}"), description);
    }
    let line = description.lines().next().unwrap_or_default();
    let sentence = match line.find(". ") {
        Some(end) => &line[..end],
        None => line,
    };
    let (shown, left_out) = cut(sentence, HEADING);
    if left_out > 0 {
        let words = shown.rfind(' ').map_or(shown, |end| &shown[..end]);
        return (format!("{words} …"), description);
    }
    let rest = description[sentence.len()..].trim_start_matches('.').trim();
    (sentence.trim_end_matches(['.', ':']).to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_is_the_heading_and_the_rest_stays() {
        for (title, description, expected, rest) in [
            ("Title", "Text. More.", "Title", "Text. More."),
            ("", "Send a ping. Then wait.", "Send a ping", "Then wait."),
            ("", "Send a ping.", "Send a ping", ""),
            ("", "One line\nand another.", "One line", "and another."),
            ("", "", "", ""),
        ] {
            let (heading, left) = heading_of(title, description);
            assert_eq!((heading.as_str(), left), (expected, rest));
        }
        let long = "word ".repeat(40);
        let (heading, left) = heading_of("", &long);
        assert!(heading.ends_with("word …") && heading.chars().count() <= HEADING + 2);
        assert_eq!(left, long);
    }

    #[test]
    fn a_section_is_the_first_two_parts_of_three() {
        for (id, section) in [
            ("6.4.1", Some("6.4")),
            ("7.1", None),
            ("close.codes.1.2", Some("close.codes")),
        ] {
            let id: CaseId = id.parse().expect("an id");
            assert_eq!(section_of(&id), section);
        }
    }
}
