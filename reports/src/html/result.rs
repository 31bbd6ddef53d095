//! One case of one subject: the block that unfolds.

use super::badge::{self, Badge};
use super::column::{Column, is_accepted};
use super::markup::Markup;
use super::visible::name;
use super::wire::WireLog;
use super::{anchor, ending, event, handshake, timing, traffic};
use crate::autobahn::case_file_name;
use crate::model::{CaseResult, Detail};

/// Lines of a wire log that are shown of a result with nothing to remark, and of any other.
const QUIET_LINES: usize = 12;
const LOUD_LINES: usize = 160;
/// The longest sentence shown, in characters.
const SENTENCE: usize = 400;

/// One case of one subject.
#[derive(Clone, Copy)]
pub(super) struct ResultView<'a> {
    pub(super) column: &'a Column<'a>,
    /// The position of the column.
    pub(super) position: usize,
    pub(super) result: &'a CaseResult,
    /// How long the case took the slowest of all subjects, in milliseconds.
    pub(super) slowest_ms: u64,
}

/// How much of a result is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// All of it.
    Whole,
    /// Verdicts and sentences; the rest is packed.
    Sentences,
}

impl ResultView<'_> {
    /// The block: a line with the verdicts, and what was seen.
    pub(super) fn write(&self, out: &mut Markup, extent: Extent) {
        let result = self.result;
        let ran = !result.is_missing();
        let open = result.standing().is_fail() && ran && result.accepted.is_none();
        out.tag("<details class=result data-s=")
            .number(self.position as u64);
        out.tag(if open { " open>" } else { ">" });
        out.tag("<summary><span class=w>");
        Badge::of_verdict(&result.verdict).write(out);
        out.tag("</span> ");
        if ran {
            out.tag("<span class=end>");
            badge::close(out, result);
            out.tag("</span> ");
        }
        self.column.write_name(out);
        if is_accepted(result) {
            out.tag(" <span class=acc>accepted</span>");
        }
        if ran {
            timing::write_bar(out, result.duration_ms, self.slowest_ms);
            out.tag("<span class=n>")
                .number(result.duration_ms)
                .tag(" ms</span>");
        }
        out.tag("</summary><div class=body id=\"");
        anchor::write_result(out, &result.id, &self.column.anchor);
        out.tag("\">\n");
        self.write_sentences(out);
        match (&result.detail, extent) {
            (None, _) if ran => {
                out.tag("<p class=none>Only the verdicts were kept of this case.</p>\n");
            }
            (None, _) => {
                out.tag(
                    "<p class=said>This case was expected in the run, but has no result.</p>\n",
                );
            }
            (Some(_), Extent::Sentences) => {
                out.tag("<p class=cut>The rest is packed, and unfolds with script only. It is also in <code>");
                out.text(&self.case_file()).tag("</code>.</p>\n");
            }
            (Some(detail), Extent::Whole) => self.write_detail(out, detail),
        }
        out.tag("</div></details>\n");
    }

    fn case_file(&self) -> String {
        name(&case_file_name(&self.column.subject.name, &self.result.id))
    }

    /// What the suite said, and why it is accepted.
    fn write_sentences(&self, out: &mut Markup) {
        let detail = self.result.detail.as_ref();
        let behaviour = detail.and_then(|detail| detail.result.as_deref());
        let ending = detail
            .and_then(|detail| detail.result_close.as_deref())
            .filter(|ending| Some(*ending) != behaviour);
        if behaviour.is_some() || ending.is_some() {
            out.tag("<p class=said>")
                .start_of(behaviour.unwrap_or_default(), SENTENCE);
            if let Some(ending) = ending {
                out.tag(" <span>").start_of(ending, SENTENCE).tag("</span>");
            }
            out.tag("</p>\n");
        }
        if let Some(reason) = &self.result.accepted {
            out.tag("<p class=reason><b>Accepted</b> ");
            out.start_of(reason, SENTENCE).tag("</p>\n");
        }
    }

    fn write_detail(&self, out: &mut Markup, detail: &Detail) {
        let quiet = self.result.standing().is_pass();
        if quiet {
            out.tag("<dl class=brief><dt>Seen<dd>");
            event::write_line(out, &detail.received);
            if let Some(close) = &detail.close {
                out.tag("<dt>End<dd>");
                ending::write_line(out, close);
            }
            if traffic::is_known(detail) {
                out.tag("<dt>Traffic<dd>");
                traffic::write_line(out, detail);
            }
            out.tag("</dl>\n");
        } else {
            out.tag("<div class=panels><section><h5>Events</h5>");
            event::write_lists(out, detail);
            out.tag("</section>\n");
            if let Some(close) = &detail.close {
                ending::write_table(out, close, detail.expected_close.as_ref());
            }
            if traffic::is_known(detail) || detail.traffic.is_some() {
                traffic::write_table(out, detail);
            }
            out.tag("</div>\n");
        }
        self.write_handshake(out, detail);
        if !detail.wire_log.is_empty() {
            let limit = if quiet { QUIET_LINES } else { LOUD_LINES };
            let log = WireLog::of(&detail.wire_log, limit);
            log.write(out, !quiet, &self.case_file());
        }
        if let Some(started) = detail.started.as_deref().filter(|_| !quiet) {
            out.tag("<p class=when>Began ")
                .start_of(started, SENTENCE)
                .tag("</p>\n");
        }
    }

    /// The heads that differ from those the subject has in most cases.
    fn write_handshake(&self, out: &mut Markup, detail: &Detail) {
        let (differing, as_usual) = self.column.usual.differing(detail);
        if !differing.is_empty() {
            out.tag("<details class=more><summary>Opening handshake</summary>");
            handshake::write(out, &differing);
            out.tag("</details>\n");
        } else if as_usual {
            out.tag("<p class=usual><a href=\"#s:")
                .text(&self.column.anchor);
            out.tag("\">Opening handshake as usual</a></p>\n");
        }
    }
}
