//! A static site over the runs of many versions, for any static host.
//!
//! ```text
//! index.html                    the newest run, and a table of subjects and versions
//! <label>/index.html            the page of a run
//! <label>/results.json          its record, without what was seen on the wire
//! latest/index.html             leads to that of the newest run
//! trend.html                    verdicts and times from run to run
//! diff/<old>...<new>.html       what changed between neighbours
//! badges/<role>-<subject>.svg   and .json for shields.io, of the newest run; and all.svg, all.json
//! ancestors.html                measurements of older implementations
//! ```
//!
//! All links are relative.

mod ancestors;
mod badges;
mod index;
mod label;

use crate::diff::{self, Diff};
use crate::html;
use crate::model::Record;
use crate::trend;

pub use label::LabelError;

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct File {
    /// Where it goes, relative to the root of the site, with `/` between folders.
    pub path: String,
    /// What is in it.
    pub content: String,
}

fn file(path: impl Into<String>, content: impl Into<String>) -> File {
    File {
        path: path.into(),
        content: content.into(),
    }
}

/// Leads on to the newest run, with the place in its page that a link names.
const LATEST: &str = include_str!("../../assets/latest.html");

/// Renders the site. Runs are ordered as in [`trend::in_order`]; each needs a label of its own.
///
/// # Errors
///
/// If there is no run, or a label is absent, given twice, or cannot be a folder.
pub fn publish(records: &[Record]) -> Result<Vec<File>, LabelError> {
    let runs = trend::in_order(records);
    let labels = label::labels(&runs)?;
    let Some((newest, _)) = runs.split_last() else {
        return Err(LabelError::NoRuns);
    };

    let mut files = vec![file(".nojekyll", "")];
    for (record, label) in runs.iter().zip(&labels) {
        let page = html::render(record);
        let results = (*record).clone().without_details().to_json();
        files.push(file(format!("{label}/index.html"), page));
        files.push(file(format!("{label}/results.json"), results));
    }
    if let Some(label) = labels.last() {
        // A label is letters, digits and a few marks: nothing that HTML or a URL would read.
        files.push(file("latest/index.html", LATEST.replace("LABEL", label)));
    }
    let mut diffs = Vec::new();
    for (pair, names) in runs.windows(2).zip(labels.windows(2)) {
        let (&[old, new], &[old_label, new_label]) = (pair, names) else {
            continue;
        };
        let path = format!("diff/{old_label}...{new_label}.html");
        let diff = Diff::between(old, new);
        files.push(file(path.clone(), diff::render(&diff, true)));
        diffs.push(index::DiffLink::new(old_label, new_label, path, &diff));
    }
    if runs.len() > 1 {
        files.push(file("trend.html", trend::render(records, true)));
    }
    let badges = badges::of(newest);
    files.extend(badges.files());
    files.push(file("ancestors.html", ancestors::html()));
    files.push(file(
        "index.html",
        index::html(&runs, &labels, &diffs, &badges),
    ));
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}
