//! Many case ids in few words: `12.*` for every case of group 12.

use std::collections::{HashMap, HashSet};

use crate::model::CaseId;

/// The ids of `chosen`, where all ids of `all` below a prefix are chosen as `prefix.*`. A prefix
/// with one case only is written as that case. In the order of `all`, which holds every id of
/// `chosen`.
pub(crate) fn patterns(chosen: &[&CaseId], all: &[&CaseId]) -> Vec<String> {
    // Comparing ids is dear, so nothing is sorted here.
    let chosen: HashSet<&CaseId> = chosen.iter().copied().collect();
    let groups: HashSet<&str> = chosen.iter().map(|id| id.group()).collect();
    let concerned: Vec<&CaseId> = all
        .iter()
        .copied()
        .filter(|id| groups.contains(id.group()))
        .collect();
    let mut out = Vec::new();
    collect("", 0, &concerned, &chosen, &mut out);
    out
}

/// `ids` share their first `depth` parts, which are `prefix`.
fn collect(
    prefix: &str,
    depth: usize,
    ids: &[&CaseId],
    chosen: &HashSet<&CaseId>,
    out: &mut Vec<String>,
) {
    // Ids with the same next part need not be neighbours: `1.1`, `01.1`, `1.2`.
    let mut branches: Vec<(&str, Vec<&CaseId>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for id in ids {
        let Some(part) = id.parts().nth(depth) else {
            // The prefix is a case itself.
            if chosen.contains(id) {
                out.push(id.to_string());
            }
            continue;
        };
        let place = *places.entry(part).or_insert(branches.len());
        match branches.get_mut(place) {
            Some((_, members)) => members.push(id),
            None => branches.push((part, vec![id])),
        }
    }
    for (part, members) in branches {
        let name = match prefix {
            "" => part.to_owned(),
            _ => format!("{prefix}.{part}"),
        };
        let below = |id: &&&CaseId| id.parts().count() > depth + 1;
        let many = members.iter().filter(below).count() > 1;
        if many && members.iter().filter(below).all(|id| chosen.contains(*id)) {
            out.extend(
                members
                    .iter()
                    .filter(|id| !below(id) && chosen.contains(**id))
                    .map(ToString::to_string),
            );
            out.push(format!("{name}.*"));
        } else {
            collect(&name, depth + 1, &members, chosen, out);
        }
    }
}

/// The first `limit` words, and how many there are beyond them.
pub(crate) fn first_of(words: &[String], limit: usize) -> String {
    let shown = words[..words.len().min(limit)].join(" ");
    match words.len().checked_sub(limit) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<CaseId> {
        text.split_whitespace()
            .map(|id| id.parse().expect("an id"))
            .collect()
    }

    fn of(chosen: &str, all: &str) -> String {
        let (chosen, all) = (ids(chosen), ids(all));
        patterns(
            &chosen.iter().collect::<Vec<_>>(),
            &all.iter().collect::<Vec<_>>(),
        )
        .join(" ")
    }

    #[test]
    fn a_whole_group_is_one_word() {
        let all = "1.1 1.2 2.1.1 2.1.2 2.2.1 a.b.1 a.b.2 a.c.1 3.1";
        for (chosen, shown) in [
            ("1.1 1.2", "1.*"),
            ("1.2", "1.2"),
            ("2.1.1 2.1.2", "2.1.*"),
            ("2.1.1 2.1.2 2.2.1", "2.*"),
            ("2.1.1 2.2.1", "2.1.1 2.2.1"),
            ("3.1", "3.1"),
            ("a.b.1 a.b.2 1.1", "1.1 a.b.*"),
            ("", ""),
        ] {
            assert_eq!(of(chosen, all), shown, "{chosen}");
        }
    }

    #[test]
    fn a_pattern_names_no_case_that_was_not_chosen() {
        assert_eq!(of("1 1.1 1.2", "1 1.1 1.2"), "1 1.*");
        assert_eq!(of("1.1 1.2", "1 1.1 1.2"), "1.*");
        assert_eq!(of("1.1 1.2", "1.1 01.1 1.2"), "1.*");
    }
}
