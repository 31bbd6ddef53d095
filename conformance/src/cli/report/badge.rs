//! `cloverleaf report badge`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use cloverleaf_reports::Role;
use cloverleaf_reports::badge::{self, Badge as Picture};

use super::super::check::RoleName;
use super::source::Source;

/// Make a badge: a picture, or the data that shields.io draws it from
#[derive(Args, Debug)]
pub(super) struct Badge {
    /// Where the results are
    source: Source,

    /// The badge of this subject [default: of the whole record]
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,

    /// The role of that subject
    #[arg(long, value_enum, default_value_t = RoleName::Both, requires = "subject")]
    role: RoleName,

    /// The left half of the badge
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,

    /// The form
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = BadgeFormat::Svg)]
    format: BadgeFormat,

    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum BadgeFormat {
    /// A picture that needs nothing else
    Svg,
    /// JSON for shields.io, which draws it (its "endpoint badge")
    Shields,
}

impl Badge {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        let record = self.source.read()?;
        let mut picture = match &self.subject {
            None => Picture::of_record(&record),
            Some(name) => {
                let mut subjects = record
                    .subjects()
                    .filter(|(role, subject)| self.role.includes(*role) && subject.name == *name);
                match (subjects.next(), subjects.next()) {
                    (Some((role, subject)), None) => Picture::of_subject(role, subject),
                    (None, _) => {
                        let known: Vec<String> = record
                            .subjects()
                            .map(|(role, subject)| format!("{} ({role})", subject.name))
                            .collect();
                        return Err(format!(
                            "there is no {name}; there are {}",
                            known.join(", ")
                        ));
                    }
                    (Some(_), Some(_)) => {
                        return Err(format!(
                            "{name} was judged in both roles: say --role {} or --role {}",
                            Role::Server,
                            Role::Client
                        ));
                    }
                }
            }
        };
        if let Some(label) = self.label {
            picture = picture.with_label(label);
        }
        let text = match self.format {
            BadgeFormat::Svg => badge::svg(&picture),
            BadgeFormat::Shields => badge::endpoint(&picture),
        };
        super::deliver(&text, self.out.as_deref())?;
        Ok(ExitCode::SUCCESS)
    }
}
