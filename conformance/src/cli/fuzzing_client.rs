//! `cloverleaf fuzzingclient`

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cloverleaf_conformance::lock::FolderLock;
use cloverleaf_conformance::native::fuzzing_client::News;
use cloverleaf_conformance::native::transport::DOCKER_HOST;
use cloverleaf_conformance::native::{FuzzingClient, Results, Target};
use cloverleaf_conformance::spec::ClientSpec;
use cloverleaf_conformance::spec::template::{self, Mode};
use cloverleaf_judge::case::Case;
use cloverleaf_reports::Role;

use super::{fail, stop};

/// Judge servers as a spec file says: Autobahn's `wstest -m fuzzingclient`
///
/// Takes Autobahn's fuzzingclient.json unchanged and writes its report files. Exit code: 0 no
/// failures, 1 failures, 2 usage or spec file, 3 a server unreachable or cases missing.
#[derive(Args, Debug)]
pub(super) struct FuzzingClientCommand {
    /// The spec file [default: fuzzingclient.json, written if it is not there]
    #[arg(short, long, value_name = "FILE")]
    spec: Option<PathBuf>,

    /// The server to judge if the spec file lists none
    #[arg(short = 'w', long, value_name = "URL")]
    wsuri: Option<String>,

    /// How many cases run at a time. Autobahn runs one; some servers take that for granted
    #[arg(long, value_name = "N", default_value = "1")]
    jobs: NonZeroUsize,

    /// Send a tenth of the messages in cases that repeat them
    #[arg(long)]
    fast: bool,

    /// Give each case at most so many seconds
    #[arg(long, value_name = "SECONDS")]
    budget: Option<u64>,

    /// Take the reports' folder from here and not from the spec file
    #[arg(short, long, value_name = "DIR")]
    outdir: Option<PathBuf>,
}

impl FuzzingClientCommand {
    pub(super) fn run(self) -> ExitCode {
        match super::runtime() {
            Ok(runtime) => runtime.block_on(self.judge()),
            Err(error) => fail(&error, 2),
        }
    }

    async fn judge(self) -> ExitCode {
        let file = template::resolve(Mode::FuzzingClient, self.spec.clone());
        if let Err(error) = file.provide() {
            return fail(
                &format!("cannot write {}: {error}", file.path().display()),
                2,
            );
        }
        let known = cloverleaf_conformance::catalog::known();
        let spec = ClientSpec::load(file.path(), known).and_then(|mut spec| {
            spec.require_server(self.wsuri.as_deref())?;
            Ok(spec)
        });
        let mut spec = match spec {
            Ok(spec) => spec,
            Err(error) => return fail(&error, 2),
        };
        for warning in &spec.warnings {
            eprintln!("cloverleaf: {warning}");
        }
        let cases: Arc<[Case]> = super::cases::chosen(&spec.cases, self.fast, self.budget).into();
        let outdir = self.outdir.clone().unwrap_or_else(|| spec.outdir.clone());
        let lock = match FolderLock::take(&outdir) {
            Ok(lock) => lock,
            Err(error) => return fail(&super::no_folder(&outdir, &error), 2),
        };

        let results = Results::new(Role::Server);
        let mut troubles = Vec::new();
        let mut client = FuzzingClient::new(cases, self.jobs);
        client.exclusions = Arc::new(std::mem::take(&mut spec.exclusions));
        let stopped = stop::requested(false);
        tokio::pin!(stopped);
        let mut places: HashMap<String, String> = HashMap::new();
        'servers: for server in spec.servers {
            let url = server.url.as_str().to_owned();
            if server.url.host() == DOCKER_HOST {
                println!("{DOCKER_HOST} stands for 127.0.0.1 unless this is Docker");
            }
            let mut news = client.judge(Target::from(server));
            loop {
                tokio::select! {
                    next = news.recv() => match next {
                        Some(News::Judged(agent, result)) => {
                            println!("{agent} {}: {} / {}", result.id, result.verdict, result.close_verdict);
                            let before = places.entry(agent.clone()).or_insert_with(|| url.clone());
                            if *before != url {
                                let trouble = format!(
                                    "{url} and {before} are both called {agent}, and the results \
                                     of the first are replaced: give each server its `agent`"
                                );
                                eprintln!("cloverleaf: {trouble}");
                                troubles.push(trouble);
                                before.clone_from(&url);
                            }
                            results.insert(&agent, *result);
                        }
                        Some(News::Unreachable(trouble)) => {
                            eprintln!("cloverleaf: {trouble}");
                            troubles.push(trouble);
                        }
                        Some(_) => {}
                        None => break,
                    },
                    _ = &mut stopped => {
                        troubles.push("interrupted".to_owned());
                        break 'servers;
                    }
                }
            }
        }
        super::conclude(&results, &outdir, &lock, &troubles)
    }
}

pub(super) fn budget(seconds: Option<u64>) -> Option<Duration> {
    seconds.map(|seconds| Duration::from_secs(seconds.max(1)))
}
