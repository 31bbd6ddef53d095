//! fastwebsockets, as an echo server (`server`) or an echo client (`client URL AGENT`).
//!
//! It has no permessage-deflate.

use std::error::Error;
use std::io;

use fastwebsockets::{
    handshake, upgrade, FragmentCollector, Frame, OpCode, WebSocket, WebSocketError,
};
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpStream};

type Socket = WebSocket<TokioIo<Upgraded>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => server().await,
        ["client", url, agent] => client(url, &percent_encoded(agent)).await,
        _ => Err("usage: server | client URL AGENT".into()),
    }
}

async fn echo(mut socket: Socket) -> Result<(), WebSocketError> {
    socket.set_max_message_size(64 << 20);
    let mut socket = FragmentCollector::new(socket);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => {
                socket
                    .write_frame(Frame::new(true, frame.opcode, None, frame.payload))
                    .await?;
            }
            OpCode::Close => return Ok(()),
            _ => {}
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
    let (response, socket) = upgrade::upgrade(&mut request)?;
    tokio::spawn(async move {
        let served = async { echo(socket.await?).await };
        if let Err(error) = served.await {
            eprintln!("{error}");
        }
    });
    Ok(response)
}

async fn connect(url: &str, path: &str) -> Result<Socket, Box<dyn Error>> {
    let authority = url
        .strip_prefix("ws://")
        .ok_or("the URL must begin with ws://")?;
    let authority = authority.trim_end_matches('/');
    let request = Request::get(path)
        .header(HOST, authority)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_KEY, handshake::generate_key())
        .header(SEC_WEBSOCKET_VERSION, "13")
        .body(Empty::<Bytes>::new())?;
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = handshake::client(&TokioExecutor::new(), request, stream).await?;
    Ok(socket)
}

async fn client(url: &str, agent: &str) -> Result<(), Box<dyn Error>> {
    let mut asking = FragmentCollector::new(connect(url, "/getCaseCount").await?);
    let answer = asking.read_frame().await?;
    let count: u32 = std::str::from_utf8(&answer.payload)?.trim().parse()?;
    while asking
        .read_frame()
        .await
        .is_ok_and(|frame| frame.opcode != OpCode::Close)
    {}

    for case in 1..=count {
        let path = format!("/runCase?case={case}&agent={agent}");
        let run = async { Ok::<_, Box<dyn Error>>(echo(connect(url, &path).await?).await?) };
        // Most cases end in an error, by design.
        if let Err(error) = run.await {
            eprintln!("case {case}: {error}");
        }
    }

    let path = format!("/updateReports?agent={agent}");
    let mut reporting = FragmentCollector::new(connect(url, &path).await?);
    while reporting
        .read_frame()
        .await
        .is_ok_and(|frame| frame.opcode != OpCode::Close)
    {}
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
