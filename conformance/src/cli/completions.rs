//! `cloverleaf completions` and `cloverleaf man`: made from the definition of the command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, fail, print};

/// Print a script that completes commands and options in a shell
///
/// For bash: cloverleaf completions bash > ~/.local/share/bash-completion/completions/cloverleaf
#[derive(Args, Debug)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "cloverleaf", &mut script);
        print(&String::from_utf8_lossy(&script));
        ExitCode::SUCCESS
    }
}

/// Print the manual page, or write a page for each command
///
/// To read it at once: cloverleaf man | man -l -
#[derive(Args, Debug)]
pub(super) struct Man {
    /// Write cloverleaf.1 and a page for each command into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self) -> ExitCode {
        let command = Cli::command();
        let done = match &self.out {
            Some(folder) => std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(command, folder))
                .map_err(|error| super::format::cannot(folder, &error)),
            None => {
                let mut page = Vec::new();
                clap_mangen::Man::new(command)
                    .render(&mut page)
                    .map(|()| print(&String::from_utf8_lossy(&page)))
                    .map_err(|error| error.to_string())
            }
        };
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 2),
        }
    }
}
