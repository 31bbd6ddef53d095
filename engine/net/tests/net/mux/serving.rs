//! A server on TCP whose connections carry many.

use std::sync::Arc;
use std::time::Duration;

use cloverleaf::{Client, CloseCode, Error, Server, ServerOptions, Transport, WebSocket, request};
use cloverleaf_mux::Mux;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::{Served, echoes, with};

#[tokio::test]
async fn a_dozen_sockets_over_one_connection_reach_the_same_handler() {
    let server = Served::start(|server| server).await;
    let client = Client::new(with(Mux::new()));
    let (first, multiplexer) = client
        .multiplex(request(&server.url("/")).unwrap())
        .await
        .unwrap();
    let multiplexer = multiplexer.unwrap();
    let mut sockets = vec![first];
    for n in 1..12 {
        let request = request(&server.url(&format!("/{n}"))).unwrap();
        sockets.push(multiplexer.open(request).await.unwrap());
    }
    for (n, socket) in sockets.iter_mut().enumerate() {
        echoes(socket, &format!("hello from {n}")).await;
    }
    assert_eq!(server.counts(), (12, 1));
    // A plain client is served by the same server.
    let mut plain = client.connect(&server.url("/")).await.unwrap();
    echoes(&mut plain, "plain").await;
    assert_eq!(server.counts(), (13, 2));
}

#[tokio::test]
async fn a_server_that_stops_says_1001_on_every_channel_and_on_the_connection() {
    let server = Served::start(|server| server).await;
    let client = Client::new(with(Mux::new()));
    let (first, multiplexer) = client
        .multiplex(request(&server.url("/")).unwrap())
        .await
        .unwrap();
    let multiplexer = multiplexer.unwrap();
    let mut sockets = vec![first];
    for _ in 0..20 {
        let request = request(&server.url("/")).unwrap();
        sockets.push(multiplexer.open(request).await.unwrap());
    }
    for socket in &mut sockets {
        echoes(socket, "one").await;
    }
    let ends = tokio::spawn(async move {
        for mut socket in sockets {
            assert_eq!(socket.recv().await.unwrap(), None);
            let closed = socket.closed().unwrap();
            assert_eq!(
                (closed.code.number(), &*closed.reason),
                (1001, "server stops")
            );
            assert!(closed.clean);
        }
        multiplexer
    });
    let drained = server.stop().await;
    assert_eq!((drained.clean, drained.forced), (1, 0));
    let multiplexer = ends.await.unwrap();
    let closed = async {
        while !multiplexer.is_closed() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), closed)
        .await
        .expect("the connection closes too");
}

#[tokio::test]
async fn a_handler_that_panics_closes_its_channel_with_1011_and_the_others_go_on() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.config(with(Mux::new()));
    let url = format!("ws://{}", server.local_addr().unwrap());
    let handler = |mut socket: WebSocket<Transport>| async move {
        while let Some(message) = socket.recv().await? {
            assert_ne!(message, "panic".into(), "as it was told");
            socket.send(message).await?;
        }
        Ok::<(), Error>(())
    };
    let serving = tokio::spawn(server.serve(handler));
    let client = Client::new(with(Mux::new()));
    let (mut first, multiplexer) = client.multiplex(request(&url).unwrap()).await.unwrap();
    let opened = multiplexer.unwrap().open(request(&url).unwrap()).await;
    let mut other = opened.unwrap();
    first.send("panic").await.unwrap();
    assert_eq!(first.recv().await.unwrap(), None);
    assert_eq!(first.closed().unwrap().code, CloseCode::INTERNAL_ERROR);
    echoes(&mut other, "unharmed").await;
    serving.abort();
}

#[tokio::test]
async fn handlers_of_a_connection_that_is_lost_come_to_their_end() {
    let ended = Arc::new(Notify::new());
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.config(with(Mux::new()));
    let url = format!("ws://{}", server.local_addr().unwrap());
    let told = Arc::clone(&ended);
    let handler = move |mut socket: WebSocket<Transport>| {
        let told = Arc::clone(&told);
        async move {
            let end = socket.recv().await;
            told.notify_one();
            end.map(|_| ())
        }
    };
    let serving = tokio::spawn(server.serve(handler));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let sockets = runtime.spawn(async move {
        let client = Client::new(with(Mux::new()));
        let (first, multiplexer) = client.multiplex(request(&url).unwrap()).await.unwrap();
        let request = request(&url).unwrap();
        let second = multiplexer.as_ref().unwrap().open(request).await.unwrap();
        (first, second, multiplexer)
    });
    let sockets = sockets.await.unwrap();
    // The client's runtime ends with its sockets open: its TCP connection goes away.
    runtime.shutdown_background();
    ended.notified().await;
    drop(sockets);
    serving.abort();
}

#[tokio::test]
async fn browsers_get_channels_over_a_subprotocol_and_no_first_one() {
    let server = Served::start(|server| {
        let options = ServerOptions::default();
        server.options(options).channels_over("cloverleaf.mux")
    })
    .await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "GET / HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: cloverleaf.mux\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    let mut buffer = [0; 4096];
    // The head, then FlowControl and NewChannelSlot.
    while !heard.ends_with(b"\x80\x40\x7e\x1f\x81") {
        let n = stream.read(&mut buffer).await.unwrap();
        assert_ne!(n, 0, "{}", heard.escape_ascii());
        heard.extend_from_slice(&buffer[..n]);
    }
    let text = String::from_utf8_lossy(&heard);
    assert!(text.contains("Sec-WebSocket-Protocol: cloverleaf.mux\r\n"));
    assert!(!text.contains("Sec-WebSocket-Extensions"));
    assert_eq!(server.counts(), (0, 0));
    // A request by difference, with room for the answer: the headers of the connection count.
    let request = "GET /x HTTP/1.1\r\nSec-WebSocket-Protocol:\r\n\r\n";
    let mut payload = vec![0x00, 0x01, 0x02, u8::try_from(request.len()).unwrap()];
    payload.extend_from_slice(request.as_bytes());
    payload.extend([0x40, 0x02, 100]);
    payload_out(&mut stream, &payload).await;
    payload_out(&mut stream, b"\x02\x81Hello").await;
    heard.clear();
    while !heard.ends_with(b"\x02\x81Hello") {
        let n = stream.read(&mut buffer).await.unwrap();
        assert_ne!(n, 0, "{}", heard.escape_ascii());
        heard.extend_from_slice(&buffer[..n]);
    }
    assert_eq!(server.counts(), (1, 1));
}

/// A binary message of a client, masked with zeros.
async fn payload_out(stream: &mut TcpStream, payload: &[u8]) {
    let length = u8::try_from(payload.len()).unwrap();
    let frame = [&[0x82, 0x80 | length, 0, 0, 0, 0], payload].concat();
    stream.write_all(&frame).await.unwrap();
}

#[tokio::test]
async fn a_client_cannot_have_more_handlers_than_the_server_says() {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.config(with(Mux::new())).max_channels(3);
    let url = format!("ws://{}", server.local_addr().unwrap());
    // Closed, and still at work.
    let handler = |mut socket: WebSocket<Transport>| async move {
        while socket.recv().await?.is_some() {}
        std::future::pending::<Result<(), Error>>().await
    };
    let serving = tokio::spawn(server.serve(handler));
    let client = Client::new(with(Mux::new()));
    let (_first, multiplexer) = client.multiplex(request(&url).unwrap()).await.unwrap();
    let multiplexer = multiplexer.unwrap();
    for _ in 0..2 {
        let mut socket = multiplexer.open(request(&url).unwrap()).await.unwrap();
        socket.close().await.unwrap();
    }
    let error = multiplexer.open(request(&url).unwrap()).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(503));
    serving.abort();
}
