//! Where results are read from.

use std::path::PathBuf;

use cloverleaf_reports::{Record, Role, load};

/// A place that holds results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The role of the subjects, if the person said it.
    role: Option<Role>,
    path: PathBuf,
}

impl std::str::FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (role, path) = match text.split_once('=') {
            Some(("server", path)) => (Some(Role::Server), path),
            Some(("client", path)) => (Some(Role::Client), path),
            _ => (None, text),
        };
        Ok(Self {
            role,
            path: path.into(),
        })
    }
}

impl Source {
    /// Reads what is there.
    pub(super) fn read(&self) -> Result<Record, String> {
        match self.role {
            Some(role) => load::read_as(&self.path, role),
            None => load::read(&self.path),
        }
        .map_err(|error| error.to_string())
    }
}

/// Reads several sources as one record, the first one's title and facts first. With `replace` a
/// result of a later source takes the place of an earlier one; else two results of one case are
/// an error.
pub(super) fn read_all(sources: &[Source], replace: bool) -> Result<Record, String> {
    let mut records = sources.iter().map(Source::read);
    let mut all = records
        .next()
        .unwrap_or_else(|| Err("nothing to read".to_owned()))?;
    for (record, source) in records.zip(&sources[1..]) {
        let record = record?;
        if replace {
            make_room(&mut all, &record);
        }
        all.merge(record)
            .map_err(|error| format!("{}: {error}", source.path.display()))?;
    }
    Ok(all)
}

/// Takes away the results that `newer` has too.
fn make_room(record: &mut Record, newer: &Record) {
    for run in &mut record.runs {
        for subject in &mut run.subjects {
            let known = newer
                .runs
                .iter()
                .filter(|other| other.role == run.role)
                .find_map(|other| other.subject(&subject.name));
            if let Some(known) = known {
                subject.results.retain(|id, _| {
                    known
                        .results
                        .get(id)
                        .is_none_or(cloverleaf_reports::CaseResult::is_missing)
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_may_say_the_role_of_its_subjects() {
        for (text, role, path) in [
            ("reports/out", None, "reports/out"),
            ("server=reports/x", Some(Role::Server), "reports/x"),
            ("client=a=b", Some(Role::Client), "a=b"),
            ("peer=x", None, "peer=x"),
        ] {
            let path = path.into();
            assert_eq!(text.parse(), Ok(Source { role, path }), "{text}");
        }
    }
}
