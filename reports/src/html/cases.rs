//! The cases, one article each.

use super::badge::Badge;
use super::markup::Markup;
use super::pack::packed;
use super::plan::Plan;
use super::result::Extent;
use super::suite::{self, Group, Row};
use super::visible::name;
use crate::autobahn::case_file_name;

/// The longest description or expectation shown, in characters.
const PROSE: usize = 3000;

/// All cases of at least one group.
pub(super) fn write(out: &mut Markup, groups: &[Group<'_>], plan: &Plan) {
    out.tag("<section class=cases>\n<h2>Cases</h2>\n");
    let mut number = 0;
    for group in groups {
        out.tag("<section class=chapter data-g=\"")
            .text(group.key)
            .tag("\">\n<h3 id=\"g:");
        out.text(group.key)
            .tag("\"><b>")
            .text(group.key)
            .tag("</b> ");
        out.text(group.title).tag("</h3>\n");
        for row in &group.rows {
            write_case(out, row, plan, number);
            number += 1;
        }
        out.tag("</section>\n");
    }
    out.tag("</section>\n");
}

fn write_case(out: &mut Markup, row: &Row<'_>, plan: &Plan, number: usize) {
    let (heading, description) = suite::heading(row);
    if let Some((key, title)) = row.section {
        out.tag("<p class=section><b>")
            .text(key)
            .tag("</b> ")
            .text(&name(title))
            .tag("</p>\n");
    }
    out.tag(if row.has_remark() {
        "<article class=\"case remark\""
    } else {
        "<article class=case"
    });
    out.tag(" id=\"")
        .text(row.id.as_str())
        .tag("\" tabindex=-1>\n<h4><a href=\"#");
    out.text(row.id.as_str())
        .tag("\">")
        .text(row.id.as_str())
        .tag("</a> ");
    out.text(&heading).tag("</h4>\n");
    if !description.is_empty() {
        out.tag("<p class=prose>")
            .start_of(description, PROSE)
            .tag("</p>\n");
    }
    let expectation = row.first(|result| result.expectation.as_deref());
    if !expectation.is_empty() {
        out.tag("<p class=prose><b>Expected</b> ")
            .start_of(expectation, PROSE)
            .tag("</p>\n");
    }
    let mut chunk = Markup::default();
    let mut quiet = 0;
    for view in row.views() {
        if plan.is_unpacked(number, view.position) {
            view.write(out, Extent::Whole);
            continue;
        }
        if view.result.standing().is_pass() {
            quiet += 1;
        } else {
            view.write(out, Extent::Sentences);
        }
        view.write(&mut chunk, Extent::Whole);
    }
    if chunk.len() > 0 {
        write_packed(out, row, &chunk, quiet);
    }
    out.tag("</article>\n");
}

/// The results of a case that are packed: how many passed, and all of them for the script.
fn write_packed(out: &mut Markup, row: &Row<'_>, chunk: &Markup, quiet: usize) {
    out.tag("<details class=rest data-packed=\"")
        .text(&packed(chunk.as_str()))
        .tag("\"><summary>");
    if quiet == 0 {
        out.tag("What the wire saw");
    } else {
        Badge::write_pass(out);
        out.tag(" ").count(quiet, " subject");
    }
    let all = row.views().count();
    if quiet > 0 && quiet < all {
        out.tag(" of ").number(all as u64);
    }
    out.tag("</summary><p class=cut>Details are packed, and unfold with script only. They are also in the case files");
    if let Some(view) = row.views().next() {
        let file = case_file_name(&view.column.subject.name, row.id);
        out.tag(", such as <code>")
            .text(&name(&file))
            .tag("</code>");
    }
    out.tag(", and in the JSON record of the run.</p></details>\n");
}
