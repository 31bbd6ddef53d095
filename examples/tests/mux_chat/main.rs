//! The rooms of `mux_chat`: a page and a Rust client, each with a dozen over one TCP connection.

#[path = "../chromium/mod.rs"]
mod chromium;
mod devtools;
mod proxy;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use cloverleaf::{Client, CloseCode, Message, Multiplexer, Transport, WebSocket, connect, request};
use cloverleaf_examples::chat::rooms::{Rooms, visit};
use cloverleaf_examples::chat::server;
use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::Extensions;
use devtools::Browser;
use proxy::Proxy;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ROOMS: [&str; 12] = [
    "clover", "meadow", "orchard", "hedge", "brook", "heath", "grove", "marsh", "fen", "dune",
    "glen", "moor",
];

/// The server of the example, on a free port.
async fn start() -> SocketAddr {
    let server = server("127.0.0.1:0").await.expect("a free port");
    let address = server.local_addr().expect("it is bound");
    let rooms = Arc::new(Rooms::default());
    tokio::spawn(server.serve(move |socket| visit(socket, Arc::clone(&rooms))));
    address
}

type Socket = WebSocket<Transport>;

/// All these rooms over one connection.
async fn join(server: SocketAddr, rooms: &[&str]) -> (Vec<Socket>, Multiplexer<Transport>) {
    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(Mux::new()).expect("an extension");
    let at = |room| request(&format!("ws://{server}/rooms/{room}")).expect("a URL");
    let (first, multiplexer) = Client::new(config)
        .multiplex(at(rooms[0]))
        .await
        .expect("a room");
    let multiplexer = multiplexer.expect("the server multiplexes");
    let mut sockets = vec![first];
    for room in &rooms[1..] {
        sockets.push(multiplexer.open(at(room)).await.expect("a room"));
    }
    (sockets, multiplexer)
}

async fn hear(socket: &mut Socket) -> Message {
    let heard = socket.recv().await.expect("no error");
    heard.expect("the room is open")
}

async fn hear_text(socket: &mut Socket) -> String {
    hear(socket).await.as_text().expect("text").to_owned()
}

#[tokio::test]
async fn a_client_has_a_dozen_rooms_over_one_tcp_connection() {
    let proxy = Proxy::start(start().await).await;
    let (mut sockets, multiplexer) = join(proxy.address, &ROOMS).await;
    assert_eq!(multiplexer.channels(), 12);
    for (room, socket) in ROOMS.iter().zip(&mut sockets) {
        socket.send(format!("in {room}")).await.unwrap();
    }
    // The first that each hears is its own: nothing that was said in another.
    for (room, socket) in ROOMS.iter().zip(&mut sockets) {
        assert_eq!(hear_text(socket).await, format!("in {room}"));
    }
    for mut socket in sockets {
        socket.close().await.unwrap();
    }
    assert_eq!((proxy.connections(), proxy.websockets()), (1, 1));
}

#[tokio::test]
async fn members_hear_each_other_and_themselves_as_it_was_said_however_they_came() {
    let server = start().await;
    let (mut sockets, _multiplexer) = join(server, &["clover", "meadow"]).await;
    let url = format!("ws://{server}/rooms/clover");
    let mut plain = connect(&url).await.expect("a connection of its own");
    let said = [
        Message::text("hello, \u{1f340}"),
        Message::binary(vec![0, 255]),
        Message::text(""),
    ];
    for message in &said {
        plain.send(message.clone()).await.unwrap();
    }
    for message in &said {
        assert_eq!(hear(&mut plain).await, *message);
        assert_eq!(hear(&mut sockets[0]).await, *message);
    }
    sockets[0].send("and you").await.unwrap();
    assert_eq!(hear_text(&mut plain).await, "and you");
    // The other room has heard nothing.
    sockets[1].send("silence").await.unwrap();
    assert_eq!(hear_text(&mut sockets[1]).await, "silence");
}

#[tokio::test]
async fn who_does_not_read_is_closed_with_1008_and_the_others_go_on_over_the_same_connection_too() {
    const SAID: usize = 300;
    let server = start().await;
    // Both are members twice; one of them does not read in the first room.
    let (mut lazy, _multiplexer) = join(server, &["clover", "meadow"]).await;
    let (mut brisk, _another) = join(server, &["clover", "meadow"]).await;
    let said = |n| format!("{n:>8000}");
    for n in 0..SAID {
        brisk[0].send(said(n)).await.unwrap();
        assert_eq!(hear_text(&mut brisk[0]).await, said(n));
        brisk[1].send("still here").await.unwrap();
        assert_eq!(hear_text(&mut brisk[1]).await, "still here");
        assert_eq!(hear_text(&mut lazy[1]).await, "still here");
    }
    let mut heard = 0;
    while let Some(message) = lazy[0].recv().await.unwrap() {
        assert_eq!(message.as_text(), Some(said(heard).as_str()));
        heard += 1;
    }
    // What was on its way; what still waited for it is gone.
    assert!((1..100).contains(&heard), "{heard}");
    let closed = lazy[0].closed().expect("it has ended");
    assert_eq!(closed.code, CloseCode::POLICY_VIOLATION);
    assert_eq!(closed.reason, "you do not read what is said here");
}

#[tokio::test]
async fn a_message_that_is_too_long_closes_its_room_with_1009_and_no_other() {
    let (mut sockets, _multiplexer) = join(start().await, &["clover", "meadow"]).await;
    sockets[0].send("a".repeat(8 * 1024)).await.unwrap();
    assert_eq!(hear(&mut sockets[0]).await.payload().len(), 8 * 1024);
    sockets[0].send("a".repeat(8 * 1024 + 1)).await.unwrap();
    assert_eq!(sockets[0].recv().await.unwrap(), None);
    let closed = sockets[0].closed().expect("it has ended");
    assert_eq!(closed.code, CloseCode::MESSAGE_TOO_BIG);
    sockets[1].send("still here").await.unwrap();
    assert_eq!(hear_text(&mut sockets[1]).await, "still here");
}

#[tokio::test]
async fn there_are_rooms_under_rooms_and_nothing_elsewhere() {
    let server = start().await;
    let (_sockets, multiplexer) = join(server, &["clover"]).await;
    for path in ["/", "/rooms", "/rooms/", "/rooms/a/b", "/elsewhere"] {
        let url = format!("ws://{server}{path}");
        let refused = connect(&url).await.expect_err(path);
        assert_eq!(refused.status().map(|status| status.as_u16()), Some(404));
        let asked = multiplexer.open(request(&url).unwrap()).await;
        let refused = asked.expect_err(path);
        assert_eq!(refused.status().map(|status| status.as_u16()), Some(404));
    }
}

/// The whole answer to a request of this line: head and content.
async fn ask(server: SocketAddr, line: &str) -> (String, String) {
    let stream = TcpStream::connect(server).await;
    let mut stream = stream.expect("the server listens");
    let request = format!("{line} HTTP/1.1\r\nHost: {server}\r\n\r\n");
    let written = stream.write_all(request.as_bytes()).await;
    written.expect("the server reads");
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer).await;
    read.expect("the server answers");
    let (head, content) = answer.split_once("\r\n\r\n").expect("a whole head");
    (head.to_owned(), content.to_owned())
}

#[tokio::test]
async fn the_page_comes_as_it_is_on_disk_with_its_type_and_its_policy() {
    let server = start().await;
    let files = [
        ("/", "html", "web/chat/index.html"),
        ("/?x=1", "html", "web/chat/index.html"),
        ("/style.css", "css", "web/chat/style.css"),
        ("/chat.js", "javascript", "web/chat/chat.js"),
        (
            "/mux/mux.js",
            "javascript",
            "../extensions/mux/browser/mux.js",
        ),
    ];
    for (path, kind, file) in files {
        let (head, content) = ask(server, &format!("GET {path}")).await;
        let on_disk = std::fs::read_to_string(file).expect("tests run in the package's folder");
        assert_eq!(content, on_disk, "{path}");
        let expected = format!(
            "HTTP/1.1 200 OK\r\n\
             Connection: close\r\n\
             Content-Security-Policy: default-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'; object-src 'none'\r\n\
             X-Content-Type-Options: nosniff\r\n\
             Content-Type: text/{kind}; charset=utf-8\r\n\
             Content-Length: {}",
            on_disk.len()
        );
        assert_eq!(head, expected, "{path}");
    }
}

/// What the page loads, and what that loads, and so on.
#[tokio::test]
async fn every_file_that_the_page_asks_for_is_there() {
    let server = start().await;
    let mut seen = BTreeSet::new();
    let mut to_load = vec!["/".to_owned()];
    while let Some(path) = to_load.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let (head, content) = ask(server, &format!("GET {path}")).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        let folder = path.rsplit_once('/').expect("paths are absolute").0;
        // Whatever stands in quotes and begins so.
        for quoted in content.split('"').filter(|part| part.starts_with("./")) {
            to_load.push(format!("{folder}/{}", &quoted[2..]));
        }
    }
    let library = ["channel", "codec", "endpoint", "multiplexer", "mux"];
    let expected: BTreeSet<String> = ["/", "/chat.js", "/style.css"]
        .map(str::to_owned)
        .into_iter()
        .chain(library.map(|module| format!("/mux/{module}.js")))
        .collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn no_path_leads_out_of_the_site_and_there_is_only_get() {
    let server = start().await;
    let escapes = [
        "/../Cargo.toml",
        "/mux/../chat.js",
        "/mux/..%2fchat.js",
        "/%2e%2e/Cargo.toml",
        "/..\\Cargo.toml",
        "/mux/",
        "/mux/README.md",
        "/index.html",
        "/etc/passwd",
        "/rooms/clover",
    ];
    for path in escapes {
        let (head, content) = ask(server, &format!("GET {path}")).await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{path}: {head}");
        assert_eq!(content, "there is nothing here\n", "{path}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"] {
        let (head, _) = ask(server, &format!("{method} /")).await;
        assert!(head.starts_with("HTTP/1.1 405 "), "{method}: {head}");
        assert!(head.contains("\r\nAllow: GET\r\n"), "{method}: {head}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_a_client_talk_in_a_dozen_rooms_each_over_one_tcp_connection() {
    let Some(program) = chromium::chromium() else {
        return;
    };
    let server = start().await;
    let (for_client, for_page) = (Proxy::start(server).await, Proxy::start(server).await);
    let (mut sockets, _multiplexer) = join(for_client.address, &ROOMS).await;

    let mut browser = Browser::start(&program).await;
    // The address names the rooms to begin with; the others are added by hand.
    let url = format!("http://{}/#{}", for_page.address, ROOMS[0]);
    browser.open(&url).await;
    browser.run(include_str!("page.js")).await;
    for room in &ROOMS[1..] {
        browser.run(&format!("addRoom({})", json!(room))).await;
    }
    let status = browser.run("allOpen(12)").await;
    assert_eq!(status, json!("12 channels over 1 connection"));

    for room in ROOMS {
        let what = json!(format!("hello, {room}"));
        browser.run(&format!("say({}, {what})", json!(room))).await;
    }
    for (room, socket) in ROOMS.iter().zip(&mut sockets) {
        assert_eq!(hear_text(socket).await, format!("ann: hello, {room}"));
        let answer = format!("bob: welcome to {room}");
        socket.send(answer.as_str()).await.unwrap();
        assert_eq!(hear_text(socket).await, answer);
    }
    let heard = browser.run("heard(2)").await;
    let expected: BTreeMap<_, _> = ROOMS
        .iter()
        .map(|room| {
            let lines = [
                format!("ann hello, {room}"),
                format!("bob welcome to {room}"),
            ];
            (*room, lines)
        })
        .collect();
    assert_eq!(heard, json!(expected));
    assert_eq!(browser.complaints(), Vec::<String>::new());

    assert_eq!(for_client.connections(), 1);
    // The others are those of its files.
    assert_eq!(for_page.websockets(), 1);
}
