//! A dozen WebSockets over one connection: a visit to as many rooms of `mux_chat`.
//!
//! `mux_client URL [NAME [SECONDS]]`: says hello in each room as NAME, and listens for so many
//! seconds, by default 2.

use std::time::Duration;

use cloverleaf::{Client, CloseCode, Error, Transport, WebSocket, request};
use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::Extensions;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

const ROOMS: [&str; 12] = [
    "clover", "meadow", "orchard", "hedge", "brook", "heath", "grove", "marsh", "fen", "dune",
    "glen", "moor",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: mux_client URL [NAME [SECONDS]]";
    let server = arguments.next().ok_or(usage)?;
    let name = arguments.next().unwrap_or_else(|| "somebody".to_owned());
    let seconds = arguments.next().map_or(Ok(2), |seconds| seconds.parse())?;

    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(Mux::new())?;
    let client = Client::new(config);
    let at = |room| request(&format!("{}/rooms/{room}", server.trim_end_matches('/')));

    // The first room comes with the connection; the others are opened over it. `Pool` does all of
    // this by itself, also where one connection is not enough.
    let (first, multiplexer) = client.multiplex(at(ROOMS[0])?).await?;
    let mut sockets = vec![first];
    for room in &ROOMS[1..] {
        sockets.push(match &multiplexer {
            Some(multiplexer) => multiplexer.open(at(room)?).await?,
            None => client.request(at(room)?).await?,
        });
    }
    let count = sockets.len();
    match &multiplexer {
        Some(_) => println!("{count} rooms over 1 connection"),
        None => println!("{count} rooms over {count} connections: the server does not multiplex"),
    }

    let end = Instant::now() + Duration::from_secs(seconds);
    let mut visits = JoinSet::new();
    for (room, socket) in ROOMS.into_iter().zip(sockets) {
        visits.spawn(visit(room, socket, format!("{name}: hello, {room}"), end));
    }
    while let Some(visit) = visits.join_next().await {
        visit??;
    }
    if let Some(multiplexer) = multiplexer {
        multiplexer.close(CloseCode::NORMAL, "").await?;
    }
    Ok(())
}

/// A room is a WebSocket like any other.
async fn visit(
    room: &str,
    mut socket: WebSocket<Transport>,
    hello: String,
    end: Instant,
) -> Result<(), Error> {
    socket.send(hello).await?;
    while let Ok(message) = timeout_at(end, socket.recv()).await {
        let Some(message) = message? else {
            println!("{room:>8} | (closed)");
            return Ok(());
        };
        // Others wrote it: nothing in it may move the cursor.
        let text = message.as_text().unwrap_or("(binary)");
        println!("{room:>8} | {}", text.replace(char::is_control, " "));
    }
    socket.close().await
}
