//! `cloverleaf testee`

use std::ops::RangeInclusive;
use std::process::ExitCode;

use clap::Args;
use cloverleaf::Error;
use cloverleaf_conformance::faulty::{self, Fault};
use cloverleaf_conformance::profile;
use cloverleaf_conformance::testee::Testee as Client;
use cloverleaf_reports::Role;

use super::{fail, stop};

/// Walk the cases of a fuzzing server as an echo client
///
/// Most cases end in an error by design; the verdicts are the server's. Exit code: 0 all cases
/// were run, 2 usage or configuration, 3 the server cannot be reached.
#[derive(Args, Debug)]
pub(super) struct Testee {
    /// The fuzzing server: ws://ADDRESS
    url: String,

    /// The name to report under
    #[arg(long, value_name = "NAME", default_value = "Cloverleaf")]
    agent: String,

    /// Run only these of the server's cases, counted from 1
    #[arg(long, value_name = "FIRST-LAST", value_parser = range)]
    range: Option<RangeInclusive<u32>>,

    /// Do not offer permessage-deflate
    #[arg(long)]
    no_deflate: bool,

    /// End when standard input does
    #[arg(long, hide = true)]
    end_with_stdin: bool,

    /// Walk with one fault, to see that a suite finds it; `help` lists them
    #[arg(long, value_name = "NAME", conflicts_with = "no_deflate")]
    fault: Option<String>,
}

/// `3-7`, or `3` for one case.
fn range(text: &str) -> Result<RangeInclusive<u32>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 1 <= first && first <= last => Ok(first..=last),
        _ => Err("expected FIRST-LAST with 1 <= FIRST <= LAST, such as 1-301".to_owned()),
    }
}

impl Testee {
    pub(super) fn run(self) -> ExitCode {
        let fault = match super::fault(self.fault.as_deref(), Role::Client) {
            Ok(fault) => fault,
            Err(code) => return code,
        };
        let runtime = match super::runtime() {
            Ok(runtime) => runtime,
            Err(error) => return fail(&error, 2),
        };
        runtime.block_on(async {
            tokio::select! {
                code = async {
                    match fault {
                        Some(fault) => self.walk_with(fault).await,
                        None => self.walk().await,
                    }
                } => code,
                stopped = stop::requested(self.end_with_stdin) => match stopped {
                    Ok(()) => fail(&"stopped before the last case", 3),
                    Err(error) => fail(&error, 2),
                },
            }
        })
    }

    async fn walk_with(&self, fault: Fault) -> ExitCode {
        let walked = async {
            let config = profile::config(true)?;
            let client = faulty::Client::new(&self.url, &self.agent, config, Some(fault))?;
            let count = client.case_count().await?;
            let range = self.range.clone().unwrap_or(1..=count);
            client
                .run(range, |case| println!("case {case}/{count}: closed"))
                .await?;
            client.update_reports().await?;
            Ok::<(), Box<dyn std::error::Error>>(())
        };
        match walked.await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 3),
        }
    }

    async fn walk(&self) -> ExitCode {
        let client = match profile::config(!self.no_deflate) {
            Ok(config) => Client::new(&self.url, &self.agent, config),
            Err(error) => return fail(&error, 2),
        };
        let count = match client.case_count().await {
            Ok(Some(count)) => count,
            Ok(None) => return fail(&"the server does not say how many cases it has", 3),
            Err(error) => return fail(&error, 3),
        };
        let range = self.range.clone().unwrap_or(1..=count);
        if *range.end() > count {
            return fail(&format!("the server has {count} cases only"), 2);
        }
        let show = |case, end: Result<(), Error>| match end {
            Ok(()) => println!("case {case}/{count}: closed"),
            Err(error) => println!("case {case}/{count}: {error}"),
        };
        client.run(range, show).await;
        match client.update_reports().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_case_or_first_to_last() {
        assert_eq!(range("3"), Ok(3..=3));
        assert_eq!(range("1-517"), Ok(1..=517));
        for text in ["", "0", "0-3", "4-3", "-", "1-", "-1", "a-b", "1-2-3"] {
            assert!(range(text).is_err(), "{text:?}");
        }
    }
}
