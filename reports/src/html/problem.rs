//! What to look at first: results with something to remark, grouped.

use serde::Serialize;

use super::anchor;
use super::badge::Badge;
use super::visible::name;
use crate::model::{CaseResult, CloseVerdict, Record, Standing, Verdict};

/// The most links shown in one group.
const LINKS: usize = 120;

/// Results of one subject that share both verdicts.
#[derive(Serialize)]
pub(super) struct ProblemGroup {
    role: &'static str,
    subject: String,
    verdict: Badge,
    close: Option<Badge>,
    links: Vec<Link>,
    count: usize,
    left_out: usize,
}

#[derive(Serialize)]
struct Link {
    anchor: String,
    case: String,
}

/// The groups, the worst first, then in the order of the record.
pub(super) fn groups(record: &Record, anchors: &[String]) -> Vec<ProblemGroup> {
    let mut groups: Vec<(Standing, ProblemGroup)> = Vec::new();
    for ((role, subject), subject_anchor) in record.subjects().zip(anchors) {
        let mut alike: Vec<((&Verdict, &CloseVerdict), Vec<&CaseResult>)> = Vec::new();
        for result in subject
            .results
            .values()
            .filter(|result| !result.standing().is_pass())
        {
            let key = (&result.verdict, &result.close_verdict);
            match alike.iter_mut().find(|(known, _)| *known == key) {
                Some((_, results)) => results.push(result),
                None => alike.push((key, vec![result])),
            }
        }
        for ((verdict, close), results) in alike {
            let close_is_fine = close.standing().is_pass() || *close == CloseVerdict::Missing;
            let links = results.iter().take(LINKS).map(|result| Link {
                anchor: anchor::result(&result.id, subject_anchor),
                case: result.id.to_string(),
            });
            groups.push((
                verdict.standing().max(close.standing()),
                ProblemGroup {
                    role: role.as_str(),
                    subject: name(&subject.name),
                    verdict: Badge::of_verdict(verdict),
                    close: (!close_is_fine).then(|| Badge::of_close(close)),
                    links: links.collect(),
                    count: results.len(),
                    left_out: results.len().saturating_sub(LINKS),
                },
            ));
        }
    }
    groups.sort_by_key(|(standing, _)| std::cmp::Reverse(*standing));
    groups.into_iter().map(|(_, group)| group).collect()
}
