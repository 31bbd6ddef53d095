//! The command line: one file per command.

mod cases;
mod cert;
mod check;
mod completions;
mod connect;
mod echo;
mod extensions;
mod format;
mod fuzzing_client;
mod fuzzing_server;
mod guards;
mod news;
mod parity;
mod passwd;
mod password;
mod progress;
mod report;
mod stop;
mod testee;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cloverleaf_conformance::faulty::Fault;
use cloverleaf_conformance::lock::FolderLock;
use cloverleaf_conformance::native::Results;
use cloverleaf_reports::Role;
use cloverleaf_reports::text::{self, Colour};

/// Judges WebSocket servers and clients by the Autobahn suite, and provides one of each.
#[derive(Parser, Debug)]
#[command(name = "cloverleaf", version)]
struct Cli {
    /// Colours on the terminal; `auto` respects NO_COLOR and CLICOLOR_FORCE
    #[command(flatten)]
    color: colorchoice_clap::Color,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Check(check::Check),
    Cases(cases::Cases),
    Cert(cert::Cert),
    #[command(name = "fuzzingclient")]
    FuzzingClient(fuzzing_client::FuzzingClientCommand),
    #[command(name = "fuzzingserver")]
    FuzzingServer(fuzzing_server::FuzzingServerCommand),
    Report(report::Report),
    Parity(parity::Parity),
    Echo(echo::Echo),
    Connect(connect::Connect),
    Passwd(passwd::Passwd),
    Testee(testee::Testee),
    Completions(completions::Completions),
    Man(completions::Man),
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    let cli = Cli::parse();
    cli.color.write_global();
    match cli.command {
        Command::Check(command) => command.run(),
        Command::Cases(command) => command.run(),
        Command::Cert(command) => command.run(),
        Command::FuzzingClient(command) => command.run(),
        Command::FuzzingServer(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Parity(command) => command.run(),
        Command::Echo(command) => command.run(),
        Command::Connect(command) => command.run(),
        Command::Passwd(command) => command.run(),
        Command::Testee(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    }
}

/// Writes the reports and says how the run went.
fn conclude(results: &Results, outdir: &Path, _: &FolderLock, troubles: &[String]) -> ExitCode {
    print(&match results.record(troubles) {
        Ok(record) => format!("\n{}\n", text::table_with(&record, Colour::Always)),
        Err(error) => error,
    });
    if let Err(error) = results.write(outdir, troubles) {
        return fail(&error, 2);
    }
    println!("Report: {}", outdir.join("index.html").display());
    for trouble in troubles {
        println!("INCOMPLETE: {trouble}");
    }
    if !troubles.is_empty() {
        ExitCode::from(3)
    } else if results.failures().values().any(|&failures| failures > 0) {
        ExitCode::from(1)
    } else {
        ExitCode::SUCCESS
    }
}

/// Why the folder for reports cannot be had. Spec files for Docker often name one at the root.
fn no_folder(folder: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot use {}: {error} (--outdir DIR takes another folder)",
        folder.display()
    )
}

/// Prints text, its colours only where they are wanted. That nobody reads it any more (`| head`)
/// is no error.
fn print(text: &str) {
    let _ = anstream::stdout().write_all(text.as_bytes());
}

/// The fault of this name in this role; `help` lists them all.
fn fault(name: Option<&str>, role: Role) -> Result<Option<Fault>, ExitCode> {
    let Some(name) = name else {
        return Ok(None);
    };
    if name == "help" {
        print(&Fault::list(role));
        return Err(ExitCode::SUCCESS);
    }
    match name.parse::<Fault>() {
        Ok(fault) if fault.exists_in(role) => Ok(Some(fault)),
        Ok(_) => Err(fail(&format!("a {role} cannot have the fault {name}"), 2)),
        Err(error) => Err(fail(&error, 2)),
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Box<dyn std::error::Error>> {
    tokio::runtime::Runtime::new().map_err(|error| format!("cannot start threads: {error}").into())
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
            "echo --listen nowhere",
            "echo --tls-cert a.pem",
            "echo --no-deflate --extension permessage-deflate",
            "echo --extension-order mine",
            "echo --fault x --extension permessage-deflate",
            "echo --htdigest users",
            "echo --tls certificates --tls-self-signed",
            "connect",
            "connect ws://a --trace wire",
            "connect ws://a --hint hurry",
            "connect ws://a --send",
            "connect ws://a --password-file a --bearer-file b",
            "passwd",
            "passwd ada",
            "passwd ada --htdigest users",
            "passwd ada --htpasswd users --realm chat",
            "passwd ada --htdigest users --realm chat --htpasswd users",
            "passwd ada --htpasswd users --hash rot13",
            "testee",
            "testee ws://127.0.0.1:1 --range 4-3",
            "report",
            "report render",
            "report render x --format pdf",
            "report diff x",
            "report badge x --role server",
            "report schema everything",
            "cert --days 0",
            "cert --client a/b",
            "cert --client ca",
            "completions",
            "check --color sometimes",
        ] {
            let words = ["cloverleaf"].into_iter().chain(line.split_whitespace());
            assert!(Cli::try_parse_from(words).is_err(), "{line}");
        }
    }
}
