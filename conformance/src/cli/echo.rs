//! `cloverleaf echo`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use cloverleaf::proto::Role as End;
use cloverleaf::proto::extension::{Extensions, Negotiated, Order, Statistics};
use cloverleaf::proto::handshake::{Peer, Received, Rejection};
use cloverleaf::{Config, Error, OsClock, ServerOptions, ServerTls, Transport, WebSocket};
use cloverleaf_conformance::echo::{EchoServer, Observer};
use cloverleaf_conformance::extensions::Built;
use cloverleaf_conformance::faulty::{self, Fault};
use cloverleaf_conformance::profile;
use cloverleaf_mux::Mux;
use cloverleaf_reports::Role;

use super::{extensions, fail, guards, news, stop};
use cloverleaf_reports::printable::printable;

/// Serve echoes: every message comes back as it was sent
///
/// Prints one line, `listening on ws://ADDRESS`, when it is ready. The limits are those that
/// the suite needs (messages of 64 MiB), and permessage-deflate is on. One connection may carry
/// many WebSockets, by the extension mux or, for browsers, the subprotocol cloverleaf.mux; with
/// --extension only with --mux too.
#[derive(Args, Debug)]
pub(super) struct Echo {
    /// Address and port; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    listen: SocketAddr,

    /// Serve wss with server.pem and server.key of this folder, as `cloverleaf cert` makes them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["tls_cert", "tls_self_signed"])]
    tls: Option<PathBuf>,

    /// Serve wss with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Serve wss with a certificate made now, which nobody trusts: for judges, who do not check it
    #[arg(long, conflicts_with = "tls_cert")]
    tls_self_signed: bool,

    #[command(flatten)]
    guards: guards::Options,

    /// Do not accept permessage-deflate
    #[arg(long, conflicts_with = "extension")]
    no_deflate: bool,

    #[command(flatten)]
    extensions: extensions::Options,

    /// Whose order of extensions counts
    #[arg(long, value_enum, value_name = "WHOSE", default_value = "client")]
    extension_order: Whose,

    /// Say on standard error what becomes of every connection: what was offered, agreed and passed
    /// over, and in the end what the extensions did
    #[arg(long)]
    verbose: bool,

    /// Serve with one fault, to see that a suite finds it; `help` lists them. With one of
    /// authentication, it lets in `user` with the password `pass word`
    #[arg(
        long,
        value_name = "NAME",
        conflicts_with_all = [
            "tls",
            "tls_cert",
            "tls_self_signed",
            "realm",
            "no_deflate",
            "extension",
            "require_extension",
            "mux",
            "capture",
            "verbose",
        ]
    )]
    fault: Option<String>,

    /// End when standard input does
    #[arg(long, hide = true)]
    end_with_stdin: bool,
}

/// What browsers ask for in place of an extension, which they cannot offer.
const SUBPROTOCOL: &str = "cloverleaf.mux";

/// Whose order of extensions counts.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Whose {
    /// the order of the client's offers
    Client,
    /// the order of --extension
    Server,
}

impl Echo {
    pub(super) fn run(self) -> ExitCode {
        let fault = match super::fault(self.fault.as_deref(), Role::Server) {
            Ok(fault) => fault,
            Err(code) => return code,
        };
        let prepared = self.config().and_then(|(mut config, options)| {
            let capture = self.extensions.record(&mut config)?;
            Ok((config, options, capture))
        });
        let (config, options, capture) = match prepared {
            Ok(prepared) => prepared,
            Err(code) => return code,
        };
        let tls = match self.tls() {
            Ok(tls) => tls,
            Err(error) => return fail(&error, 2),
        };
        let served = super::runtime()
            .and_then(|runtime| runtime.block_on(self.serve(tls, config, options, fault)));
        if let Some(recorded) = self.extensions.recorded(capture.as_ref()) {
            eprintln!("{recorded}");
        }
        match served {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error, 2),
        }
    }

    fn config(&self) -> Result<(Config, ServerOptions), ExitCode> {
        let mut config = profile::config(!self.no_deflate).map_err(|error| fail(&error, 2))?;
        let default = std::mem::take(&mut config.extensions);
        let built = self.extensions.chosen(|| {
            let mut built = Built::default();
            built.multiplexes = default.get(Mux::TOKEN).is_some();
            built.extensions = default;
            built
        })?;
        config.extensions = built.extensions;
        self.extensions.check_required(&config.extensions)?;
        config.extensions = config.extensions.order(match self.extension_order {
            Whose::Client => Order::Client,
            Whose::Server => Order::Server,
        });
        let mut options = self.options(&config.extensions);
        let guard = self
            .guards
            .guard(self.verbose)
            .map_err(|error| fail(&error, 2))?;
        options.guards.extend(guard);
        if built.multiplexes {
            options.channels_over = Some(SUBPROTOCOL.to_owned());
        }
        if self.verbose {
            config.clock = Some(Arc::new(OsClock::new()));
        }
        Ok((config, options))
    }

    /// How requests are answered; with `--verbose`, the refusals over extensions are told.
    fn options(&self, extensions: &Extensions) -> ServerOptions {
        let mut options = ServerOptions::default();
        let required = self.extensions.require_extension.clone();
        if self.verbose && !required.is_empty() {
            let (extensions, required) = (extensions.clone(), required.clone());
            options
                .guards
                .push(Arc::new(move |received: &mut Received| {
                    tell_missing(&extensions, &required, received)
                }));
        }
        options.required_extensions = required;
        options
    }

    fn tls(&self) -> Result<Option<ServerTls>, Box<dyn std::error::Error>> {
        if self.tls_self_signed {
            let names = ["localhost".to_owned(), self.listen.ip().to_string()];
            let made = rcgen::generate_simple_self_signed(names)?;
            let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
            return Ok(Some(ServerTls::from_pem(chain.as_bytes(), key.as_bytes())?));
        }
        if let Some(folder) = &self.tls {
            let (chain, key) = (folder.join("server.pem"), folder.join("server.key"));
            return Ok(Some(ServerTls::from_files(chain, key)?));
        }
        Ok(match (&self.tls_cert, &self.tls_key) {
            (Some(chain), Some(key)) => Some(ServerTls::from_files(chain, key)?),
            _ => None,
        })
    }

    async fn serve(
        &self,
        tls: Option<ServerTls>,
        config: Config,
        options: ServerOptions,
        fault: Option<Fault>,
    ) -> Result<(), Box<dyn std::error::Error>> {
        let stop = async {
            if let Err(error) = stop::requested(self.end_with_stdin).await {
                eprintln!("cloverleaf: cannot wait for signals, ending: {error}");
            }
        };
        if let Some(fault) = fault {
            let mut server = faulty::Server::bind(self.listen, Some(fault)).await?;
            if fault.is_of_authentication() {
                server = server.guarded(&faulty::memory::credentials());
            }
            println!("listening on {}", server.url()?);
            server.serve_until(stop).await;
            return Ok(());
        }
        let mut server = EchoServer::bind(self.listen, tls, config)
            .await?
            .options(options);
        if self.verbose {
            server = server.observed(Verbose);
        }
        println!("listening on {}", server.url()?);
        server.serve_until(stop).await;
        Ok(())
    }
}

/// Says on standard error what becomes of every connection.
struct Verbose;

impl Observer for Verbose {
    fn opened(&self, socket: &WebSocket<Transport>) {
        let opening = socket.opening();
        let mut lines = news::opening(opening);
        if socket.channel().is_some() {
            let request = opening.handshake.request();
            let line = format!("opened: {}", request.uri());
            lines.insert(0, printable(&line));
        }
        say(&of(socket), &lines);
    }

    fn ended(
        &self,
        socket: &WebSocket<Transport>,
        statistics: &[Statistics],
        error: Option<&Error>,
    ) {
        let ended = match (socket.closed(), error) {
            (Some(closed), _) => news::ending(closed, End::Server),
            (None, Some(error)) => printable(&error.to_string()),
            (None, None) => "gone".to_owned(),
        };
        let mut lines = vec![ended];
        lines.extend(news::statistics(statistics));
        say(&of(socket), &lines);
    }
}

/// Negotiates once more, to say why a required extension is missing. The refusal is the engine's.
fn tell_missing(
    extensions: &Extensions,
    required: &[String],
    received: &Received,
) -> Result<(), Rejection> {
    let negotiated = Negotiated::accept(extensions, received.offers.clone());
    let agreed = negotiated.agreed();
    let missing: Vec<&str> = required
        .iter()
        .map(String::as_str)
        .filter(|name| !agreed.iter().any(|agreed| agreed.name == *name))
        .collect();
    if !missing.is_empty() {
        let mut lines = vec![format!("refused without {}", missing.join(", "))];
        let skipped = negotiated.skipped().iter();
        lines.extend(skipped.map(|skipped| printable(&format!("skipped: {skipped}"))));
        say(&peer(received.request.extensions().get()), &lines);
    }
    Ok(())
}

/// Who is at the other end, and of which channel of the connection.
fn of(socket: &WebSocket<Transport>) -> String {
    let peer = peer(socket.opening().handshake.extension());
    match socket.channel() {
        Some(id) => format!("{peer}, {id}"),
        None => peer,
    }
}

/// Who is at the other end.
fn peer(peer: Option<&Peer>) -> String {
    match peer.and_then(|peer| peer.address) {
        Some(address) => address.to_string(),
        None => "somebody".to_owned(),
    }
}

/// Prints lines about one connection, together.
fn say(peer: &str, lines: &[String]) {
    let text: String = lines
        .iter()
        .map(|line| format!("[{peer}] {line}\n"))
        .collect();
    eprint!("{text}");
}
