//! A subject in one role: a column of the matrix.

use super::anchor;
use super::handshake::Usual;
use super::markup::Markup;
use super::visible::name;
use crate::model::{CaseResult, Counts, Record, Role, Standing, Subject};

/// A subject in one role, and what is said of it all over the page.
pub(super) struct Column<'a> {
    pub(super) role: Role,
    pub(super) subject: &'a Subject,
    /// What stands for it in addresses: `server:websockets`.
    pub(super) anchor: String,
    pub(super) counts: Counts,
    pub(super) standing: Standing,
    /// Results with remarks, those without a reason that accepts them, and the others.
    pub(super) unexpected: usize,
    pub(super) accepted: usize,
    /// The opening handshake that most of its cases share.
    pub(super) usual: Usual<'a>,
    /// The sum over its cases, in milliseconds.
    pub(super) duration_ms: u64,
}

impl<'a> Column<'a> {
    /// The columns of a record, in its order.
    pub(super) fn all(record: &'a Record) -> Vec<Self> {
        record
            .subjects()
            .zip(anchor::subjects(record))
            .map(|((role, subject), anchor)| Self {
                role,
                subject,
                anchor,
                counts: Counts::of(subject.results.values()),
                standing: subject.standing(),
                unexpected: subject.unexpected().count(),
                accepted: subject
                    .results
                    .values()
                    .filter(|result| is_accepted(result))
                    .count(),
                usual: Usual::of(subject.results.values()),
                duration_ms: subject
                    .results
                    .values()
                    .fold(0, |sum, result| result.duration_ms.saturating_add(sum)),
            })
            .collect()
    }

    /// Name and role.
    pub(super) fn write_name(&self, out: &mut Markup) {
        out.tag("<span class=who>").text(&name(&self.subject.name));
        out.tag(" <small>as ")
            .tag(self.role.as_str())
            .tag("</small></span>");
    }
}

/// Whether a result has something to remark that is accepted, with a reason.
pub(super) fn is_accepted(result: &CaseResult) -> bool {
    result.accepted.is_some() && !result.standing().is_pass()
}
