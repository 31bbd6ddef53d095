//! Markdown, for the summary of a step in GitHub Actions or a comment.
//!
//! GitHub takes at most 1 MiB for a step: what does not fit is counted and left out. All text of
//! the record is escaped: it starts no table cell, no code, no HTML, no link and no mention.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::model::{CaseId, Counts, Record, Role, Standing, Subject};
use crate::outcome::{duration, words};
use crate::pattern::{first_of, patterns};
use crate::printable::{clipped, name};

/// GitHub's limit for the summary of a step, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// Kept free for the line that says what was left out, in bytes.
const RESERVE: usize = 200;

/// How many ids or patterns a line lists.
const IDS: usize = 40;

/// The longest title, note or reason, in characters.
const TEXT: usize = 500;

/// Renders a record: what makes it incomplete, the counts of each subject, what is not as
/// expected, and folded below each subject the accepted deviations with their reasons.
///
/// At most [`LIMIT`] bytes.
pub fn render(record: &Record) -> String {
    let mut page = Page::default();
    page.add(format!("## {}\n\n", escape(&clipped(&record.title, TEXT))));
    for trouble in &record.troubles {
        let trouble = escape(&clipped(trouble, TEXT));
        page.add(format!("**The run is incomplete:** {trouble}\n\n"));
    }
    page.add(facts(record));
    if record.subjects().next().is_none() {
        page.add("**Nothing was run.**\n".to_owned());
        return page.text();
    }
    table(record, &mut page);
    for (role, subject) in record.subjects() {
        if let Some(section) = remarks(record, role, subject) {
            page.add(section);
        }
    }
    page.text()
}

/// Text up to the limit; from the first piece that does not fit on, nothing is added.
#[derive(Default)]
struct Page {
    out: String,
    left_out: usize,
}

impl Page {
    fn add(&mut self, piece: String) {
        if self.left_out > 0 || self.out.len() + piece.len() > LIMIT - RESERVE {
            self.left_out += piece.len();
        } else {
            self.out += &piece;
        }
    }

    fn text(mut self) -> String {
        if self.left_out > 0 {
            self.out += &format!(
                "\n**{} more bytes are left out, because GitHub takes 1 MiB: the HTML report has \
                 all of it.**\n",
                self.left_out
            );
        }
        self.out
    }
}

fn facts(record: &Record) -> String {
    let suite = record.suite.as_ref().map(ToString::to_string);
    let tool = record.tool.as_ref().map(ToString::to_string);
    let facts: Vec<String> = [
        record.label.clone(),
        suite,
        tool,
        record.started.clone(),
        record.host.clone(),
    ]
    .into_iter()
    .flatten()
    .map(|fact| escape(&clipped(&fact, TEXT)))
    .collect();
    let mut out = String::new();
    if !facts.is_empty() {
        out += &format!("{}\n\n", facts.join(" · "));
    }
    for note in &record.notes {
        out += &format!("- {}\n", escape(&clipped(note, TEXT)));
    }
    if !record.notes.is_empty() {
        out.push('\n');
    }
    out
}

fn table(record: &Record, page: &mut Page) {
    page.add(
        "| subject | role | result | cases | OK | INFO | NON-STRICT | UNIMPL | FAILED | ERROR | \
         MISSING | close | not as expected | time |\n\
         | --- | --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n"
            .to_owned(),
    );
    for (role, subject) in record.subjects() {
        let counts = Counts::of(subject.results.values());
        let time = subject
            .results
            .values()
            .fold(0_u64, |sum, result| sum.saturating_add(result.duration_ms));
        let standing = match subject.standing() {
            Standing::Pass => "✅ pass",
            Standing::Notes => "🟡 notes",
            Standing::Fail => "❌ fail",
        };
        let numbers = [
            counts.total,
            counts.ok,
            counts.informational,
            counts.non_strict,
            counts.unimplemented,
            counts.failed,
            counts.error + counts.other,
            counts.missing,
            counts.close_problems,
            subject.unexpected().count(),
        ]
        .map(|number| match number {
            0 => "·".to_owned(),
            number => number.to_string(),
        });
        let version = subject
            .version
            .as_ref()
            .map(|version| format!(" {}", clipped(version, TEXT)))
            .unwrap_or_default();
        page.add(format!(
            "| {}{} | {role} | {standing} | {} | {} |\n",
            escape(&name(&subject.name)),
            escape(&version),
            numbers.join(" | "),
            duration(time)
        ));
    }
}

/// What is to remark of a subject: one piece, so that a folded part is never cut open.
fn remarks(record: &Record, role: Role, subject: &Subject) -> Option<String> {
    let all: Vec<&CaseId> = subject.results.keys().collect();
    let mut unexpected: BTreeMap<_, Vec<&CaseId>> = BTreeMap::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for result in subject.results.values() {
        if result.standing().is_pass() || result.accepted.is_some() {
            continue;
        }
        // Worst first, then by section in the order of the cases.
        let group = result.id.group();
        let next = places.len();
        let key = (
            Reverse(result.standing()),
            *places.entry(group).or_insert(next),
            group,
            &result.verdict,
            &result.close_verdict,
        );
        unexpected.entry(key).or_default().push(&result.id);
    }
    let mut accepted: BTreeMap<_, Vec<&CaseId>> = BTreeMap::new();
    for result in subject.results.values() {
        let Some(reason) = &result.accepted else {
            continue;
        };
        if !result.standing().is_pass() {
            let key = (reason, &result.verdict, &result.close_verdict);
            accepted.entry(key).or_default().push(&result.id);
        }
    }
    if unexpected.is_empty() && accepted.is_empty() && !subject.results.is_empty() {
        return None;
    }

    let mut out = format!("\n### {} ({role})\n\n", escape(&name(&subject.name)));
    if subject.results.is_empty() {
        out += "**No case was run.**\n";
    }
    for ((_, _, section, verdict, close), ids) in &unexpected {
        let title = record
            .section_title(section)
            .map(|title| format!(" {}", escape(&clipped(title, TEXT))))
            .unwrap_or_default();
        out += &format!(
            "- **{}**{title}: {}: {}\n",
            escape(section),
            escape(&words(verdict, close)),
            listed(ids, &all)
        );
    }
    if !accepted.is_empty() {
        let count: usize = accepted.values().map(Vec::len).sum();
        out += &format!("\n<details><summary>{count} accepted</summary>\n\n");
        for ((reason, verdict, close), ids) in &accepted {
            out += &format!(
                "- {}: {}: {}\n",
                escape(&words(verdict, close)),
                listed(ids, &all),
                escape(&clipped(reason, TEXT))
            );
        }
        out += "\n</details>\n";
    }
    Some(out)
}

/// Ids hold letters, digits, dots, `-` and `_`: safe as code.
fn listed(ids: &[&CaseId], all: &[&CaseId]) -> String {
    let words: Vec<String> = patterns(ids, all)
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    first_of(&words, IDS)
}

/// Text that Markdown, and GitHub's own links, leave as it is. The text has no line ends.
pub(crate) fn escape(text: &str) -> String {
    // A space of no width keeps a mention, a number of an issue and an address from being linked,
    // also where they are found after Markdown became HTML.
    const BREAK: &str = "&#8203;";
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            // Where a list could begin.
            '-' | '+' if out.is_empty() => {
                out.push('\\');
                out.push(c);
            }
            '@' => {
                out.push('@');
                out += BREAK;
            }
            '#' => {
                out += "\\#";
                out += BREAK;
            }
            ':' if rest.starts_with('/') => {
                out.push(':');
                out += BREAK;
            }
            '.' if ends_with_www(&out) => {
                out += BREAK;
                out.push('.');
            }
            // `1. ` at the start of a line would be a list.
            '.' if out.bytes().all(|byte| byte.is_ascii_digit()) => out += "\\.",
            _ => out.push(c),
        }
    }
    out
}

fn ends_with_www(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b"www")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_stays_text() {
        for (text, escaped) in [
            ("a | b", "a \\| b"),
            ("`x` **y** <b>", "\\`x\\` \\*\\*y\\*\\* &lt;b&gt;"),
            ("@octocat #1", "@&#8203;octocat \\#&#8203;1"),
            ("[a](b)", "\\[a\\](b)"),
            ("- a-b", "\\- a-b"),
            ("https://x.y", "https:&#8203;//x.y"),
            ("WWW.x.y", "WWW&#8203;.x.y"),
            ("1. x 2.3", "1\\. x 2.3"),
            ("&amp;", "&amp;amp;"),
        ] {
            assert_eq!(escape(text), escaped);
        }
    }
}
