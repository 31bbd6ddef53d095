//! yawc, as an echo server (`server`) or an echo client (`client URL AGENT`).

use std::error::Error;
use std::io;

use futures_util::SinkExt;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use yawc::{HttpWebSocket, OpCode, Options, TcpWebSocket, WebSocket, WebSocketError};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => server().await,
        ["client", url, agent] => client(url.trim_end_matches('/'), &percent_encoded(agent)).await,
        _ => Err("usage: server | client URL AGENT".into()),
    }
}

fn options() -> Options {
    // It refuses what reaches a limit.
    let limit = (64 << 20) + 1;
    Options::default()
        .with_limits(limit, limit)
        .with_balanced_compression()
        .with_utf8()
        .with_no_delay()
}

/// Returns when the connection has ended, with what ended it.
async fn echo<S>(mut socket: WebSocket<S>) -> Result<(), WebSocketError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let frame = socket.next_frame().await?;
        if matches!(frame.opcode(), OpCode::Text | OpCode::Binary) {
            socket.send(frame).await?;
        }
    }
}

async fn server() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(accept))
            .with_upgrades();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("{error}");
            }
        });
    }
}

async fn accept(mut request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, WebSocketError> {
    let (response, socket) = HttpWebSocket::upgrade_with_options(&mut request, options())?;
    tokio::spawn(async move {
        let served = async { echo(socket.await?).await };
        if let Err(error) = served.await {
            eprintln!("{error}");
        }
    });
    Ok(response)
}

async fn connect(url: &str) -> Result<TcpWebSocket, Box<dyn Error>> {
    Ok(WebSocket::connect(url.parse()?)
        .with_options(options())
        .await?)
}

async fn client(url: &str, agent: &str) -> Result<(), Box<dyn Error>> {
    let mut asking = connect(&format!("{url}/getCaseCount")).await?;
    let count: u32 = asking.next_frame().await?.as_str().trim().parse()?;
    while asking.next_frame().await.is_ok() {}

    for case in 1..=count {
        let url = format!("{url}/runCase?case={case}&agent={agent}");
        let run = async { Ok::<_, Box<dyn Error>>(echo(connect(&url).await?).await?) };
        // Most cases end in an error, by design.
        if let Err(error) = run.await {
            eprintln!("case {case}: {error}");
        }
    }

    let mut reporting = connect(&format!("{url}/updateReports?agent={agent}")).await?;
    while reporting.next_frame().await.is_ok() {}
    Ok(())
}

/// The text as the value of a query parameter.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
