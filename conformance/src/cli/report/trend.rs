//! `cloverleaf report trend`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cloverleaf_reports::trend;

use super::source::Source;

/// Draw verdicts and times over several runs, as one page
#[derive(Args, Debug)]
pub(super) struct Trend {
    /// The results of each run; the order is that of their beginnings
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,

    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Trend {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        let records = self
            .sources
            .iter()
            .map(Source::read)
            .collect::<Result<Vec<_>, _>>()?;
        super::deliver(&trend::html(&records), self.out.as_deref())?;
        Ok(ExitCode::SUCCESS)
    }
}
