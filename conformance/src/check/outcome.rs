//! What a check amounts to.

use std::path::PathBuf;

use cloverleaf_reports::{CaseId, CaseResult, CloseVerdict, Record, Role, Verdict};

use super::shard::Judged;
use crate::deviation::Deviation;
use crate::selection::Pattern;

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
    /// Known deviations of the suite whose cases ran and were judged as they should be: the
    /// list of deviations is out of date.
    pub outdated: Vec<(Role, CaseId, String)>,
    /// What went wrong on the way, for people.
    pub troubles: Vec<String>,
}

/// A result that is not as it should be.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Finding {
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
}

/// Whether a result is as it should be, allowed, or a known deviation of the suite.
pub(super) fn expected(judged: &Judged, allow: &[Pattern], deviations: &[&Deviation]) -> bool {
    let Judged {
        role,
        case,
        verdict,
        close_verdict,
    } = judged;
    !matches!(
        reason(*role, case, verdict, close_verdict, allow, deviations),
        Some(Reason::Failed | Reason::Missing)
    )
}

/// `None` if the result is as it should be.
fn reason(
    role: Role,
    case: &CaseId,
    verdict: &Verdict,
    close_verdict: &CloseVerdict,
    allow: &[Pattern],
    deviations: &[&Deviation],
) -> Option<Reason> {
    if *verdict == Verdict::Missing {
        return Some(Reason::Missing);
    }
    if verdict.standing().is_pass() && close_verdict.standing().is_pass() {
        return None;
    }
    let deviation = deviations
        .iter()
        .find(|deviation| deviation.covers(role, case) && deviation.shows(verdict, close_verdict));
    if let Some(deviation) = deviation {
        return Some(Reason::SuiteDefect(deviation.reason.clone()));
    }
    let allowed = allow.iter().any(|pattern| pattern.matches(case));
    Some(if allowed {
        Reason::Allowed
    } else {
        Reason::Failed
    })
}

impl Outcome {
    pub(super) fn of(
        record: Record,
        allow: &[Pattern],
        deviations: &[&Deviation],
        troubles: Vec<String>,
        page: PathBuf,
    ) -> Self {
        let mut findings = Vec::new();
        let mut outdated = Vec::new();
        for (role, subject) in record.subjects() {
            for CaseResult {
                id,
                verdict,
                close_verdict,
                ..
            } in subject.results.values()
            {
                match reason(role, id, verdict, close_verdict, allow, deviations) {
                    Some(reason) => findings.push(Finding {
                        role,
                        case: id.clone(),
                        verdict: verdict.clone(),
                        close_verdict: close_verdict.clone(),
                        reason,
                    }),
                    None => outdated.extend(
                        deviations
                            .iter()
                            .filter(|deviation| deviation.covers(role, id))
                            .map(|deviation| (role, id.clone(), deviation.reason.clone())),
                    ),
                }
            }
        }
        Self {
            record,
            page,
            findings,
            outdated,
            troubles,
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
    use cloverleaf_reports::{Run, Subject};

    fn outcome(
        results: &[(&str, &str, &str)],
        allow: &[&str],
        deviations: &[Deviation],
    ) -> Outcome {
        let mut subject = Subject::new("Us");
        for (id, verdict, close) in results {
            let id = id.parse().expect("an id");
            subject.insert(CaseResult::new(id, (*verdict).into(), (*close).into()));
        }
        let mut run = Run::new(Role::Server);
        run.subjects.push(subject);
        let mut record = Record::new("a run");
        record.add(run).expect("the first run");
        let allow: Vec<_> = allow
            .iter()
            .map(|text| text.parse().expect("a pattern"))
            .collect();
        let deviations: Vec<_> = deviations.iter().collect();
        Outcome::of(record, &allow, &deviations, Vec::new(), PathBuf::new())
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
    fn a_known_defect_of_the_suite_counts_only_with_the_very_verdicts_it_is_known_for() {
        let known = [deviation("13.2.*", "ERROR")];
        let hit = outcome(&[("13.2.1", "ERROR", "FAILED")], &[], &known);
        assert_eq!(hit.exit_code(), 0);
        assert_eq!(
            hit.findings[0].reason,
            Reason::SuiteDefect("it crashes".to_owned())
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
    fn a_known_defect_that_no_longer_occurs_is_flagged() {
        let known = [deviation("13.2.1", "ERROR")];
        let outcome = outcome(
            &[("13.2.1", "OK", "OK"), ("13.2.2", "OK", "OK")],
            &[],
            &known,
        );
        assert_eq!(outcome.outdated.len(), 1);
        assert_eq!(outcome.exit_code(), 1);
    }
}
