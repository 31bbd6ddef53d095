//! tokio-tungstenite, as an echo server (`server`) or an echo client (`client URL AGENT`).
//!
//! It has no permessage-deflate.

use std::error::Error;
use std::io;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{
    accept_async_with_config, connect_async_with_config, tungstenite, MaybeTlsStream,
    WebSocketStream,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => server().await,
        ["client", url, agent] => client(url.trim_end_matches('/'), &percent_encoded(agent)).await,
        _ => Err("usage: server | client URL AGENT".into()),
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(64 << 20))
        .max_frame_size(Some(64 << 20))
}

async fn echo<S>(mut socket: WebSocketStream<S>) -> tungstenite::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = socket.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            socket.send(message).await?;
        }
    }
    Ok(())
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
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn serve(stream: TcpStream) -> tungstenite::Result<()> {
    stream.set_nodelay(true)?;
    echo(accept_async_with_config(stream, Some(config())).await?).await
}

async fn connect(url: &str) -> tungstenite::Result<WebSocketStream<MaybeTlsStream<TcpStream>>> {
    let (socket, _) = connect_async_with_config(url, Some(config()), true).await?;
    Ok(socket)
}

async fn client(url: &str, agent: &str) -> Result<(), Box<dyn Error>> {
    let mut asking = connect(&format!("{url}/getCaseCount")).await?;
    let answer = asking.next().await.ok_or("no case count")??;
    let count: u32 = answer.to_text()?.trim().parse()?;
    while let Some(Ok(_)) = asking.next().await {}

    for case in 1..=count {
        let run = async {
            echo(connect(&format!("{url}/runCase?case={case}&agent={agent}")).await?).await
        };
        // Most cases end in an error, by design.
        if let Err(error) = run.await {
            eprintln!("case {case}: {error}");
        }
    }

    let mut reporting = connect(&format!("{url}/updateReports?agent={agent}")).await?;
    while let Some(Ok(_)) = reporting.next().await {}
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
