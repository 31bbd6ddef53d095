//! The page, from its head to its foot.

use super::badge::Badge;
use super::column::Column;
use super::markup::Markup;
use super::plan::Plan;
use super::stamp::Stamp;
use super::suite::{self, Group, Row};
use super::visible::name;
use super::{cases, matrix, problem, profile, summary};
use crate::model::{CloseVerdict, Counts, Record, Verdict};

const STYLE: &str = concat!(
    include_str!("../../assets/colours.css"),
    include_str!("../../assets/page.css"),
    include_str!("../../assets/matrix.css"),
    include_str!("../../assets/case.css"),
    include_str!("../../assets/print.css"),
);
const SCRIPT: &str = include_str!("../../assets/page.js");
/// What stands before the title, between title and style, and so on.
const HEAD: &str = include_str!("../../assets/head.html");
const LEAF: &str = include_str!("../../assets/leaf.html");
const FOOT: &str = include_str!("../../assets/foot.html");

/// The longest title shown, in characters.
const TITLE: usize = 300;

pub(super) fn write(out: &mut Markup, record: &Record) {
    let columns = Column::all(record);
    let groups = suite::groups(record, &columns);
    let rows: Vec<&Row<'_>> = groups.iter().flat_map(|group| &group.rows).collect();
    let plan = Plan::of(&rows);
    let stamp = Stamp::of(record);

    out.tag(HEAD).tag("<title>").tag(stamp.word).tag(" · ");
    out.start_of(&record.title, TITLE)
        .tag("</title>\n<style>\n")
        .tag(STYLE);
    out.tag("</style>\n</head>\n<body>\n<a class=skip href=\"#");
    out.tag(if groups.is_empty() { "result" } else { "m:" });
    out.tag(if groups.is_empty() {
        "\">Skip to the result"
    } else {
        "\">Skip to the matrix"
    });
    out.tag("</a>\n<header class=top>\n<div class=mark>\n")
        .tag(LEAF);
    out.tag("<div>\n<p class=over>WebSocket conformance</p>\n<h1>");
    out.start_of(&record.title, TITLE)
        .tag("</h1>\n</div>\n</div>\n");
    write_facts(out, record);
    out.tag("</header>\n\n<main id=result>\n");
    stamp.write(out, record);
    summary::write(out, &columns);
    problem::write(out, &columns);
    if !groups.is_empty() {
        write_filter(out, &columns, &groups);
        matrix::write(out, &columns, &groups, &plan);
        profile::write(out, &columns, &groups);
        cases::write(out, &groups, &plan);
    }
    out.tag("</main>\n\n").tag(FOOT);
    out.tag("<script>\n")
        .tag(SCRIPT)
        .tag("</script>\n</body>\n</html>\n");
}

fn write_facts(out: &mut Markup, record: &Record) {
    let suite = record
        .suite
        .as_ref()
        .map(|suite| match suite.name.as_str() {
            "native" => format!("cloverleaf’s native suite {}", suite.version),
            other => format!("{other} {}", suite.version),
        });
    let tool = record
        .tool
        .as_ref()
        .map(|tool| format!("{} {}", tool.name, tool.version));
    let facts = [
        ("Run", record.label.clone()),
        ("Judged by", suite),
        ("Started", record.started.clone()),
        ("Host", record.host.clone()),
        ("Recorded by", tool),
    ];
    if facts.iter().all(|(_, value)| value.is_none()) {
        return;
    }
    out.tag("<dl class=facts>\n");
    for (label, value) in facts {
        if let Some(value) = value {
            out.tag("<div><dt>").tag(label).tag("</dt><dd>");
            out.text(&name(value.trim())).tag("</dd></div>\n");
        }
    }
    out.tag("</dl>\n");
}

/// The filter, which the script shows.
fn write_filter(out: &mut Markup, columns: &[Column<'_>], groups: &[Group<'_>]) {
    out.tag("<form class=filter hidden role=search aria-label=\"Filter cases\">\n");
    out.tag("<label class=find><span>Find</span> <input type=search name=q placeholder=\"case, word or close code\" autocomplete=off spellcheck=false></label>\n");
    out.tag("<label><span>Verdict</span> <select name=v><option value=\"\">any<optgroup label=Behaviour>");
    let all = || {
        columns
            .iter()
            .flat_map(|column| column.subject.results.values())
    };
    for (verdict, _) in Counts::of(all()).occurring() {
        write_verdict(out, "v:", &Badge::of_verdict(&verdict));
    }
    out.tag("<optgroup label=\"End of the connection\">");
    for close in [
        CloseVerdict::Ok,
        CloseVerdict::Informational,
        CloseVerdict::FailedByClient,
        CloseVerdict::Failed,
        CloseVerdict::Unclean,
        CloseVerdict::WrongCode,
    ] {
        if all().any(|result| result.close_verdict == close && result.verdict != Verdict::Missing) {
            write_verdict(out, "c:", &Badge::of_close(&close));
        }
    }
    out.tag("</select></label>\n");
    if groups.len() > 1 {
        out.tag("<label><span>Group</span> <select name=g><option value=\"\">all");
        for group in groups {
            out.tag("<option value=\"")
                .text(group.key)
                .tag("\">")
                .text(group.key);
            out.tag(" ").text(&name(group.title));
        }
        out.tag("</select></label>\n");
    }
    if columns.len() > 1 {
        out.tag("<label><span>Subject</span> <select name=s><option value=\"\">all");
        for (position, column) in columns.iter().enumerate() {
            out.tag("<option value=").number(position as u64).tag(">");
            out.text(&name(&column.subject.name))
                .tag(" as ")
                .tag(column.role.as_str());
        }
        out.tag("</select></label>\n");
    }
    out.tag("<label><span>Only</span> <select name=o><option value=\"\">everything<option value=remark>with remarks<option value=unexpected>unexpected</select></label>\n");
    out.tag("<span class=buttons><button type=button name=open>Unfold</button> <button type=button name=shut>Fold</button></span>\n");
    out.tag("<output name=n></output>\n</form>\n\n");
}

fn write_verdict(out: &mut Markup, kind: &'static str, badge: &Badge) {
    out.tag("<option value=\"")
        .tag(kind)
        .tag(badge.class)
        .tag("\">");
    out.tag(badge.symbol).tag(" ").text(badge.word());
}
