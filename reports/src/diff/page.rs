//! A diff as a page.

use serde::Serialize;

use super::Diff;
use super::words::{chapters, side, troubles, verdict};
use crate::layout;

#[derive(Serialize)]
struct Page {
    nav: bool,
    lead: String,
    /// `fail`, `pass` or `notes`: the colour of the lead.
    standing: &'static str,
    troubles: Vec<String>,
    chapters: Vec<Chapter>,
}

#[derive(Serialize)]
struct Chapter {
    title: String,
    kind: &'static str,
    lines: Vec<Line>,
    left_out: usize,
}

#[derive(Serialize)]
struct Line {
    who: String,
    what: String,
    cases: String,
}

/// The diff as one self-contained page, without script.
pub fn html(diff: &Diff) -> String {
    render(diff, false)
}

/// The page, with links into the site it is part of if `in_site`.
pub(crate) fn render(diff: &Diff, in_site: bool) -> String {
    let chapters = chapters(diff).into_iter().map(|chapter| Chapter {
        title: chapter.title,
        kind: chapter.kind,
        left_out: chapter.left_out,
        lines: chapter
            .lines
            .into_iter()
            .map(|line| Line {
                who: line.who,
                what: line.what.replace(" -> ", " → "),
                cases: line.cases,
            })
            .collect(),
    });
    let page = Page {
        nav: in_site,
        lead: verdict(diff),
        standing: match (diff.has_regressions(), diff.is_empty()) {
            (true, _) => "fail",
            (false, true) => "pass",
            (false, false) => "notes",
        },
        troubles: troubles(diff),
        chapters: chapters.collect(),
    };
    let title = format!("{} → {}", side(&diff.old), side(&diff.new));
    layout::render(&title, include_str!("../../assets/diff.html"), page)
}
