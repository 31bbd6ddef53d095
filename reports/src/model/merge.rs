//! Putting the shards of one run together.

use std::error::Error;
use std::fmt;

use super::{CaseId, Role, Run};

impl Run {
    /// Takes in another part of the same run: results of the same subjects in other cases, or other
    /// subjects. A [`Verdict::Missing`](super::Verdict::Missing) entry gives way to a result.
    ///
    /// # Errors
    ///
    /// If the roles differ or both parts have a result for the same subject and case; then nothing
    /// was changed.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        if self.role != other.role {
            return Err(MergeError::RolesDiffer {
                ours: self.role,
                theirs: other.role,
            });
        }
        for theirs in &other.subjects {
            let Some(ours) = self.subject(&theirs.name) else {
                continue;
            };
            for (id, result) in &theirs.results {
                let ran_twice = !result.is_missing()
                    && ours
                        .results
                        .get(id)
                        .is_some_and(|known| !known.is_missing());
                if ran_twice {
                    return Err(MergeError::Overlap {
                        role: self.role,
                        subject: theirs.name.clone(),
                        case: id.clone(),
                    });
                }
            }
        }

        for theirs in other.subjects {
            let known = self
                .subjects
                .iter_mut()
                .find(|subject| subject.name == theirs.name);
            let Some(ours) = known else {
                self.subjects.push(theirs);
                continue;
            };
            ours.version = ours.version.take().or(theirs.version);
            ours.language = ours.language.take().or(theirs.language);
            ours.homepage = ours.homepage.take().or(theirs.homepage);
            for (id, result) in theirs.results {
                if result.is_missing() {
                    ours.results.entry(id).or_insert(result);
                } else {
                    ours.results.insert(id, result);
                }
            }
        }
        Ok(())
    }
}

/// Why two parts are not parts of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MergeError {
    /// One tested servers, the other clients.
    #[non_exhaustive]
    RolesDiffer {
        /// The role of the part that was to grow.
        ours: Role,
        /// The role of the part that was to be taken in.
        theirs: Role,
    },
    /// Both have a result for the same subject and case.
    #[non_exhaustive]
    Overlap {
        /// The role of the subject.
        role: Role,
        /// The subject.
        subject: String,
        /// The first such case.
        case: CaseId,
    },
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RolesDiffer { ours, theirs } => {
                write!(
                    f,
                    "cannot merge results of a {theirs} into a run of a {ours}"
                )
            }
            Self::Overlap {
                role,
                subject,
                case,
            } => write!(
                f,
                "both parts have a result of {role} {subject:?} for case {case}: split the cases \
                 so that no two parts share one"
            ),
        }
    }
}

impl Error for MergeError {}
