//! Chat rooms for people who have a password: `wss`, Digest, pages of one origin only, and certificates
//! and users that change while it serves.
//!
//! `secure_chat --help` lists what it takes; `deploy/` has a unit for systemd, and what to write for
//! nginx or haproxy in front. A name that is known stands in front of everything its owner says.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use cloverleaf::{OriginPolicy, Rejection, Server, ServerOptions, ServerTls};
use cloverleaf_auth::Identity;
use cloverleaf_auth::digest::Nonces;
use cloverleaf_auth::guard::Digest;
use cloverleaf_auth::store::{Htdigest, Reloading};
use cloverleaf_examples::chat::rooms::{Rooms, name_in, visit_as};
use cloverleaf_proto::handshake::{Received, TrustedProxies};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Chat rooms over authenticated wss. SIGHUP reads certificate, key and users again; SIGINT and
/// SIGTERM say goodbye to everybody.
#[derive(Parser, Debug)]
struct Options {
    /// Address and port
    #[arg(long, default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// The certificate chain (PEM); without one, a proxy in front ends TLS
    #[arg(long, requires = "key")]
    certificate: Option<PathBuf>,
    /// Its private key (PEM)
    #[arg(long, requires = "certificate")]
    key: Option<PathBuf>,
    /// Who may come in: a file that `cloverleaf passwd` writes
    #[arg(long)]
    htdigest: PathBuf,
    /// What the passwords are for
    #[arg(long, default_value = "secure_chat")]
    realm: String,
    /// Pages of this origin may connect; repeat it for more [default: the server's own]
    #[arg(long)]
    origin: Vec<String>,
    /// Believe what these proxies say of clients in Forwarded or X-Forwarded-*
    #[arg(long, default_value = "")]
    trust_proxy: TrustedProxies,
    /// Expect the PROXY protocol from these
    #[arg(long, default_value = "")]
    proxy_protocol: TrustedProxies,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let (users, report) = Reloading::open(&options.htdigest, Htdigest::parse)?;
    report.bad.iter().for_each(|bad| eprintln!("{bad}"));
    let users = Arc::new(users);
    let tls = match (&options.certificate, &options.key) {
        (Some(certificate), Some(key)) => Some(ServerTls::from_files(certificate, key)?),
        _ => None,
    };

    let nonces = Nonces::new(cloverleaf::entropy(), cloverleaf::wall_clock());
    let known = Digest::new(&options.realm, users.clone(), nonces)?
        .on_failure(|failure| eprintln!("refused: {failure}"));
    let mut settings = ServerOptions::default();
    settings.guards = vec![Arc::new(rooms_only), Arc::new(known)];
    settings.trusted_proxies = options.trust_proxy;
    if !options.origin.is_empty() {
        settings.origin = OriginPolicy::List(options.origin);
    }
    let mut server = Server::bind(options.listen).await?.options(settings);
    if let Some(tls) = tls.clone() {
        server = server.tls(tls);
    }
    if !options.proxy_protocol.is_empty() {
        server = server.proxy_protocol(options.proxy_protocol);
    }

    let (hangups, mut terms) = (
        signal(SignalKind::hangup())?,
        signal(SignalKind::terminate())?,
    );
    tokio::spawn(reload(hangups, tls, users));
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terms.recv() => {}
        }
    };
    println!("listening on {}", server.local_addr()?);
    let rooms = Arc::new(Rooms::default());
    let drained = server
        .serve_until(stop, move |socket| {
            let handshake = &socket.opening().handshake;
            let known: Option<&Identity> = handshake.extension();
            let name = known.map(|known| known.name.clone());
            visit_as(name, socket, Arc::clone(&rooms))
        })
        .await;
    println!(
        "{} said goodbye, {} were cut off",
        drained.clean, drained.forced
    );
    Ok(())
}

/// Before anybody is asked for a password.
fn rooms_only(received: &mut Received) -> Result<(), Rejection> {
    match name_in(received.request.uri().path()) {
        Some(_) => Ok(()),
        None => Err(Rejection::not_found()),
    }
}

/// What cannot be read leaves everything as it was.
async fn reload(mut hangups: Signal, tls: Option<ServerTls>, users: Arc<Reloading<Htdigest>>) {
    while hangups.recv().await.is_some() {
        let (tls, users) = (tls.clone(), Arc::clone(&users));
        let read = tokio::task::spawn_blocking(move || {
            match users.reload() {
                Ok(report) => println!("{} users, {} bad lines", report.good, report.bad.len()),
                Err(error) => eprintln!("the users stay as they are: {error}"),
            }
            match tls.map(|tls| tls.reload_files()) {
                Some(Ok(())) => println!("a new certificate"),
                Some(Err(error)) => eprintln!("the certificate stays as it is: {error}"),
                None => {}
            }
        });
        // It does not panic, and is not cancelled.
        let _ = read.await;
    }
}
