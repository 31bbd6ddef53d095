//! Certificates swapped under load: whether a handshake is lost, and what those who are connected
//! notice of it. Server and clients are in one process, over TCP on the loopback.
//!
//! `cargo bench -p cloverleaf --bench reload`, or with other figures than 500 connections a second for
//! 10 seconds: `cargo bench -p cloverleaf --bench reload -- 2000 5`

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cloverleaf::{
    Certificate, Client, ClientTls, Error, Server, ServerTls, Transport, WebSocket, config,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

const SWAP_EVERY: Duration = Duration::from_millis(100);
/// So many stay connected all the while, and are sent an echo every 10 ms in turn.
const CONNECTED: usize = 20;

fn main() -> ExitCode {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse().ok());
    let rate: u32 = numbers.next().unwrap_or(500).max(1);
    let seconds: u32 = numbers.next().unwrap_or(10);
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(run(rate, seconds))
}

#[derive(Default)]
struct Counts {
    opened: [AtomicUsize; 2],
    lost: AtomicUsize,
}

async fn run(rate: u32, seconds: u32) -> ExitCode {
    let issuer = issuer();
    let certificates = [made(&issuer), made(&issuer)];
    let tls = ServerTls::new(certificates[0].0.clone()).expect("a certificate");
    let server = Server::bind("127.0.0.1:0").await.expect("a port");
    let port = server.local_addr().expect("an address").port();
    let server = server.tls(tls.clone());
    tokio::spawn(server.serve(echo));
    let url = Arc::<str>::from(format!("wss://localhost:{port}/"));
    let trusted = ClientTls::from_pem(issuer.pem().as_bytes()).expect("an authority");
    // Every handshake a whole one.
    let trusted = trusted.resumption(false).expect("valid");
    let client = Client::new(config()).tls(trusted);

    let mut connected = Vec::new();
    for _ in 0..CONNECTED {
        connected.push(client.connect(&url).await.expect("connected"));
    }
    let done = Arc::new(AtomicBool::new(false));
    let bystanders = tokio::spawn(talk(connected, Arc::clone(&done)));
    let swaps = Arc::new(AtomicUsize::new(0));
    let swapper = tokio::spawn(swap(tls, certificates.clone(), Arc::clone(&swaps)));

    let counts = Arc::new(Counts::default());
    let shown: Arc<[Vec<u8>; 2]> = Arc::new(certificates.map(|(_, der)| der));
    let mut connections = JoinSet::new();
    let mut due = tokio::time::interval(Duration::from_secs(1) / rate);
    // Late ones are made up for, so that the number is what was asked for.
    due.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let started = Instant::now();
    for _ in 0..rate * seconds {
        due.tick().await;
        let (client, url) = (client.clone(), Arc::clone(&url));
        let (counts, shown) = (Arc::clone(&counts), Arc::clone(&shown));
        connections.spawn(async move {
            match one(&client, &url, &shown).await {
                Ok(which) => counts.opened[which].fetch_add(1, Ordering::Relaxed),
                Err(error) => {
                    eprintln!("lost: {error}");
                    counts.lost.fetch_add(1, Ordering::Relaxed)
                }
            };
        });
    }
    while connections.join_next().await.is_some() {}
    let took = started.elapsed();
    swapper.abort();
    done.store(true, Ordering::Relaxed);
    let mut echoes = bystanders.await.expect("they do not panic");
    let lost = counts.lost.load(Ordering::Relaxed);
    let [one, other] = [0, 1].map(|n| counts.opened[n].load(Ordering::Relaxed));
    println!(
        "{} connections in {:.1} s, {} swaps: {one} saw one certificate, {other} the other",
        one + other + lost,
        took.as_secs_f64(),
        swaps.load(Ordering::Relaxed),
    );
    println!("handshakes lost: {lost}");
    println!("connections lost: {}", echoes.lost);
    echoes.took.sort_unstable();
    let at = |part: usize| echoes.took.get(echoes.took.len() * part / 100);
    println!(
        "{} echoes on connections from before: p50 {:?}, p99 {:?}",
        echoes.took.len(),
        at(50).copied().unwrap_or_default(),
        at(99).copied().unwrap_or_default(),
    );
    if lost == 0 && echoes.lost == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Opens a connection, says something on it, and closes it. Which certificate it was shown.
async fn one(client: &Client, url: &str, shown: &[Vec<u8>; 2]) -> Result<usize, Error> {
    let mut socket = client.connect(url).await?;
    socket.send("hello").await?;
    let echo = socket.recv().await?;
    assert_eq!(echo, Some("hello".into()));
    let session = socket.get_ref().and_then(Transport::tls).expect("TLS");
    let certificate = session.certificates().remove(0);
    let which = shown.iter().position(|der| *der == certificate);
    socket.close().await?;
    Ok(which.expect("one of the two"))
}

async fn swap(tls: ServerTls, certificates: [(Certificate, Vec<u8>); 2], swaps: Arc<AtomicUsize>) {
    let mut due = tokio::time::interval(SWAP_EVERY);
    loop {
        due.tick().await;
        let n = swaps.fetch_add(1, Ordering::Relaxed) + 1;
        tls.reload([certificates[n % 2].0.clone()]).expect("valid");
    }
}

/// What those notice who were connected before.
#[derive(Default)]
struct Echoes {
    took: Vec<Duration>,
    lost: usize,
}

async fn talk(mut connected: Vec<WebSocket<Transport>>, done: Arc<AtomicBool>) -> Echoes {
    let mut due = tokio::time::interval(Duration::from_millis(10));
    let mut echoes = Echoes::default();
    let mut n = 0;
    while !done.load(Ordering::Relaxed) && !connected.is_empty() {
        due.tick().await;
        n = (n + 1) % connected.len();
        let sent = Instant::now();
        if still_there(&mut connected[n]).await.is_err() {
            connected.swap_remove(n);
            echoes.lost += 1;
        }
        echoes.took.push(sent.elapsed());
    }
    echoes
}

async fn still_there(socket: &mut WebSocket<Transport>) -> Result<(), Error> {
    socket.send("still there?").await?;
    let echo = socket.recv().await?;
    assert_eq!(echo, Some("still there?".into()));
    Ok(())
}

async fn echo(mut socket: WebSocket<Transport>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("random numbers");
    CertifiedIssuer::self_signed(params, key).expect("an authority")
}

fn made(issuer: &CertifiedIssuer<'static, KeyPair>) -> (Certificate, Vec<u8>) {
    let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let key = KeyPair::generate().expect("random numbers");
    let certificate = params.signed_by(&key, issuer).expect("signed");
    let (chain, key) = (certificate.pem(), key.serialize_pem());
    let pair = Certificate::from_pem(chain.as_bytes(), key.as_bytes());
    (pair.expect("they fit"), certificate.der().to_vec())
}
