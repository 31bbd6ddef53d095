//! The forms in which a record is written: `--format`.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use cloverleaf_reports::{Record, github, html, junit, markdown};

/// The variable in which GitHub Actions names the file for a step's summary.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// A form of a report.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Format {
    /// index.html: the page
    Html,
    /// results.json: the record, from which every other form can be made
    Json,
    /// junit.xml, for CI systems
    Junit,
    /// report.md: tables
    Markdown,
    /// annotations for GitHub Actions on standard output, and the Markdown in the step's summary
    Github,
}

/// Which forms are wanted.
#[derive(Args, Debug)]
pub(super) struct Formats {
    /// The forms of the report; repeat it, or separate them by commas
    #[arg(
        long = "format",
        value_name = "FORMAT",
        value_enum,
        value_delimiter = ',',
        default_values = ["html", "json"]
    )]
    formats: Vec<Format>,
}

impl Formats {
    /// Writes the record into a folder in each of these forms. Returns the files.
    pub(super) fn write(&self, record: &Record, folder: &Path) -> Result<Vec<PathBuf>, String> {
        write(record, self.formats.iter().copied(), folder)
    }
}

/// Writes the record into a folder, in each form once. Returns the files.
pub(super) fn write(
    record: &Record,
    formats: impl IntoIterator<Item = Format>,
    folder: &Path,
) -> Result<Vec<PathBuf>, String> {
    let mut written = Vec::new();
    for format in formats.into_iter().collect::<BTreeSet<_>>() {
        let (name, content) = match format {
            Format::Html => ("index.html", html::render(record)),
            Format::Json => ("results.json", record.to_json()),
            Format::Junit => ("junit.xml", junit::render(record)),
            Format::Markdown => ("report.md", markdown::render(record)),
            Format::Github => {
                super::print(&github::annotations(record));
                if let Some(summary) = std::env::var_os(STEP_SUMMARY) {
                    let summary = PathBuf::from(summary);
                    append(&summary, &markdown::render(record))
                        .map_err(|error| cannot(&summary, &error))?;
                }
                continue;
            }
        };
        let path = folder.join(name);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .map_err(|error| cannot(&path, &error))?;
        written.push(path);
    }
    Ok(written)
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// What a person reads when a file cannot be written.
pub(super) fn cannot(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}", path.display())
}
