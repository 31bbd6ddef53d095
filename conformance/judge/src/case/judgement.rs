//! The two verdicts on a connection that was open, and how Autobahn reaches the second.

use cloverleaf_reports::model::{Close, ExpectedClose};
use cloverleaf_reports::{CloseVerdict, Role, Verdict};

/// Both verdicts with a sentence each.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two verdicts, two sentences")]
pub struct Judgement {
    /// How the subject behaved.
    pub verdict: Verdict,
    /// How the connection ended.
    pub close_verdict: CloseVerdict,
    /// Why the first.
    pub result: String,
    /// Why the second.
    pub result_close: String,
}

/// Who is to begin the closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "there are two ends, and there is either"
)]
pub enum Closer {
    /// The judge.
    Suite,
    /// The subject: by a close frame, or by dropping TCP where that is allowed.
    Subject,
    /// The judge, unless the subject does as above: it may refuse what it is given.
    Either,
}

/// The end of a connection that a case accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpectedEnd {
    /// Who begins.
    pub closer: Closer,
    /// The codes accepted from the subject; none at all is accepted as well. The first is the one
    /// that the judge closes with.
    pub codes: Vec<u16>,
    /// The closing handshake must be completed; where either may close: if the judge began it.
    pub clean: bool,
    /// If the wrong end closed, the behaviour has failed too: the subject overlooked an error.
    pub wrong_closer_fails: bool,
    /// If the code is wrong, the behaviour has failed too.
    pub wrong_code_fails: bool,
}

impl ExpectedEnd {
    /// The judge closes with 1000 once it has seen what it expects, and the handshake completes.
    pub fn normal() -> Self {
        Self {
            closer: Closer::Suite,
            codes: vec![1000],
            clean: true,
            wrong_closer_fails: false,
            wrong_code_fails: false,
        }
    }

    /// The subject fails the connection with one of these codes, or drops it.
    pub fn failed_by_subject(codes: &[u16]) -> Self {
        Self {
            closer: Closer::Subject,
            codes: codes.to_vec(),
            clean: false,
            wrong_closer_fails: false,
            wrong_code_fails: false,
        }
    }

    /// The judge closes with 1000 once it has seen what it expects, unless the subject refuses to go
    /// on with one of these codes, or by dropping TCP.
    pub fn normal_unless_refused(codes: &[u16]) -> Self {
        Self {
            closer: Closer::Either,
            codes: [&[1000], codes].concat(),
            ..Self::normal()
        }
    }

    fn is_wrong_closer(&self, close: &Close) -> bool {
        match self.closer {
            Closer::Suite => !close.closed_by_suite,
            Closer::Subject => close.closed_by_suite,
            Closer::Either => false,
        }
    }

    /// The verdict on the end, in Autobahn's order: who closed, whether cleanly, with which code,
    /// and who dropped TCP.
    pub fn judge(&self, subject: Role, close: &Close) -> (CloseVerdict, String) {
        if self.is_wrong_closer(close) {
            let sentence = if close.closed_by_suite {
                "The suite had to close; the subject should have."
            } else {
                "The subject closed or dropped the connection; it should not have."
            };
            return (CloseVerdict::Failed, sentence.to_owned());
        }
        let clean = self.clean && (self.closer != Closer::Either || close.closed_by_suite);
        if clean && !close.was_clean {
            let reason = close
                .not_clean_reason
                .as_deref()
                .unwrap_or("no reason was noted");
            let sentence = format!("The closing handshake should have been completed: {reason}.");
            return (CloseVerdict::Unclean, sentence);
        }
        if close
            .subject_code
            .is_some_and(|code| !self.codes.contains(&code))
        {
            let codes: Vec<_> = self.codes.iter().map(ToString::to_string).collect();
            let sentence = format!(
                "The close code should have been {}, or none.",
                codes.join(", ")
            );
            return (CloseVerdict::WrongCode, sentence);
        }
        if subject == Role::Server && close.dropped_by_suite {
            let sentence = "The server should have been the one to drop TCP.";
            return (CloseVerdict::FailedByClient, sentence.to_owned());
        }
        (
            CloseVerdict::Ok,
            "The connection ended as it should.".to_owned(),
        )
    }

    /// Both verdicts, given that on the behaviour alone.
    pub fn complete(
        &self,
        subject: Role,
        close: &Close,
        verdict: Verdict,
        result: String,
    ) -> Judgement {
        let (close_verdict, result_close) = self.judge(subject, close);
        let fatal = self.wrong_closer_fails && self.is_wrong_closer(close)
            || self.wrong_code_fails && close_verdict == CloseVerdict::WrongCode;
        let (verdict, result) = if fatal {
            (Verdict::Failed, result_close.clone())
        } else {
            (verdict, result)
        };
        Judgement {
            verdict,
            close_verdict,
            result,
            result_close,
        }
    }

    /// As a report has it.
    pub fn to_model(&self) -> ExpectedClose {
        let mut close = ExpectedClose::default();
        close.by_suite = self.closer != Closer::Subject;
        close.codes = self.codes.clone();
        close.require_clean = self.clean;
        close
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(by_suite: bool, clean: bool, code: Option<u16>, dropped: bool) -> Close {
        let mut close = Close::default();
        close.closed_by_suite = by_suite;
        close.was_clean = clean;
        close.subject_code = code;
        close.dropped_by_suite = dropped;
        close
    }

    #[test]
    fn the_first_thing_that_is_wrong_with_an_end_decides() {
        let normal = ExpectedEnd::normal();
        let failed = ExpectedEnd::failed_by_subject(&[1002]);
        for (expected, seen, subject, verdict) in [
            (
                &normal,
                close(true, true, Some(1000), false),
                Role::Server,
                CloseVerdict::Ok,
            ),
            (
                &normal,
                close(true, true, None, false),
                Role::Server,
                CloseVerdict::Ok,
            ),
            (
                &normal,
                close(false, false, Some(1), true),
                Role::Server,
                CloseVerdict::Failed,
            ),
            (
                &normal,
                close(true, false, Some(1), true),
                Role::Server,
                CloseVerdict::Unclean,
            ),
            (
                &normal,
                close(true, true, Some(1001), true),
                Role::Server,
                CloseVerdict::WrongCode,
            ),
            (
                &normal,
                close(true, true, None, true),
                Role::Server,
                CloseVerdict::FailedByClient,
            ),
            (
                &normal,
                close(true, true, None, true),
                Role::Client,
                CloseVerdict::Ok,
            ),
            (
                &failed,
                close(false, false, None, false),
                Role::Server,
                CloseVerdict::Ok,
            ),
            (
                &failed,
                close(false, true, Some(1002), false),
                Role::Client,
                CloseVerdict::Ok,
            ),
            (
                &failed,
                close(true, true, Some(1002), false),
                Role::Client,
                CloseVerdict::Failed,
            ),
            (
                &failed,
                close(false, true, Some(1000), false),
                Role::Client,
                CloseVerdict::WrongCode,
            ),
        ] {
            assert_eq!(
                expected.judge(subject, &seen).0,
                verdict,
                "{expected:?} {seen:?}"
            );
        }
    }

    #[test]
    fn a_wrong_closer_or_code_fails_the_behaviour_only_where_the_case_says_so() {
        let wrong_code = close(true, true, Some(1001), false);
        let wrong_closer = close(false, true, Some(1000), false);
        let mut expected = ExpectedEnd::normal();
        let verdict = |expected: &ExpectedEnd, seen: &Close| {
            expected
                .complete(Role::Server, seen, Verdict::Ok, String::new())
                .verdict
        };
        assert_eq!(verdict(&expected, &wrong_code), Verdict::Ok);
        assert_eq!(verdict(&expected, &wrong_closer), Verdict::Ok);
        expected.wrong_code_fails = true;
        assert_eq!(verdict(&expected, &wrong_code), Verdict::Failed);
        assert_eq!(verdict(&expected, &wrong_closer), Verdict::Ok);
        expected.wrong_closer_fails = true;
        assert_eq!(verdict(&expected, &wrong_closer), Verdict::Failed);
    }
}
