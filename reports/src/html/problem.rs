//! What to look at first: results with something to remark, grouped.

use super::anchor;
use super::badge::Badge;
use super::column::Column;
use super::markup::Markup;
use crate::model::{CaseResult, CloseVerdict, Standing, Verdict};

/// The most links shown in one group: of few subjects, and of many.
const LINKS_OF_FEW: usize = 120;
const LINKS_OF_MANY: usize = 24;
/// How many groups are shown at once.
const GROUPS: usize = 12;
/// The longest reason shown, in characters.
const REASON: usize = 400;

/// Results of one subject that share both verdicts and why they are accepted.
struct ProblemGroup<'a> {
    column: &'a Column<'a>,
    verdict: &'a Verdict,
    close: &'a CloseVerdict,
    accepted: Option<&'a str>,
    results: Vec<&'a CaseResult>,
}

impl ProblemGroup<'_> {
    fn standing(&self) -> Standing {
        self.verdict.standing().max(self.close.standing())
    }

    fn write(&self, out: &mut Markup, links: usize) {
        out.tag("<div class=problem>\n<p>");
        Badge::of_verdict(self.verdict).write(out);
        if !self.close.standing().is_pass() && *self.close != CloseVerdict::Missing {
            out.tag(" close ");
            Badge::of_close(self.close).write(out);
        }
        out.tag(" ");
        self.column.write_name(out);
        out.tag(" <span class=n>")
            .count(self.results.len(), " case")
            .tag("</span></p>\n");
        if let Some(reason) = self.accepted {
            out.tag("<p class=reason><b>Accepted</b> ")
                .start_of(reason, REASON)
                .tag("</p>\n");
        }
        out.tag("<p class=links>");
        for result in self.results.iter().take(links) {
            out.tag("<a href=\"#");
            anchor::write_result(out, &result.id, &self.column.anchor);
            out.tag("\">").text(result.id.as_str()).tag("</a> ");
        }
        if let Some(more) = self
            .results
            .len()
            .checked_sub(links)
            .filter(|more| *more > 0)
        {
            out.tag("<span>and ")
                .number(more as u64)
                .tag(" more in the matrix</span>");
        }
        out.tag("</p>\n</div>\n");
    }
}

/// The section, if there is anything to look at: what is unexpected, then what is accepted.
pub(super) fn write(out: &mut Markup, columns: &[Column<'_>]) {
    let (accepted, unexpected): (Vec<_>, Vec<_>) = groups(columns)
        .into_iter()
        .partition(|group| group.accepted.is_some());
    if accepted.is_empty() && unexpected.is_empty() {
        return;
    }
    let links = match columns.len() > super::matrix::WORDS {
        true => LINKS_OF_MANY,
        false => LINKS_OF_FEW,
    };
    out.tag("<section class=problems>\n<h2>To look at</h2>\n");
    for group in unexpected.iter().take(GROUPS) {
        group.write(out, links);
    }
    let more = unexpected.get(GROUPS..).unwrap_or_default();
    write_folded(
        out,
        more,
        " more group of cases with remarks",
        " more groups of cases with remarks",
        links,
    );
    write_folded(
        out,
        &accepted,
        " group of deviations that are accepted, with a reason",
        " groups of deviations that are accepted, with reasons",
        links,
    );
    out.tag("</section>\n");
}

fn write_folded(
    out: &mut Markup,
    groups: &[ProblemGroup<'_>],
    one: &'static str,
    several: &'static str,
    links: usize,
) {
    if groups.is_empty() {
        return;
    }
    out.tag("<details class=folded><summary>")
        .number(groups.len() as u64);
    out.tag(if groups.len() == 1 { one } else { several })
        .tag("</summary>\n");
    for group in groups {
        group.write(out, links);
    }
    out.tag("</details>\n");
}

/// The groups, the worst first, then in the order of the record.
fn groups<'a>(columns: &'a [Column<'a>]) -> Vec<ProblemGroup<'a>> {
    let mut groups: Vec<ProblemGroup<'a>> = Vec::new();
    for column in columns {
        let first = groups.len();
        let results = column.subject.results.values();
        for result in results.filter(|result| !result.standing().is_pass()) {
            let accepted = result.accepted.as_deref();
            let alike = groups[first..].iter_mut().find(|group| {
                *group.verdict == result.verdict
                    && *group.close == result.close_verdict
                    && group.accepted == accepted
            });
            match alike {
                Some(group) => group.results.push(result),
                None => groups.push(ProblemGroup {
                    column,
                    verdict: &result.verdict,
                    close: &result.close_verdict,
                    accepted,
                    results: vec![result],
                }),
            }
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.standing()));
    groups
}
