//! What those who judge say while they do.

use cloverleaf_reports::{CaseId, CaseResult, CloseVerdict, Verdict};
use tokio::sync::mpsc::UnboundedSender;

use crate::subject::Subject;

/// News of one of the subjects.
#[derive(Debug)]
pub(super) enum News {
    /// A case was judged, and this is the result.
    Result(usize, Box<CaseResult>),
    /// A case was judged; the result is in a file.
    Verdict(usize, CaseId, Verdict, CloseVerdict),
    /// Something that readers of the report must know, though nothing is missing.
    Remark(String),
    /// Something broke.
    Trouble(String),
}

/// Says what happens to one subject.
#[derive(Clone, Debug)]
pub(super) struct Reporter {
    at: usize,
    subject: String,
    news: UnboundedSender<News>,
}

impl Reporter {
    /// For the subject at this place of the list.
    pub(super) fn new(at: usize, subject: &Subject, news: UnboundedSender<News>) -> Self {
        Self {
            at,
            subject: subject.to_string(),
            news,
        }
    }

    pub(super) fn result(&self, result: Box<CaseResult>) {
        self.say(News::Result(self.at, result));
    }

    pub(super) fn verdict(&self, case: CaseId, verdict: Verdict, close_verdict: CloseVerdict) {
        self.say(News::Verdict(self.at, case, verdict, close_verdict));
    }

    pub(super) fn remark(&self, what: &str) {
        self.say(News::Remark(format!("{}: {what}", self.subject)));
    }

    pub(super) fn trouble(&self, what: &str) {
        self.say(News::Trouble(format!("{}: {what}", self.subject)));
    }

    fn say(&self, news: News) {
        // The receiver is gone only when the run is being given up.
        let _ = self.news.send(news);
    }
}
