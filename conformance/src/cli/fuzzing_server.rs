//! `cloverleaf fuzzingserver`

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cloverleaf_conformance::lock::FolderLock;
use cloverleaf_conformance::native::FuzzingServer;
use cloverleaf_conformance::native::fuzzing_server::News;
use cloverleaf_conformance::native::transport::ServerTls;
use cloverleaf_conformance::spec::ServerSpec;
use cloverleaf_conformance::spec::template::{self, Mode};
use cloverleaf_reports::Role;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use super::{fail, stop};

/// Judge clients as a spec file says: Autobahn's `wstest -m fuzzingserver`
///
/// Takes Autobahn's fuzzingserver.json unchanged, speaks its control URLs, and writes its report
/// files when a client asks for them and at the end. Exit code, once stopped: 0 no failures,
/// 1 failures, 2 usage, spec file or address.
#[derive(Args, Debug)]
pub(super) struct FuzzingServerCommand {
    /// The spec file [default: fuzzingserver.json, written if it is not there]
    #[arg(short, long, value_name = "FILE")]
    spec: Option<PathBuf>,

    /// The address to listen on. Autobahn listens on all of them
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    interface: IpAddr,

    /// Serve the page that runs the cases in a browser on this port too, as Autobahn does; the
    /// server's own port has it anyway. 0 is none
    #[arg(short = 'u', long, value_name = "PORT", default_value = "0")]
    webport: u16,

    /// The private key for wss, in PEM
    #[arg(short, long, value_name = "FILE")]
    key: Option<PathBuf>,

    /// The certificate for wss, in PEM
    #[arg(short, long, value_name = "FILE")]
    cert: Option<PathBuf>,

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

impl FuzzingServerCommand {
    pub(super) fn run(self) -> ExitCode {
        match super::runtime() {
            Ok(runtime) => runtime.block_on(self.judge()),
            Err(error) => fail(&error, 2),
        }
    }

    async fn judge(self) -> ExitCode {
        let file = template::resolve(Mode::FuzzingServer, self.spec.clone());
        if let Err(error) = file.provide() {
            return fail(
                &format!("cannot write {}: {error}", file.path().display()),
                2,
            );
        }
        let known = cloverleaf_conformance::catalog::known();
        let spec = match ServerSpec::load(file.path(), known) {
            Ok(spec) => spec,
            Err(error) => return fail(&error, 2),
        };
        for warning in &spec.warnings {
            eprintln!("cloverleaf: {warning}");
        }
        let tls = match spec.tls(self.key.clone(), self.cert.clone()) {
            Ok(files) => files
                .map(|files| ServerTls::load(&files.key, &files.cert))
                .transpose(),
            Err(error) => return fail(&error, 2),
        };
        let tls = match tls {
            Ok(tls) => tls,
            Err(error) => return fail(&error, 2),
        };
        let outdir = self.outdir.clone().unwrap_or_else(|| spec.outdir.clone());
        let lock = match FolderLock::take(&outdir) {
            Ok(lock) => lock,
            Err(error) => return fail(&super::no_folder(&outdir, &error), 2),
        };
        let cases = super::cases::chosen(&spec.cases, self.fast, self.budget);
        let count = cases
            .iter()
            .filter(|case| case.subjects.include(Role::Client))
            .count();
        let address = SocketAddr::new(self.interface, spec.url.port());
        let (sender, mut news) = unbounded_channel();
        let (scheme, web) = match tls {
            Some(_) => ("wss", "https"),
            None => ("ws", "http"),
        };
        let server = match FuzzingServer::bind(address, cases).await {
            Ok(server) => server
                .options(spec.options)
                .exclusions(spec.exclusions)
                .tls(tls)
                .outdir(outdir.clone())
                .news(sender),
            Err(error) => {
                return fail(
                    &format!(
                        "cannot listen on {address}: {error}; another port goes into `url` of {}",
                        file.path().display()
                    ),
                    2,
                );
            }
        };
        let page = match self.page_elsewhere(&server).await {
            Ok(page) => page,
            Err(error) => return fail(&error, 2),
        };
        match server.address() {
            Ok(address) => println!(
                "listening on {scheme}://{address}\nto judge a browser, open {}\n\
                 {count} cases; reports go into {} when a client \
                 asks for them, and when this ends (Ctrl-C)",
                match &page {
                    Some((address, _)) => format!("http://{address}/"),
                    None => format!("{web}://{address}/"),
                },
                outdir.display()
            ),
            Err(error) => return fail(&error, 2),
        }
        let printing = tokio::spawn(async move {
            while let Some(news) = news.recv().await {
                match news {
                    News::Judged(agent, result) => {
                        println!(
                            "{agent} {}: {} / {}",
                            result.id, result.verdict, result.close_verdict
                        );
                    }
                    News::Reports(Ok(())) => println!("reports written"),
                    News::Reports(Err(error)) => eprintln!("cloverleaf: {error}"),
                    News::Refused(reason) => eprintln!("refused: {reason}"),
                    _ => {}
                }
            }
        });
        let results = server
            .serve_until(async {
                // Without signals, a client has to stop it.
                if stop::requested(false).await.is_err() {
                    std::future::pending::<()>().await;
                }
            })
            .await;
        drop(page);
        // All that was said has been said: the server and its connections are gone.
        let _ = printing.await;
        super::conclude(&results, &outdir, &lock, &[])
    }

    /// Serves the page on the port that was asked for, until the set is dropped.
    async fn page_elsewhere(
        &self,
        server: &FuzzingServer,
    ) -> io::Result<Option<(SocketAddr, JoinSet<()>)>> {
        if self.webport == 0 {
            return Ok(None);
        }
        let address = SocketAddr::new(self.interface, self.webport);
        let listener = TcpListener::bind(address).await.map_err(|error| {
            io::Error::other(format!(
                "no page at {address}: {error}; choose another port with -u"
            ))
        })?;
        let mut serving = JoinSet::new();
        serving.spawn(server.page_elsewhere()?.serve(listener));
        Ok(Some((address, serving)))
    }
}
