//! The record of a conformance run: the contract between those who run cases and those who render.
//!
//! [`Record`] is stored as JSON with `"schema": 1`. Words follow the suite's view: *sent* is what
//! the suite sent to the subject, *received* what the suite got from it.

mod case_group;
mod case_id;
mod detail;
mod merge;
mod record;
mod subject;
mod summary;
mod verdict;
mod wire_log;

pub use case_group::group_title;
pub use case_id::{CaseId, InvalidCaseId};
pub use detail::{Close, Detail, Event, ExpectedClose, Traffic};
pub use merge::MergeError;
pub use record::{Record, RecordError, SCHEMA, Suite, Tool};
pub use subject::{CaseResult, Role, Run, Subject};
pub use summary::{Counts, Problem, SubjectSummary, Summary};
pub use verdict::{CloseVerdict, Standing, Verdict};
pub use wire_log::{Direction, TimerEvent, WireRow};
