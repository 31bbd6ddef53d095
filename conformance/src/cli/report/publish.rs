//! `cloverleaf report publish`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use cloverleaf_reports::{Record, load, site};

/// Build a static site of the results of one or more releases, for any static host
///
/// An index over releases and subjects, the report of each release, the changes between them, the
/// trend, and badges. Releases that are in the folder already stay, and their reports as they are.
#[derive(Args, Debug)]
pub(super) struct Publish {
    /// The results to add: results.json or a folder; with what the release is called unless the
    /// results say it (check --label)
    #[arg(value_name = "[LABEL=]SOURCE", required = true)]
    releases: Vec<Release>,

    /// The folder of the site
    #[arg(long, value_name = "DIR", default_value = "reports/site")]
    out: PathBuf,
}

/// Results and what they are called.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Release {
    label: Option<String>,
    path: PathBuf,
}

impl std::str::FromStr for Release {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, path) = match text.split_once('=') {
            Some((label, path)) => (Some(label.to_owned()), path),
            None => (None, text),
        };
        Ok(Self {
            label,
            path: path.into(),
        })
    }
}

impl Publish {
    pub(super) fn run(self) -> Result<ExitCode, String> {
        let mut records = Vec::new();
        for Release { label, path } in &self.releases {
            let mut record = load::read(path).map_err(|error| error.to_string())?;
            if label.is_some() {
                record.label.clone_from(label);
            }
            records.push(record);
        }
        let kept = published(&self.out, &records)?;
        let kept_labels: BTreeSet<String> = kept
            .iter()
            .filter_map(|record| record.label.clone())
            .collect();
        records.extend(kept);

        let files = site::publish(&records).map_err(|error| error.to_string())?;
        for file in &files {
            // The full report of an earlier release cannot be made again: what is kept of it
            // for the history has no details.
            let label = file.path.split_once('/').map_or("", |(folder, _)| folder);
            let path = self.out.join(&file.path);
            if kept_labels.contains(label) && path.exists() {
                continue;
            }
            super::write(&path, &file.content)?;
        }
        eprintln!("{}", self.out.join("index.html").display());
        Ok(ExitCode::SUCCESS)
    }
}

/// The releases that a site has already, except those that are published anew.
fn published(site: &Path, anew: &[Record]) -> Result<Vec<Record>, String> {
    let Ok(folders) = fs::read_dir(site) else {
        return Ok(Vec::new());
    };
    let mut records = Vec::new();
    for folder in folders {
        let folder = folder.map_err(|error| format!("cannot read {}: {error}", site.display()))?;
        let results = folder.path().join("results.json");
        if !results.is_file() {
            continue;
        }
        let record = load::read(&results).map_err(|error| error.to_string())?;
        if anew.iter().all(|new| new.label != record.label) {
            records.push(record);
        }
    }
    // The order of a folder's entries is nobody's; the releases have one.
    records.sort_by(|a, b| (&a.started, &a.label).cmp(&(&b.started, &b.label)));
    Ok(records)
}
