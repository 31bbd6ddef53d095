//! `cloverleaf report`: what can be made of results that are there already.

mod badge;
mod diff;
mod merge;
mod publish;
mod render;
mod schema;
mod source;
mod trend;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::{fail, format};

/// Work with results: render, merge, compare, publish
///
/// A source is a results.json, a folder that holds one, or a folder of Autobahn's reports (of
/// wstest, of kosoku, or with servers/ and clients/ in it). Where Autobahn's files do not tell the
/// role of the subjects, write server=FOLDER or client=FOLDER.
#[derive(Args, Debug)]
pub(super) struct Report {
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Subcommand, Debug)]
enum ReportCommand {
    Render(render::Render),
    Merge(merge::Merge),
    Diff(diff::Diff),
    Trend(trend::Trend),
    Publish(publish::Publish),
    Badge(badge::Badge),
    Schema(schema::Schema),
}

impl Report {
    pub(super) fn run(self) -> ExitCode {
        let done = match self.command {
            ReportCommand::Render(command) => command.run(),
            ReportCommand::Merge(command) => command.run(),
            ReportCommand::Diff(command) => command.run(),
            ReportCommand::Trend(command) => command.run(),
            ReportCommand::Publish(command) => command.run(),
            ReportCommand::Badge(command) => command.run(),
            ReportCommand::Schema(command) => command.run(),
        };
        done.unwrap_or_else(|error| fail(&error, 2))
    }
}

/// Writes text to a file, or prints it if there is no file.
fn deliver(text: &str, out: Option<&Path>) -> Result<(), String> {
    match out {
        Some(path) => write(path, text),
        None => {
            super::print(text);
            Ok(())
        }
    }
}

/// Writes a file, and the folders it needs.
fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format::cannot(folder, &error))?;
    }
    fs::write(path, text).map_err(|error| format::cannot(path, &error))
}
