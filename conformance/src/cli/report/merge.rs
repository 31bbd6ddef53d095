//! `cloverleaf report merge`

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::source::{self, Source};

/// Make one results.json of several results
///
/// They may have other subjects, other roles or other cases. Title and facts are the first one's.
#[derive(Args, Debug)]
pub(super) struct Merge {
    /// Where the results are
    #[arg(value_name = "SOURCE", required = true)]
    sources: Vec<Source>,

    /// Take the later one of two results of the same case, instead of refusing them
    #[arg(long)]
    replace: bool,

    /// A line saying what the merged results are about
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,

    /// What stands for this run in a history, such as a release
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,

    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Merge {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        let mut record = source::read_all(&self.sources, self.replace)?;
        if let Some(title) = self.title {
            record.title = title;
        }
        if self.label.is_some() {
            record.label = self.label;
        }
        super::deliver(&record.to_json(), self.out.as_deref())?;
        Ok(ExitCode::SUCCESS)
    }
}
