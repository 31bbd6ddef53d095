//! The matrix: a row for each case, a column for each subject, both verdicts in each cell.

use super::anchor;
use super::badge::{self, Badge};
use super::column::{Column, is_accepted};
use super::markup::Markup;
use super::plan::Plan;
use super::result::ResultView;
use super::suite::{self, Group, Row};
use super::visible::name;
use crate::model::{Counts, Verdict};

/// With more columns than this, cells hold symbols instead of words.
pub(super) const WORDS: usize = 4;

/// With more columns than this, names stand upright.
const LEVEL: usize = 10;

/// The matrix of at least one group. `plan` says which results have an address in the page.
pub(super) fn write(out: &mut Markup, columns: &[Column<'_>], groups: &[Group<'_>], plan: &Plan) {
    let many = columns.len() > WORDS;
    out.tag("<section class=\"matrix")
        .tag(if many { " many" } else { "" });
    out.tag(if columns.len() > LEVEL { " turned" } else { "" });
    out.tag("\" id=\"m:\" style=\"--n:")
        .number(columns.len() as u64);
    out.tag("\" aria-labelledby=matrix-title>\n<h2 id=matrix-title>Matrix</h2>\n");
    if many {
        write_key(out);
    }
    out.tag(
        "<div class=scroll role=region aria-label=\"Matrix of subjects and cases\" tabindex=0>\n",
    );
    out.tag("<div class=\"row head\"><span>Cases</span>");
    for column in columns {
        out.tag("<span><b>")
            .text(&name(&column.subject.name))
            .tag("</b>");
        out.tag(" <small>as ")
            .tag(column.role.as_str())
            .tag("</small></span>");
    }
    out.tag("</div>\n");
    let mut first_row = 0;
    for group in groups {
        write_group(out, columns, group, groups.len() == 1, plan, first_row);
        first_row += group.rows.len();
    }
    out.tag("</div>\n</section>\n");
}

/// What the symbols of a matrix without words mean.
fn write_key(out: &mut Markup) {
    out.tag("<p class=key>Two symbols in each cell: how the subject <b>behaved</b>, and how the connection <b>ended</b>. ");
    out.tag("✓ as the standard asks · i left open · ≈ could be stricter, or cleaned up by the client · ○ not implemented · ✗ against the standard · ! not judged · ? not run · <b>*</b> accepted, with a reason.</p>\n");
}

fn write_group(
    out: &mut Markup,
    columns: &[Column<'_>],
    group: &Group<'_>,
    open: bool,
    plan: &Plan,
    first_row: usize,
) {
    out.tag("<details class=group data-g=\"").text(group.key);
    out.tag(if open { "\" open>" } else { "\">" });
    out.tag("<summary class=row><span class=name><b>")
        .text(group.key)
        .tag("</b> ");
    out.text(group.title).tag(" <small>");
    out.count(group.rows.len(), " case")
        .tag("</small></span>\n");
    for position in 0..columns.len() {
        let results = group
            .rows
            .iter()
            .filter_map(|row| Some(row.results[position]?.result));
        let counts = Counts::of(results.clone());
        if columns.len() > WORDS {
            write_narrow_sum(out, &counts);
        } else {
            write_wide_sum(out, &counts);
        }
    }
    out.tag("</summary>\n<table><col class=first>");
    for _ in columns {
        out.tag("<col>");
    }
    out.tag("<thead><tr><th scope=col><span class=unseen>Case</span>");
    for column in columns {
        out.tag("<th scope=col><span class=unseen>")
            .text(&name(&column.subject.name));
        out.tag(" as ").tag(column.role.as_str()).tag("</span>");
    }
    out.tag("<tbody>\n");
    for (number, row) in group.rows.iter().enumerate() {
        if let Some((key, title)) = row.section {
            out.tag("<tr class=sec><th scope=colgroup colspan=")
                .number(columns.len() as u64 + 1);
            out.tag("><span><b>")
                .text(key)
                .tag("</b> ")
                .text(&name(title))
                .tag("</span>\n");
        }
        write_row(out, row, columns.len() > WORDS, plan, first_row + number);
    }
    out.tag("</table></details>\n");
}

/// A bar and each count in words.
fn write_wide_sum(out: &mut Markup, counts: &Counts) {
    out.tag("<span class=cell>");
    if counts.total == 0 {
        out.tag("<small>not run</small></span>\n");
        return;
    }
    badge::bar(out, counts);
    for (verdict, count) in counts.occurring() {
        out.tag("<span class=n>").number(count as u64).tag(" ");
        Badge::of_verdict(&verdict).write(out);
        out.tag("</span> ");
    }
    if counts.close_problems > 0 {
        out.tag("<span class=n>")
            .number(counts.close_problems as u64);
        out.tag(" <em class=failed><i>✗</i> CLOSE</em></span>");
    }
    out.tag("</span>\n");
}

/// The worst symbol with its count; all counts for those who hover or listen.
fn write_narrow_sum(out: &mut Markup, counts: &Counts) {
    let Some((worst, count)) = counts.occurring().pop() else {
        out.tag(
            "<span class=cell><span class=none>·</span><span class=unseen>not run</span></span>\n",
        );
        return;
    };
    let badge = Badge::of_verdict(&worst);
    let quiet = worst.standing().is_pass() && counts.close_problems == 0;
    let (class, symbol) = match worst.standing().is_pass() && counts.close_problems > 0 {
        true => ("unclean", "✗"),
        false if quiet => ("ok", "✓"),
        false => (badge.class, badge.symbol),
    };
    let shown = if worst.standing().is_pass() {
        counts.close_problems
    } else {
        count
    };
    out.tag("<span class=cell title=\"");
    write_counts(out, counts);
    out.tag("\"><span class=\"sum ")
        .tag(class)
        .tag("\" aria-hidden=true><i>")
        .tag(symbol)
        .tag("</i>");
    if shown > 0 {
        out.number(shown as u64);
    }
    out.tag("</span><span class=unseen>");
    write_counts(out, counts);
    out.tag("</span></span>\n");
}

fn write_counts(out: &mut Markup, counts: &Counts) {
    for (position, (verdict, count)) in counts.occurring().into_iter().enumerate() {
        out.tag(if position > 0 { ", " } else { "" })
            .number(count as u64);
        out.tag(" ").text(Badge::of_verdict(&verdict).word());
    }
    if counts.close_problems > 0 {
        out.tag(", ").count(counts.close_problems, " close problem");
    }
}

fn write_row(out: &mut Markup, row: &Row<'_>, many: bool, plan: &Plan, number: usize) {
    out.tag(if row.has_remark() {
        "<tr class=remark>"
    } else {
        "<tr>"
    });
    out.tag("<th scope=row><a href=\"#")
        .text(row.id.as_str())
        .tag("\"><b>");
    out.text(row.id.as_str())
        .tag("</b> ")
        .text(&suite::heading(row).0)
        .tag("</a>\n");
    for (position, view) in row.results.iter().enumerate() {
        match view {
            None if many => {
                out.tag("<td class=none aria-label=\"not part of the run\">·");
            }
            None => {
                out.tag("<td class=none><small>not part</small>");
            }
            Some(view) => write_cell(out, view, many, plan.is_unpacked(number, position)),
        }
    }
    out.tag("\n");
}

fn write_cell(out: &mut Markup, view: &ResultView<'_>, many: bool, unpacked: bool) {
    let result = view.result;
    let verdict = Badge::of_verdict(&result.verdict);
    let close = Badge::of_close(&result.close_verdict);
    let accepted = is_accepted(result);
    let quiet = result.standing().is_pass();
    // Only what stands in the page can be linked to without script.
    let linked = unpacked || !quiet;
    out.tag("<td class=\"").tag(verdict.class);
    if !quiet {
        out.tag(if accepted { " acc" } else { " rem" });
    }
    out.tag("\"");
    if close.class != "ok" {
        out.tag(" data-c=").tag(close.class);
    }
    if many && !linked {
        write_label(out, view);
    }
    out.tag(">");
    if linked {
        out.tag("<a href=\"#");
        anchor::write_result(out, &result.id, &view.column.anchor);
        out.tag("\"");
        if many {
            write_label(out, view);
        }
        out.tag(">");
    }
    if many {
        out.tag(verdict.symbol);
        if !result.is_missing() {
            out.tag(close.symbol);
        }
        out.tag(if accepted { "*" } else { "" });
    } else {
        verdict.write(out);
        out.tag(if accepted {
            " <b class=star title=accepted>*</b>"
        } else {
            ""
        });
    }
    out.tag(if linked { "</a>" } else { "" });
    if !many && !result.is_missing() {
        out.tag(" <small>");
        badge::close(out, result);
        out.tag("</small>");
    }
    out.tag("\n");
}

/// The cell in words.
fn write_label(out: &mut Markup, view: &ResultView<'_>) {
    let result = view.result;
    out.tag(" aria-label=\"")
        .text(Badge::of_verdict(&result.verdict).word());
    if result.verdict != Verdict::Missing {
        out.tag(", close ")
            .text(Badge::of_close(&result.close_verdict).word());
        if let Some(code) = result.remote_close_code {
            out.tag(" ").number(code);
        }
    }
    out.tag(if is_accepted(result) {
        ", accepted\""
    } else {
        "\""
    });
}
