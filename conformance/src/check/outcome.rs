//! What a check amounts to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use cloverleaf_reports::{CaseId, CaseResult, CloseVerdict, Record, Role, Verdict};

use super::{Event, Options};
use crate::deviation::{self, Deviation};
use crate::selection::Pattern;
use crate::subject::Subject;
use crate::suite::Suite;

/// What a check amounts to.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// Everything that was measured.
    pub record: Record,
    /// The HTML page.
    pub page: PathBuf,
    /// Results that are not as they should be, those tolerated included.
    pub findings: Vec<Finding>,
    /// Known deviations whose cases ran and were judged as they should be: the list of deviations
    /// is out of date.
    pub outdated: Vec<Outdated>,
    /// What went wrong on the way, for people.
    pub troubles: Vec<String>,
}

/// A known deviation that did not show.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Outdated {
    /// The name of the subject.
    pub subject: String,
    /// The role of the subject.
    pub role: Role,
    /// The case, or the pattern of cases.
    pub cases: String,
    /// Why it should deviate, as the list says.
    pub reason: String,
}

/// A result that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Finding {
    /// The name of the subject.
    pub subject: String,
    /// The role of the subject.
    pub role: Role,
    /// The case.
    pub case: CaseId,
    /// How the subject behaved.
    pub verdict: Verdict,
    /// How the connection ended.
    pub close_verdict: CloseVerdict,
    /// What this means for the check.
    pub reason: Reason,
}

/// What a result that is not as it should be means for the check.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Reason {
    /// The check fails.
    Failed,
    /// The case was to run and has no result: the check is incomplete.
    Missing,
    /// The caller allowed it.
    Allowed,
    /// A defect of the suite, for the reason given.
    SuiteDefect(String),
    /// A known deviation of the subject, for the reason given.
    Deviation(String),
}

/// What is known beforehand: the cases that may have any verdict, and the known deviations.
#[derive(Debug)]
pub(super) struct Expectations<'a> {
    options: &'a Options,
    /// Of the suite, as it judges our own subjects.
    defects: &'static [Deviation],
}

impl<'a> Expectations<'a> {
    /// Of a check by this suite, or by the native one.
    pub(super) fn new(options: &'a Options, suite: Option<Suite>) -> Self {
        Self {
            options,
            defects: suite.map_or(&[], deviation::of),
        }
    }

    /// The news that a case was judged.
    pub(super) fn event(
        &self,
        subject: &Subject,
        case: &CaseId,
        verdict: &Verdict,
        close_verdict: &CloseVerdict,
    ) -> Event {
        let reason = self.reason(subject, case, verdict, close_verdict);
        Event::Judged {
            subject: subject.name.clone(),
            role: subject.role,
            case: case.clone(),
            verdict: verdict.clone(),
            close_verdict: close_verdict.clone(),
            expected: !matches!(reason, Some(Reason::Failed | Reason::Missing)),
        }
    }

    /// `None` if the result is as it should be.
    pub(super) fn reason(
        &self,
        subject: &Subject,
        case: &CaseId,
        verdict: &Verdict,
        close_verdict: &CloseVerdict,
    ) -> Option<Reason> {
        if *verdict == Verdict::Missing {
            return Some(Reason::Missing);
        }
        if verdict.standing().is_pass() && close_verdict.standing().is_pass() {
            return None;
        }
        let shows = |deviation: &&Deviation| deviation.shows(verdict, close_verdict);
        if let Some(deviation) = subject.deviations_in(case).find(shows) {
            return Some(Reason::Deviation(deviation.reason.clone()));
        }
        if let Some(deviation) = self.defects_in(subject, case).find(shows) {
            return Some(Reason::SuiteDefect(deviation.reason.clone()));
        }
        let allowed = self
            .options
            .allow
            .iter()
            .any(|pattern| pattern.matches(case));
        Some(if allowed {
            Reason::Allowed
        } else {
            Reason::Failed
        })
    }

    /// What is known of the subject and did not show: in a case that is named, or in any of the
    /// cases of a pattern.
    fn outdated(&self, subject: &Subject, results: &BTreeMap<CaseId, CaseResult>) -> Vec<Outdated> {
        let passes = |result: &CaseResult| {
            let CaseResult {
                id,
                verdict,
                close_verdict,
                ..
            } = result;
            self.reason(subject, id, verdict, close_verdict).is_none()
        };
        let is_outdated = |pattern: &Pattern| {
            let mut ran = results
                .values()
                .filter(|result| !result.is_missing() && pattern.matches(&result.id))
                .peekable();
            ran.peek().is_some() && ran.all(passes)
        };
        let defects = match subject.is_ours() {
            true => self.defects,
            false => &[],
        };
        subject
            .deviations
            .iter()
            .chain(defects)
            .filter(|deviation| deviation.role == subject.role && !deviation.sometimes)
            .flat_map(|deviation| {
                let patterns = deviation.patterns().iter();
                patterns
                    .filter(|pattern| is_outdated(pattern))
                    .map(|pattern| Outdated {
                        subject: subject.name.clone(),
                        role: subject.role,
                        cases: pattern.to_string(),
                        reason: deviation.reason.clone(),
                    })
            })
            .collect()
    }

    fn defects_in<'b>(
        &self,
        subject: &'b Subject,
        case: &'b CaseId,
    ) -> impl Iterator<Item = &'b Deviation> + use<'b> {
        let defects = match subject.is_ours() {
            true => self.defects,
            false => &[],
        };
        let role = subject.role;
        defects
            .iter()
            .filter(move |deviation| deviation.covers(role, case))
    }
}

impl Outcome {
    pub(super) fn of(record: Record, expectations: &Expectations<'_>, page: PathBuf) -> Self {
        let mut findings = Vec::new();
        let mut outdated = Vec::new();
        for subject in &expectations.options.subjects {
            let column = record
                .subjects()
                .find(|(role, column)| *role == subject.role && column.name == subject.name);
            let Some((_, column)) = column else {
                continue;
            };
            for CaseResult {
                id,
                verdict,
                close_verdict,
                ..
            } in column.results.values()
            {
                let reason = expectations.reason(subject, id, verdict, close_verdict);
                findings.extend(reason.map(|reason| Finding {
                    subject: subject.name.clone(),
                    role: subject.role,
                    case: id.clone(),
                    verdict: verdict.clone(),
                    close_verdict: close_verdict.clone(),
                    reason,
                }));
            }
            outdated.extend(expectations.outdated(subject, &column.results));
        }
        Self {
            troubles: record.troubles.clone(),
            record,
            page,
            findings,
            outdated,
        }
    }

    /// The results that mean this.
    pub fn findings_of(&self, reason: &Reason) -> impl Iterator<Item = &Finding> {
        self.findings
            .iter()
            .filter(move |finding| finding.reason == *reason)
    }

    /// Whether cases are missing or something broke on the way.
    pub fn is_incomplete(&self) -> bool {
        !self.troubles.is_empty() || self.findings_of(&Reason::Missing).next().is_some()
    }

    /// Whether everything ran and all is as expected.
    pub fn is_success(&self) -> bool {
        self.exit_code() == 0
    }

    /// The exit code of the command: 0 all as expected, 1 failures (or deviations that no
    /// longer occur), 3 incomplete, whatever else was found.
    pub fn exit_code(&self) -> u8 {
        if self.is_incomplete() {
            3
        } else if self.findings_of(&Reason::Failed).next().is_some() || !self.outdated.is_empty() {
            1
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Start;
    use cloverleaf_reports::{Run, Subject as Column};

    fn outcome(results: &[(&str, &str, &str)], allow: &[&str], known: &[Deviation]) -> Outcome {
        let mut column = Column::new("Us");
        for (id, verdict, close) in results {
            let id = id.parse().expect("an id");
            column.insert(CaseResult::new(id, (*verdict).into(), (*close).into()));
        }
        let mut run = Run::new(Role::Server);
        run.subjects.push(column);
        let mut record = Record::new("a run");
        record.add(run).expect("the first run");
        let mut subject = Subject::new("Us", Role::Server, Start::Running("ws://x".to_owned()));
        subject.deviations = known.to_vec();
        let mut options = Options::new(vec![subject], Vec::new(), "nowhere");
        options.allow = allow
            .iter()
            .map(|text| text.parse().expect("a pattern"))
            .collect();
        Outcome::of(record, &Expectations::new(&options, None), PathBuf::new())
    }

    fn deviation(case: &str, behavior: &str) -> Deviation {
        let text = format!(
            "[[deviation]]\nrole = \"server\"\ncases = [\"{case}\"]\nbehavior = \"{behavior}\"\n\
             close = [\"FAILED\"]\nreason = \"it crashes\""
        );
        Deviation::parse(&text).expect("valid").remove(0)
    }

    #[test]
    fn only_ok_and_informational_pass_in_both_verdicts() {
        for (verdict, close, code) in [
            ("OK", "OK", 0),
            ("OK", "INFORMATIONAL", 0),
            ("INFORMATIONAL", "INFORMATIONAL", 0),
            ("NON-STRICT", "OK", 1),
            ("UNIMPLEMENTED", "OK", 1),
            ("FAILED", "OK", 1),
            ("ERROR", "OK", 1),
            ("SOMETHING NEW", "OK", 1),
            ("OK", "FAILED BY CLIENT", 1),
            ("OK", "UNCLEAN", 1),
            ("OK", "WRONG CODE", 1),
            ("OK", "FAILED", 1),
        ] {
            let outcome = outcome(&[("1.1.1", verdict, close)], &[], &[]);
            assert_eq!(outcome.exit_code(), code, "{verdict} / {close}");
            assert_eq!(outcome.is_success(), code == 0);
        }
    }

    #[test]
    fn a_missing_case_makes_the_run_incomplete_even_if_allowed_or_beside_failures() {
        let results = [("1.1.1", "MISSING", "MISSING"), ("1.1.2", "FAILED", "OK")];
        assert_eq!(outcome(&results, &[], &[]).exit_code(), 3);
        assert_eq!(outcome(&results, &["*"], &[]).exit_code(), 3);
    }

    #[test]
    fn trouble_makes_the_run_incomplete() {
        let mut outcome = outcome(&[("1.1.1", "OK", "OK")], &[], &[]);
        outcome.troubles.push("the server ended".to_owned());
        assert_eq!(outcome.exit_code(), 3);
    }

    #[test]
    fn what_is_allowed_is_listed_and_does_not_fail_the_check() {
        let outcome = outcome(
            &[
                ("6.4.1", "NON-STRICT", "OK"),
                ("6.4.2", "FAILED", "UNCLEAN"),
            ],
            &["6.4.*"],
            &[],
        );
        assert_eq!(outcome.exit_code(), 0);
        assert_eq!(outcome.findings_of(&Reason::Allowed).count(), 2);
    }

    #[test]
    fn a_known_deviation_counts_only_with_the_very_verdicts_it_is_known_for() {
        let known = [deviation("13.2.*", "ERROR")];
        let hit = outcome(&[("13.2.1", "ERROR", "FAILED")], &[], &known);
        assert_eq!(hit.exit_code(), 0);
        assert_eq!(
            hit.findings[0].reason,
            Reason::Deviation("it crashes".to_owned())
        );
        for (id, verdict, close) in [
            ("13.3.1", "ERROR", "FAILED"),
            ("13.2.1", "FAILED", "FAILED"),
            ("13.2.1", "ERROR", "UNCLEAN"),
        ] {
            assert_eq!(outcome(&[(id, verdict, close)], &[], &known).exit_code(), 1);
        }
    }

    #[test]
    fn a_known_deviation_that_no_longer_occurs_is_flagged() {
        let known = [deviation("13.2.1", "ERROR")];
        let outcome = outcome(
            &[("13.2.1", "OK", "OK"), ("13.2.2", "OK", "OK")],
            &[],
            &known,
        );
        assert_eq!(outcome.outdated.len(), 1);
        assert_eq!(outcome.exit_code(), 1);
    }

    #[test]
    fn what_occurs_only_sometimes_is_accepted_and_not_missed() {
        let mut known = deviation("3.4", "NON-STRICT");
        known.sometimes = true;
        for result in [("3.4", "OK", "OK"), ("3.4", "NON-STRICT", "FAILED")] {
            assert_eq!(outcome(&[result], &[], &[known.clone()]).exit_code(), 0);
        }
    }

    #[test]
    fn a_pattern_must_show_in_one_of_its_cases_and_a_named_case_in_itself() {
        let results = [("13.2.1", "ERROR", "FAILED"), ("13.2.2", "OK", "OK")];
        for (known, code) in [("13.2.*", 0), ("13.2.1", 0), ("13.3.*", 0)] {
            let known = [deviation("13.2.1", "ERROR"), deviation(known, "ERROR")];
            assert_eq!(outcome(&results, &[], &known).exit_code(), code);
        }
        let known = [deviation("13.2.*", "ERROR"), deviation("13.2.2", "ERROR")];
        let outcome = outcome(&results, &[], &known);
        assert_eq!(outcome.outdated[0].cases, "13.2.2");
        assert_eq!((outcome.outdated.len(), outcome.exit_code()), (1, 1));
    }
}
