//! What a channel costs, beside a connection of its own: processor time for each message, and memory
//! while nothing goes on. Client and server are in one process with one thread, over TCP on the
//! loopback; what is printed is both ends together.
//!
//! `cargo bench -p cloverleaf --bench multiplex`

use std::process::{Command, ExitCode};
use std::time::Duration;

use bytes::Bytes;
use cloverleaf::proto::extension::Extensions;
use cloverleaf::{
    Client, ClientTls, Config, Error, Message, Server, ServerTls, Transport, WebSocket, config,
    request,
};
use cloverleaf_mux::Mux;
use futures_util::SinkExt;
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::{Builder, Runtime};

/// Octets in a message, and how many are on their way at once.
const LOADS: [(usize, usize); 5] = [
    (20, 1),
    (1 << 10, 1),
    (16 << 10, 1),
    (20, 16),
    (1 << 10, 16),
];

/// The two ways take turns, so that what else the machine does falls on both.
const TURNS: usize = 41;
const MESSAGES: usize = 3_200;

/// How many stay open while memory is looked at.
const OPEN: u32 = 1000;

/// So often, for what else the machine does.
const HOLDS: usize = 5;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--hold") {
        let [scheme, way] = &arguments[at + 1..at + 3] else {
            return ExitCode::FAILURE;
        };
        let (of_process, of_kernel) = hold(scheme == "wss", way == "channels");
        println!("{of_process} {of_kernel}");
        return ExitCode::SUCCESS;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == "--echo") {
        // For profilers: one way alone.
        let number = |n: usize| {
            arguments
                .get(at + n)
                .and_then(|n| n.parse().ok())
                .unwrap_or(1)
        };
        let (runtime, mut plain, mut channel) = ends();
        let payload = Bytes::from(vec![b'x'; number(2)]);
        let socket = match arguments[at + 1].as_str() {
            "channel" => &mut channel,
            _ => &mut plain,
        };
        for _ in 0..number(4) {
            echoes(&runtime, socket, &payload, number(3));
        }
        return ExitCode::SUCCESS;
    }
    processor();
    memory(&arguments[0]);
    ExitCode::SUCCESS
}

fn processor() {
    println!(
        "processor time for an echo, nanoseconds: median of {TURNS} turns, and of their ratios"
    );
    println!(
        "{:>8} {:>10} {:>12} {:>10} {:>7}",
        "octets", "in flight", "connection", "channel", "ratio"
    );
    for (length, in_flight) in LOADS {
        let (runtime, mut plain, mut channel) = ends();
        let payload = Bytes::from(vec![b'x'; length]);
        let mut turns = vec![];
        for turn in 0..TURNS + 2 {
            let plain = time(|| echoes(&runtime, &mut plain, &payload, in_flight));
            let channel = time(|| echoes(&runtime, &mut channel, &payload, in_flight));
            // The first warm up.
            if turn > 1 {
                turns.push((plain, channel));
            }
        }
        println!(
            "{length:>8} {in_flight:>10} {:>12.0} {:>10.0} {:>6.2}x",
            median(turns.iter().map(|(plain, _)| *plain)),
            median(turns.iter().map(|(_, channel)| *channel)),
            median(turns.iter().map(|(plain, channel)| channel / plain)),
        );
    }
}

/// Nanoseconds of this thread for each message. Profilers never come here: the clock is read in a way
/// that not all of them bear.
fn time(echoes: impl FnOnce()) -> f64 {
    let before = ran();
    echoes();
    (ran() - before) / MESSAGES as f64
}

/// Sends them and receives them again.
fn echoes(runtime: &Runtime, socket: &mut WebSocket<Transport>, payload: &Bytes, in_flight: usize) {
    runtime.block_on(async {
        for _ in 0..MESSAGES / in_flight {
            for _ in 0..in_flight {
                let message = Message::Binary(payload.clone());
                socket.feed(message).await.expect("it is open");
            }
            SinkExt::flush(socket).await.expect("it is open");
            for _ in 0..in_flight {
                let echoed = socket.recv().await.expect("it is open");
                let length = echoed.map_or(0, |message| message.payload().len());
                assert_eq!(length, payload.len());
            }
        }
    });
}

/// Nanoseconds that this thread has run, in the kernel too.
fn ran() -> f64 {
    let ran = clock_gettime(ClockId::ThreadCPUTime);
    ran.tv_sec as f64 * 1e9 + ran.tv_nsec as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A plain connection, and the first channel of another one.
fn ends() -> (Runtime, WebSocket<Transport>, WebSocket<Transport>) {
    let runtime = runtime();
    let (plain, channel) = runtime.block_on(async {
        let url = serve(None).await;
        let client = Client::new(multiplexing());
        let plain = client.connect(&url).await.expect("it is accepted");
        let request = request(&url).expect("a URL");
        let (channel, multiplexer) = client.multiplex(request).await.expect("it is accepted");
        assert!(multiplexer.is_some());
        (plain, channel)
    });
    (runtime, plain, channel)
}

fn memory(program: &str) {
    println!();
    println!(
        "memory of {OPEN} that are open and idle, octets for each, both ends: median of {HOLDS}"
    );
    println!(
        "what this process has resident (/proc/self/smaps_rollup), and with what the kernel keeps for"
    );
    println!("it (Slab of /proc/meminfo, which is of the whole machine: let it be quiet)");
    println!(
        "{:>8} {:>16} {:>12} {:>10} {:>7}",
        "", "", "connections", "channels", "ratio"
    );
    for scheme in ["ws", "wss"] {
        let [connections, channels] =
            ["connections", "channels"].map(|way| held(program, scheme, way));
        let lines = [
            ("resident", connections.0, channels.0),
            (
                "with the kernel's",
                connections.0 + connections.1,
                channels.0 + channels.1,
            ),
        ];
        for (what, connections, channels) in lines {
            println!(
                "{scheme:>8} {what:>17} {connections:>11.0} {channels:>10.0} {:>6.3}x",
                channels / connections
            );
        }
    }
}

/// Octets for each: of the process, and of the kernel.
fn held(program: &str, scheme: &str, way: &str) -> (f64, f64) {
    let mut of_process = vec![];
    let mut of_kernel = vec![];
    for _ in 0..HOLDS {
        // A process for each: what is freed is not always given back.
        let output = Command::new(program)
            .args(["--hold", scheme, way])
            .output()
            .expect("it starts");
        let printed = String::from_utf8_lossy(&output.stdout);
        let mut octets = printed.split_whitespace().map(|number| {
            let octets: f64 = number.parse().expect("it prints numbers");
            octets / f64::from(OPEN)
        });
        of_process.extend(octets.next());
        of_kernel.extend(octets.next());
    }
    (
        median(of_process.into_iter()),
        median(of_kernel.into_iter()),
    )
}

/// How much more memory this process has when so many are open, and how much more the kernel.
fn hold(secure: bool, over_one: bool) -> (usize, isize) {
    let runtime = runtime();
    runtime.block_on(async {
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
        let issued = issued.expect("a certificate");
        let chain = issued.cert.pem();
        let key = issued.signing_key.serialize_pem();
        let tls = ServerTls::from_pem(chain.as_bytes(), key.as_bytes()).expect("they fit");
        let url = serve(secure.then_some(tls)).await;
        let trusted = ClientTls::from_pem(chain.as_bytes()).expect("a certificate");
        let client = Client::new(multiplexing()).tls(trusted);
        // What is made once is made before.
        let request = request(&url).expect("a URL");
        let (first, multiplexer) = client.multiplex(request.clone()).await.expect("accepted");
        let multiplexer = multiplexer.expect("it is spoken");
        let mut open = vec![first];
        open.push(client.connect(&url).await.expect("it is accepted"));
        open.reserve(OPEN as usize);
        let before = (resident(), slab());
        for _ in 0..OPEN {
            let mut socket = if over_one {
                multiplexer.open(request.clone()).await
            } else {
                client.connect(&url).await
            }
            .expect("it is accepted");
            socket.send("alive").await.expect("it is open");
            assert!(socket.recv().await.expect("it is open").is_some());
            open.push(socket);
        }
        (resident() - before.0, slab() - before.1)
    })
}

fn resident() -> usize {
    kibibytes("/proc/self/smaps_rollup", "Rss:") * 1024
}

/// Sockets, their inodes and names, what waits for them; of all processes, so that others must be quiet.
fn slab() -> isize {
    (kibibytes("/proc/meminfo", "Slab:") * 1024).cast_signed()
}

fn kibibytes(file: &str, field: &str) -> usize {
    let status = std::fs::read_to_string(file).expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with(field));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    kibibytes.expect("it is there")
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("the system has what a runtime needs")
}

fn multiplexing() -> Config {
    let mut config = config();
    config.timing.ping_interval = Some(Duration::from_secs(3600));
    let mux = Mux::new().channels(OPEN).max_opens(OPEN);
    config.extensions = Extensions::new().with(mux).expect("there is one");
    config
}

/// An echo server: its URL.
async fn serve(tls: Option<ServerTls>) -> String {
    let server = Server::bind("127.0.0.1:0").await.expect("a free port");
    let server = server
        .config(multiplexing())
        .max_channels(OPEN as usize + 1);
    let port = server.local_addr().expect("it listens").port();
    let (server, scheme) = match tls {
        Some(tls) => (server.tls(tls), "wss"),
        None => (server, "ws"),
    };
    tokio::spawn(server.serve(|mut socket| async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok::<(), Error>(())
    }));
    format!("{scheme}://localhost:{port}/")
}
