//! `cloverleaf report diff`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use cloverleaf_reports::diff;

use super::source::Source;

/// Tell what changed between two runs: regressions, fixes, times
///
/// Exit code: 0 nothing got worse, 1 something did, 2 a source cannot be read.
#[derive(Args, Debug)]
pub(super) struct Diff {
    /// The earlier results
    old: Source,

    /// The later results
    new: Source,

    /// The form
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = DiffFormat::Text)]
    format: DiffFormat,

    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(ValueEnum, Clone, Copy, Debug)]
enum DiffFormat {
    /// Plain text
    Text,
    /// Tables, for a comment or a step's summary
    Markdown,
    /// One page
    Html,
    /// Data
    Json,
}

impl Diff {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        let diff = diff::Diff::between(&self.old.read()?, &self.new.read()?);
        let text = match self.format {
            DiffFormat::Text => diff::text(&diff),
            DiffFormat::Markdown => diff::markdown(&diff),
            DiffFormat::Html => diff::html(&diff),
            DiffFormat::Json => diff.to_json(),
        };
        super::deliver(&text, self.out.as_deref())?;
        Ok(ExitCode::from(u8::from(diff.has_regressions())))
    }
}
