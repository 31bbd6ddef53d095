//! The command line: one file per command.

mod check;
mod progress;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Judges WebSocket servers and clients by the Autobahn suite, and provides one of each.
#[derive(Parser, Debug)]
#[command(name = "cloverleaf", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Check(check::Check),
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Check(command) => command.run(),
    }
}

/// Says on standard error what went wrong.
fn fail(error: &dyn std::fmt::Display, code: u8) -> ExitCode {
    eprintln!("cloverleaf: {error}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn slips_on_the_command_line_are_refused() {
        for line in [
            "",
            "chek",
            "check --suite autobahn",
            "check --role peer",
            "check --cases 8.*",
            "check --cases",
            "check --jobs 0",
            "check --jobs many",
            "check --strict --allow 1.*",
            "check extra",
        ] {
            let words = ["cloverleaf"].into_iter().chain(line.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }
}
