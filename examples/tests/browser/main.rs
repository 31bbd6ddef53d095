//! Channels in a real browser: headless Chromium, the library of `extensions/mux/browser`, and our
//! server.

#[path = "../chromium/mod.rs"]
mod chromium;
mod site;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use chromium::{PATIENCE, Process, chromium};
use cloverleaf::{CloseCode, Error, Message, Server, Transport, WebSocket};
use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::Extensions;
use cloverleaf_proto::handshake::{Received, Rejection, ServerOptions};
use serde_json::{Value, json};
use site::Site;
use tokio::sync::broadcast;

type Rooms = Arc<Mutex<BTreeMap<String, broadcast::Sender<Message>>>>;

/// What a channel, or a WebSocket, to this path does.
async fn handle(mut socket: WebSocket<Transport>, rooms: Rooms) -> Result<(), Error> {
    let path = socket.opening().handshake.request().uri().path().to_owned();
    if !path.starts_with("/rooms/") {
        while let Some(message) = socket.recv().await? {
            if path == "/closes" {
                return socket.close_with(CloseCode::new(4001), "as you wish").await;
            }
            socket.send(message).await?;
        }
        return Ok(());
    }
    let room = {
        let mut rooms = rooms.lock().expect("nobody panics in here");
        let room = rooms.entry(path);
        room.or_insert_with(|| broadcast::channel(100).0).clone()
    };
    let mut said = room.subscribe();
    loop {
        tokio::select! {
            message = socket.recv() => match message? {
                Some(message) => drop(room.send(message)),
                None => return Ok(()),
            },
            Ok(message) = said.recv() => socket.send(message).await?,
        }
    }
}

async fn server() -> SocketAddr {
    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(Mux::new()).expect("an extension");
    let mut options = ServerOptions::default();
    options.protocols = vec!["x-foo".to_owned()];
    options.guards = vec![Arc::new(|received: &mut Received| {
        match received.request.uri().path() {
            "/refused" | "/rooms/refused" => Err(Rejection::forbidden("not here")),
            _ => Ok(()),
        }
    })];
    let server = Server::bind("127.0.0.1:0").await.expect("a free port");
    let server = server
        .config(config)
        .options(options)
        .channels_over("cloverleaf.mux");
    let address = server.local_addr().expect("it is bound");
    let rooms = Rooms::default();
    tokio::spawn(server.serve(move |socket| handle(socket, Arc::clone(&rooms))));
    address
}

/// What each page saw that does these parts, and over how many connections in all. `None` if there
/// is no Chromium.
async fn visit(pages: &[&str]) -> Option<(Vec<Value>, usize)> {
    let program = chromium()?;
    let site = Site::start(server().await);
    let mut browsers = Vec::new();
    for (page, parts) in pages.iter().enumerate() {
        let url = format!(
            "http://{}/page.html?page={page}&parts={parts}",
            site.address
        );
        browsers.push(Process::start(&program, &[&url], Stdio::null()));
    }
    let count = pages.len();
    let waited = tokio::task::spawn_blocking(move || {
        let seen: Vec<Value> = (0..count)
            .map(|_| site.posted.recv_timeout(PATIENCE))
            .collect::<Result<_, _>>()
            .expect("every page comes to its end");
        (seen, site.sockets.load(Ordering::SeqCst))
    });
    Some(waited.await.expect("every page comes to its end"))
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pages_talk_in_a_dozen_rooms_each_over_one_connection() {
    let Some((seen, connections)) = visit(&["meet", "meet"]).await else {
        return;
    };
    let heard: Vec<_> = (0..12)
        .map(|room| json!([format!("0 in /rooms/{room}"), format!("1 in /rooms/{room}")]))
        .collect();
    let expected = json!({ "meet": { "opened": 12, "heard": heard } });
    assert_eq!(seen, [expected.clone(), expected]);
    assert_eq!(connections, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_to_a_page_what_a_websocket_is() {
    let parts = "echoes,large,closes,refused,interfaces,turnover";
    let Some((seen, connections)) = visit(&[parts]).await else {
        return;
    };
    let echoes = json!([
        "Hello",
        "",
        "\u{e4} \u{20ac}  \u{1f600}",
        [0, 255, 128],
        "a blob"
    ]);
    let large = json!([400_000, true, true, 0]);
    let expected = json!({
        "echoes": echoes,
        "large": [large, large, large, large],
        "closes": [
            [1000, "", true],
            [4000, "", true],
            [1005, "", true],
            [4001, "as you wish", true],
        ],
        "refused": [["error", 403], ["close", 1006, "", false]],
        "interfaces": {
            "protocol": "x-foo",
            "url": "ws://127.0.0.1/echo",
            "missing": [],
            "isOpen": true,
        },
        "turnover": "all",
    });
    assert_eq!(seen, [expected]);
    assert_eq!(connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chat_page_keeps_its_rooms_on_one_connection_and_says_so() {
    let Some((seen, connections)) = visit(&["chat"]).await else {
        return;
    };
    let over = |channels: u32| format!("{channels} channels over 1 connection");
    let expected = json!({ "chat": {
        "status": [over(3), over(13), over(12)],
        "talk": ["/a b", "ann", "ann hello <b>you</b>"],
        "others": 0,
        "rooms": 13,
        "refused": "refused, 403",
        "violations": [],
    } });
    assert_eq!(seen, [expected]);
    // That of the page around it, and its own.
    assert_eq!(connections, 2);
}
