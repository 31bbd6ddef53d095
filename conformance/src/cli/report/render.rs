//! `cloverleaf report render`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::super::format::Formats;
use super::source::{self, Source};

/// Write a report, in any form, of results that are there already
#[derive(Args, Debug)]
pub(super) struct Render {
    /// Where the results are; several are merged
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,

    #[command(flatten)]
    formats: Formats,

    /// The folder for the report
    #[arg(long, value_name = "DIR", default_value = "reports/out")]
    out: PathBuf,

    /// A line saying what the report is about
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

impl Render {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        let mut record = source::read_all(&self.sources, false)?;
        if let Some(title) = self.title {
            record.title = title;
        }
        for file in self.formats.write(&record, &self.out)? {
            eprintln!("{}", file.display());
        }
        Ok(ExitCode::SUCCESS)
    }
}
