//! The subjects, each with what it amounts to: cards for few, a table for many.

use super::badge::{self, Badge};
use super::column::Column;
use super::markup::Markup;
use super::timing;
use super::visible::name;
use crate::model::Counts;

/// The most subjects that get a card each.
const CARDS: usize = 3;

pub(super) fn write(out: &mut Markup, columns: &[Column<'_>]) {
    if columns.len() <= CARDS {
        out.tag("<section class=cards aria-label=Subjects>\n");
        for column in columns {
            write_card(out, column);
        }
        out.tag("</section>\n");
    } else {
        write_table(out, columns);
    }
}

fn write_card(out: &mut Markup, column: &Column<'_>) {
    let standing = Badge::of_standing(column.standing);
    out.tag("<article class=\"card ")
        .tag(standing.class)
        .tag("\">\n<header><h2>");
    write_linked_name(out, column);
    out.tag("</h2><p class=role>as ").tag(column.role.as_str());
    if let Some(language) = &column.subject.language {
        out.tag(" · ").text(&name(language));
    }
    out.tag("</p></header>\n<p class=standing>");
    standing.write(out);
    out.tag("</p>\n");
    badge::bar(out, &column.counts);
    out.tag("\n<ul class=counts>\n");
    for (verdict, count) in column.counts.occurring() {
        out.tag("<li>");
        Badge::of_verdict(&verdict).write(out);
        out.tag(" <b>").number(count as u64).tag("</b>\n");
    }
    out.tag("</ul>\n<p class=foot>")
        .count(column.counts.total, " case")
        .tag(" in ");
    timing::write_duration(out, column.duration_ms);
    if column.counts.close_problems > 0 {
        out.tag(" · <b>")
            .number(column.counts.close_problems as u64);
        out.tag("</b> ended with another close verdict than OK");
    }
    if column.accepted > 0 {
        out.tag(" · <b>")
            .number(column.unexpected as u64)
            .tag("</b> unexpected, <b>");
        out.number(column.accepted as u64).tag("</b> accepted");
    }
    out.tag("</p>\n</article>\n");
}

/// The name, leading to more about the subject, and its version.
fn write_linked_name(out: &mut Markup, column: &Column<'_>) {
    out.tag("<a href=\"#s:").text(&column.anchor).tag("\">");
    out.text(&name(&column.subject.name)).tag("</a>");
    if let Some(version) = &column.subject.version {
        out.tag(" <small>").text(&name(version)).tag("</small>");
    }
}

fn write_table(out: &mut Markup, columns: &[Column<'_>]) {
    out.tag("<section class=subjects aria-labelledby=subjects-title>\n<h2 id=subjects-title>Subjects</h2>\n");
    out.tag("<div class=scroll role=region aria-label=\"Table of subjects\" tabindex=0><table>\n<thead><tr><th scope=col>Subject<th scope=col>Role<th scope=col>Standing<th scope=col class=wide>Verdicts");
    // Other suites have Autobahn's cases only; ours is compared with them by those.
    let beyond = columns
        .iter()
        .flat_map(|column| column.subject.results.keys())
        .any(|id| !id.is_autobahn());
    for number in [
        "Failed",
        if beyond { "of Autobahn’s" } else { "" },
        "Non-strict",
        "Unimpl.",
        "Close",
        "Unexpected",
        "Accepted",
        "Cases",
        "Time",
    ] {
        if !number.is_empty() {
            out.tag("<th scope=col class=n>").tag(number);
        }
    }
    out.tag("\n<tbody>\n");
    for column in columns {
        let counts = &column.counts;
        out.tag("<tr><th scope=row>");
        write_linked_name(out, column);
        if let Some(language) = &column.subject.language {
            out.tag(" <small class=language>")
                .text(&name(language))
                .tag("</small>");
        }
        out.tag("<td>").tag(column.role.as_str()).tag("<td>");
        Badge::of_standing(column.standing).write(out);
        out.tag("<td>");
        badge::bar(out, counts);
        // Whatever was not judged, or not run, did not pass.
        let failed = |counts: &Counts| counts.failed + counts.error + counts.missing + counts.other;
        let autobahn = Counts::of(
            column
                .subject
                .results
                .values()
                .filter(|result| beyond && result.id.is_autobahn()),
        );
        for (count, class) in [
            (failed(counts), "n failed"),
            (failed(&autobahn), if beyond { "n failed" } else { "" }),
            (counts.non_strict, "n nonstrict"),
            (counts.unimplemented, "n unimpl"),
            (counts.close_problems, "n unclean"),
            (column.unexpected, "n"),
            (column.accepted, "n"),
        ] {
            if class.is_empty() {
                continue;
            }
            if count == 0 {
                out.tag("<td class=\"n none\">0");
            } else {
                out.tag("<td class=\"")
                    .tag(class)
                    .tag("\">")
                    .number(count as u64);
            }
        }
        out.tag("<td class=n>")
            .number(counts.total as u64)
            .tag("<td class=n>");
        timing::write_duration(out, column.duration_ms);
        out.tag("\n");
    }
    out.tag("</table></div>\n</section>\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CaseResult, CloseVerdict, Record, Role, Run, Subject, Verdict};

    fn table(cases: &[&str]) -> String {
        let mut run = Run::new(Role::Server);
        for number in 0..4 {
            let mut subject = Subject::new(format!("subject {number}"));
            for case in cases {
                let id = case.parse().expect("an id");
                subject.insert(CaseResult::new(id, Verdict::Failed, CloseVerdict::Ok));
            }
            run.subjects.push(subject);
        }
        let mut record = Record::new("");
        record.runs.push(run);
        let mut out = Markup::default();
        write(&mut out, &Column::all(&record));
        out.into_string()
    }

    #[test]
    fn failures_in_autobahns_cases_have_a_column_where_there_are_others() {
        let both = table(&["1.1.1", "handshake.1", "handshake.2"]);
        assert!(both.contains("of Autobahn’s"), "{both}");
        let numbers = "<td class=\"n failed\">3<td class=\"n failed\">1<td";
        assert_eq!(both.matches(numbers).count(), 4, "{both}");

        let alone = table(&["1.1.1", "2.1"]);
        assert!(!alone.contains("of Autobahn’s"), "{alone}");
        assert!(
            alone.contains("<td class=\"n failed\">2<td class=\"n none\">0"),
            "{alone}"
        );
    }
}
