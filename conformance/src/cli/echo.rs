//! `cloverleaf echo`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use cloverleaf::ServerTls;
use cloverleaf_conformance::echo::EchoServer;
use cloverleaf_conformance::faulty::{self, Fault};
use cloverleaf_conformance::profile;
use cloverleaf_reports::Role;

use super::{fail, stop};

/// Serve echoes: every message comes back as it was sent
///
/// Prints one line, `listening on ws://ADDRESS`, when it is ready. The limits are those that
/// the suite needs (messages of 64 MiB), and permessage-deflate is on.
#[derive(Args, Debug)]
pub(super) struct Echo {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,

    /// Serve wss with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Serve wss with a certificate made now, which nobody trusts: for judges, who do not check it
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,

    /// Do not accept permessage-deflate
    #[arg(long)]
    no_deflate: bool,

    /// Serve with one fault, to see that a suite finds it; `help` lists them
    #[arg(long, value_name = "NAME", conflicts_with_all = ["tls_cert", "tls_self_signed", "no_deflate"])]
    fault: Option<String>,

    /// End when standard input does
    #[arg(long, hide = true)]
    end_with_stdin: bool,
}

impl Echo {
    pub(super) fn run(self) -> ExitCode {
        let fault = match super::fault(self.fault.as_deref(), Role::Server) {
            Ok(fault) => fault,
            Err(code) => return code,
        };
        let tls = match self.tls() {
            Ok(tls) => tls,
            Err(error) => return fail(&error, 2),
        };
        match super::runtime().and_then(|runtime| runtime.block_on(self.serve(tls, fault))) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 2),
        }
    }

    fn tls(&self) -> Result<Option<ServerTls>, Box<dyn std::error::Error>> {
        if self.tls_self_signed {
            let names = ["localhost".to_owned(), self.listen.ip().to_string()];
            let made = rcgen::generate_simple_self_signed(names)?;
            let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
            return Ok(Some(ServerTls::from_pem(chain.as_bytes(), key.as_bytes())?));
        }
        Ok(match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => Some(ServerTls::from_files(chain, key)?),
            _ => None,
        })
    }

    async fn serve(
        &self,
        tls: Option<ServerTls>,
        fault: Option<Fault>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let stop = async {
            if let Err(error) = stop::requested(self.end_with_stdin).await {
                eprintln!("cloverleaf: cannot wait for signals, ending: {error}");
            }
        };
        if fault.is_some() {
            let server = faulty::Server::bind(self.listen, fault).await?;
            println!("listening on {}", server.url()?);
            server.serve_until(stop).await;
            return Ok(());
        }
        let config = profile::config(!self.no_deflate)?;
        let server = EchoServer::bind(self.listen, tls, config).await?;
        println!("listening on {}", server.url()?);
        server.serve_until(stop).await;
        Ok(())
    }
}
