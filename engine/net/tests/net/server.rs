//! The server on TCP: many connections, one of them or all of them ending.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cloverleaf::proto::handshake::{Check, Received, RequestGuard, Subprotocol};
use cloverleaf::{
    Acceptor, Answered, Client, Decision, Drained, Error, ErrorKind, OriginPolicy, Rejection,
    Server, ServerOptions, Transport, WebSocket, request,
};
use http::header::{AUTHORIZATION, HeaderValue, ORIGIN, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::ends::{Peer, REQUEST, quiet, s};
use crate::wire::{CLOSE, TEXT, closing, frame, masked, whole_frames};

/// A server that runs until it is told to stop.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    drained: JoinHandle<Drained>,
}

impl Running {
    async fn start<H, F>(configure: impl FnOnce(Server) -> Server, handler: H) -> Self
    where
        H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let server = configure(Server::bind("127.0.0.1:0").await.unwrap().config(quiet()));
        let address = server.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let drained = tokio::spawn(server.serve_until(stopped, handler));
        Self {
            address,
            stop,
            drained,
        }
    }

    async fn echo(configure: impl FnOnce(Server) -> Server) -> Self {
        Self::start(configure, echo).await
    }

    async fn connect(&self) -> Result<WebSocket<Transport>, Error> {
        let url = format!("ws://{}/", self.address);
        Client::new(quiet()).connect(&url).await
    }

    /// Writes octets, and reads all that comes until the server ends the stream.
    async fn raw(&self, octets: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(octets).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    }

    async fn is_alive(&self) {
        let mut socket = self.connect().await.unwrap();
        socket.send("alive?").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some("alive?".into()));
        socket.close().await.unwrap();
    }

    async fn stop(self) -> Drained {
        self.stop.send(()).unwrap();
        self.drained.await.unwrap()
    }
}

fn echo(
    mut socket: WebSocket<Transport>,
) -> Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> {
    Box::pin(async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    })
}

/// Keeps a connection open and does nothing.
async fn hold(socket: WebSocket<Transport>) -> Result<(), Error> {
    let _open = socket;
    std::future::pending().await
}

#[tokio::test]
async fn d01_a_server_that_stops_says_1001_to_everybody_behind_what_it_sent() {
    let server = Running::echo(|server| server).await;
    let mut sockets = Vec::new();
    for _ in 0..50 {
        let mut socket = server.connect().await.unwrap();
        socket.send("one").await.unwrap();
        assert_eq!(socket.recv().await.unwrap(), Some("one".into()));
        sockets.push(socket);
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
    });
    let address = server.address;
    let drained = server.stop().await;
    assert_eq!((drained.clean, drained.forced), (50, 0));
    ends.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn d01_a_handler_that_only_sends_learns_of_it_too() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let server = Running::start(
        |server| server,
        move |mut socket| {
            let sent = Arc::clone(&counted);
            async move {
                loop {
                    socket.send("tick").await?;
                    sent.fetch_add(1, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                }
            }
        },
    )
    .await;
    let mut socket = server.connect().await.unwrap();
    let receiving = tokio::spawn(async move {
        let mut received = 0;
        while let Some(message) = socket.recv().await.unwrap() {
            assert_eq!(message, "tick".into());
            received += 1;
        }
        (received, socket.closed().unwrap().code.number())
    });
    while sent.load(Ordering::SeqCst) < 10 {
        tokio::task::yield_now().await;
    }
    let drained = server.stop().await;
    assert_eq!((drained.clean, drained.forced), (1, 0));
    // D03: every send that returned arrives.
    let (received, code) = receiving.await.unwrap();
    assert_eq!((received, code), (sent.load(Ordering::SeqCst), 1001));
}

#[tokio::test(start_paused = true)]
async fn d02_handlers_that_do_not_end_are_cut_off_when_the_time_is_up() {
    let begun = Arc::new(Notify::new());
    let notify = Arc::clone(&begun);
    let server = Running::start(
        |server| server.drain_timeout(s(30)),
        move |socket| {
            notify.notify_one();
            hold(socket)
        },
    )
    .await;
    // By hand: time must stand still while a real socket is on its way.
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    begun.notified().await;
    let start = Instant::now();
    let drained = server.stop().await;
    assert_eq!((drained.clean, drained.forced), (0, 1));
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn d04_a_request_that_is_under_way_when_the_server_stops_is_answered_503() {
    let server = Running::echo(|server| server).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&REQUEST[..40]).await.unwrap();
    // Behind it in the queue, so that it has been accepted when this one is served.
    server.is_alive().await;
    let address = server.address;
    let stopping = tokio::spawn(server.stop());
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    stream.write_all(&REQUEST[40..]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    stopping.await.unwrap();
}

#[tokio::test]
async fn d08_dropped_a_server_lets_go_of_everything() {
    let server = Running::start(|server| server, hold).await;
    let mut socket = server.connect().await.unwrap();
    server.drained.abort();
    // The handler's socket said goodbye when it was dropped.
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(socket.closed().unwrap().code.number(), 1000);
    assert!(server.drained.await.unwrap_err().is_cancelled());
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn h29_beyond_max_connections_clients_are_told_503_and_when_to_come_back() {
    let server = Running::echo(|server| server.max_connections(2)).await;
    let first = server.connect().await.unwrap();
    let second = server.connect().await.unwrap();
    let refused = server.connect().await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    let retry = &refused.response().unwrap().headers()["retry-after"];
    assert_eq!(retry, "5");
    drop(first);
    // The place is free once the handler has seen the end.
    loop {
        match server.connect().await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE)),
        }
    }
    drop(second);
}

#[tokio::test]
async fn of_too_many_handshakes_the_oldest_is_ended_and_new_clients_get_in() {
    let server = Running::echo(|server| server.max_pending(3)).await;
    let mut stalled = Vec::new();
    for _ in 0..5 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        stalled.push(stream);
    }
    server.is_alive().await;
    // Five and the one that came in were six: three were ended, the oldest first.
    for stream in &mut stalled[..3] {
        let mut octets = Vec::new();
        let _ = stream.read_to_end(&mut octets).await;
        assert!(octets.is_empty());
    }
    stalled[4]
        .write_all(&REQUEST[b"GET / HTTP/1.1\r\n".len()..])
        .await
        .unwrap();
    let mut answer = [0; 12];
    stalled[4].read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
}

#[tokio::test]
async fn x09_a_handler_that_panics_says_1011_to_its_peer_and_hurts_nobody_else() {
    let server = Running::start(
        |server| server,
        |mut socket| async move {
            while let Some(message) = socket.recv().await? {
                assert!(message != "panic".into(), "expected by the test");
                socket.send(message).await?;
            }
            Ok(())
        },
    )
    .await;
    let mut other = server.connect().await.unwrap();
    let mut socket = server.connect().await.unwrap();
    socket.send("panic").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(socket.closed().unwrap().code.number(), 1011);
    other.send("still here").await.unwrap();
    assert_eq!(other.recv().await.unwrap(), Some("still here".into()));
    server.is_alive().await;
}

#[tokio::test]
async fn a_guard_that_panics_hurts_nobody_else() {
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(|received: &mut Received| {
        assert!(
            received.request.uri().path() != "/panic",
            "expected by the test"
        );
        Ok(())
    }));
    let server = Running::echo(|server| server.options(options)).await;
    let url = format!("ws://{}/panic", server.address);
    Client::new(quiet()).connect(&url).await.unwrap_err();
    server.is_alive().await;
}

#[tokio::test]
async fn a_handler_that_returns_an_error_closes_its_connection_and_no_other() {
    let server = Running::start(
        |server| server,
        |mut socket| async move {
            let message = socket.recv().await?.unwrap();
            socket
                .send_part(cloverleaf::Kind::Text, "open end", false)
                .await?;
            socket.send(message).await
        },
    )
    .await;
    let mut socket = server.connect().await.unwrap();
    socket.send("x").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(socket.closed().unwrap().code.number(), 1000);
    assert_eq!(server.stop().await.forced, 0);
}

#[tokio::test]
async fn bad_requests_get_their_status_and_the_server_goes_on() {
    let server = Running::echo(|server| server).await;
    let replaced = |from: &str, to: &str| {
        let request = std::str::from_utf8(REQUEST).unwrap();
        assert!(request.contains(from));
        request.replace(from, to).into_bytes()
    };
    for (octets, status) in [
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec(),
            "400",
        ),
        (b"\0\0\0\0\r\n\r\n".to_vec(), "400"),
        (replaced("GET", "POST"), "405"),
        (replaced("HTTP/1.1", "HTTP/2.0"), "505"),
        (replaced("Host: localhost\r\n", ""), "400"),
        (replaced("Upgrade: websocket\r\n", ""), "426"),
        (replaced("Version: 13", "Version: 8"), "426"),
        (replaced("Key: dGhl", "Key: x"), "400"),
        (
            replaced("Host:", "Origin: http://evil.example\r\nHost:"),
            "403",
        ),
        (
            replaced("GET /", &format!("GET /{}", "x".repeat(9000))),
            "414",
        ),
        (
            replaced("Host:", &format!("{}Host:", "X: y\r\n".repeat(101))),
            "431",
        ),
    ] {
        let answer = server.raw(&octets).await;
        let answer = String::from_utf8_lossy(&answer);
        let shown = String::from_utf8_lossy(&octets[..octets.len().min(100)]);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown}: {answer}"
        );
    }
    server.is_alive().await;
}

#[tokio::test]
async fn h15_behind_a_refused_request_no_other_is_answered() {
    let server = Running::echo(|server| server).await;
    let smuggled = [&b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"[..], REQUEST].concat();
    let answer = String::from_utf8(server.raw(&smuggled).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
}

#[tokio::test]
async fn h18_frames_in_the_same_segment_as_the_request_are_served() {
    let server = Running::echo(|server| server).await;
    let octets = [
        REQUEST,
        &masked(TEXT, b"early"),
        &masked(CLOSE, &closing(1000, "")),
    ]
    .concat();
    let answer = server.raw(&octets).await;
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    assert_eq!(
        whole_frames(&answer[end..]),
        [(TEXT, b"early".to_vec()), (CLOSE, closing(1000, ""))]
    );
}

#[tokio::test]
async fn origins_subprotocols_guards_and_headers_are_as_the_options_say() {
    let mut options = ServerOptions::default();
    options.origin = OriginPolicy::List(vec!["https://good.example".to_owned()]);
    options.protocols = vec!["chat".to_owned()];
    options.require_protocol = true;
    let cookie = HeaderValue::from_static("seen=1");
    options.response_headers.insert(SET_COOKIE, cookie.clone());
    options.guards.push(Arc::new(|received: &mut Received| {
        // The server says where the client is.
        assert!(
            received
                .peer()
                .is_some_and(|peer| peer.address.is_some() && !peer.secure)
        );
        match received.request.uri().path() {
            "/secret" => Err(Rejection::forbidden("not for you")),
            _ => Ok(()),
        }
    }));
    let server = Running::start(
        |server| server.options(options),
        |mut socket| async move {
            let protocol = socket.protocol().unwrap_or("none").to_owned();
            socket.send(protocol).await?;
            socket.close().await
        },
    )
    .await;
    let ask = async |path: &str, origin: Option<&'static str>, protocol: Option<&str>| {
        let mut request = request(&format!("ws://{}{path}", server.address)).unwrap();
        if let Some(origin) = origin {
            request = request
                .header(ORIGIN, HeaderValue::from_static(origin))
                .unwrap();
        }
        if let Some(protocol) = protocol {
            request = request.protocol(protocol).unwrap();
        }
        Client::new(quiet()).request(request).await
    };
    let mut socket = ask("/", Some("https://good.example"), Some("chat"))
        .await
        .unwrap();
    assert_eq!(socket.protocol(), Some("chat"));
    assert_eq!(
        socket.opening().handshake.response().headers()[SET_COOKIE],
        cookie
    );
    assert_eq!(socket.recv().await.unwrap(), Some("chat".into()));
    assert_eq!(socket.recv().await.unwrap(), None);
    ask("/", None, Some("chat")).await.unwrap();
    for (path, origin, protocol, status) in [
        (
            "/",
            Some("https://good.example.evil.example"),
            Some("chat"),
            403,
        ),
        ("/", Some("null"), Some("chat"), 403),
        ("/secret", None, Some("chat"), 403),
        ("/", None, Some("other"), 400),
        ("/", None, None, 400),
    ] {
        let error = ask(path, origin, protocol).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Handshake);
        assert_eq!(
            error.status().unwrap(),
            status,
            "{path} {origin:?} {protocol:?}"
        );
    }
}

#[tokio::test]
async fn a_401_keeps_the_connection_for_another_try() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(near);
    let acceptor = Acceptor::new(quiet(), ServerOptions::default());
    let asking = async {
        peer.write(REQUEST).await;
        let head = peer.head().await;
        assert!(head.starts_with(b"HTTP/1.1 401 "));
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        assert!(
            head.contains("www-authenticate: basic realm=\"test\"\r\n"),
            "{head}"
        );
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
        peer.read(length).await;
        let again = std::str::from_utf8(REQUEST).unwrap();
        let again = again.replace("Host:", "Authorization: Basic eDp5\r\nHost:");
        peer.write(again.as_bytes()).await;
        peer.head().await
    };
    let answering = async {
        let mut incoming = acceptor.receive(far).await.unwrap();
        for round in 0..3 {
            let headers = incoming.received().request.headers();
            let decision = if headers.contains_key(AUTHORIZATION) {
                assert_eq!(round, 1);
                Decision::Accept {
                    protocol: Subprotocol::None,
                    headers: HeaderMap::new(),
                }
            } else {
                let challenge = HeaderValue::from_static("Basic realm=\"test\"");
                Decision::Reject(Rejection::unauthorized(challenge))
            };
            match incoming.respond(decision).await.unwrap() {
                Answered::Opened(socket) => return socket,
                Answered::Again(again) => incoming = *again,
            }
        }
        panic!("three times 401");
    };
    let (head, mut socket) = tokio::join!(asking, answering);
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    peer.write(&masked(TEXT, b"in")).await;
    assert_eq!(socket.recv().await.unwrap(), Some("in".into()));
}

#[tokio::test]
async fn a_third_401_is_the_last() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(near);
    let asking = async {
        for _ in 0..3 {
            peer.write(REQUEST).await;
        }
        peer.rest().await
    };
    let answering = async {
        let acceptor = Acceptor::new(quiet(), ServerOptions::default());
        let mut incoming = acceptor.receive(far).await?;
        loop {
            let challenge = HeaderValue::from_static("Basic realm=\"test\"");
            let decision = Decision::Reject(Rejection::unauthorized(challenge));
            match incoming.respond(decision).await? {
                Answered::Opened(_) => panic!("opened"),
                Answered::Again(again) => incoming = *again,
            }
        }
    };
    let (answers, error): (_, Result<(), Error>) = tokio::join!(asking, answering);
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Handshake);
    let answers = String::from_utf8(answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 401 "));
    // What was sent behind the first request is not looked at.
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
}

#[tokio::test]
async fn h22_a_decision_that_cannot_be_carried_out_is_500_and_an_error_of_usage() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(near);
    peer.write(REQUEST).await;
    let acceptor = Acceptor::new(quiet(), ServerOptions::default());
    let incoming = acceptor.receive(far).await.unwrap();
    let decision = Decision::Accept {
        protocol: Subprotocol::Chosen("never offered".to_owned()),
        headers: HeaderMap::new(),
    };
    let (answered, head) = tokio::join!(incoming.respond(decision), async {
        let head = peer.head().await;
        drop(peer);
        head
    });
    assert_eq!(answered.unwrap_err().kind(), ErrorKind::Usage);
    assert!(head.starts_with(b"HTTP/1.1 500 "));
}

#[tokio::test]
async fn h27_a_request_that_is_dropped_closes_its_stream() {
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(near);
    peer.write(REQUEST).await;
    let acceptor = Acceptor::new(quiet(), ServerOptions::default());
    drop(acceptor.receive(far).await.unwrap());
    assert_eq!(peer.rest().await, b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn x08_clients_aborted_at_any_time_leave_no_handler_behind() {
    let open = Arc::new(AtomicUsize::new(0));
    let peak = Arc::new(Mutex::new(0));
    let (counted, highest) = (Arc::clone(&open), Arc::clone(&peak));
    struct Leaving(Arc<AtomicUsize>);
    impl Drop for Leaving {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let server = Running::start(
        |server| server.max_connections(64),
        move |socket| {
            let now = counted.fetch_add(1, Ordering::SeqCst) + 1;
            let mut peak = highest.lock().unwrap();
            *peak = (*peak).max(now);
            let leaving = Leaving(Arc::clone(&counted));
            async move {
                let _leaving = leaving;
                echo(socket).await
            }
        },
    )
    .await;
    let url = format!("ws://{}/", server.address);
    for round in 0..300 {
        let url = url.clone();
        let steps = Arc::new(AtomicUsize::new(0));
        let step = Arc::clone(&steps);
        let client = tokio::spawn(async move {
            let mut socket = Client::new(quiet()).connect(&url).await.unwrap();
            loop {
                step.fetch_add(1, Ordering::SeqCst);
                socket.send(vec![0; 1000]).await.unwrap();
                step.fetch_add(1, Ordering::SeqCst);
                socket.recv().await.unwrap();
            }
        });
        while steps.load(Ordering::SeqCst) < round % 7 {
            tokio::task::yield_now().await;
        }
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
    }
    while open.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
    assert!(*peak.lock().unwrap() > 0);
    // Every permit has come back.
    let mut sockets = Vec::new();
    while sockets.len() < 64 {
        match server.connect().await {
            Ok(socket) => sockets.push(socket),
            Err(error) => assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE)),
        }
    }
    drop(sockets);
    assert_eq!(server.stop().await.forced, 0);
}

#[tokio::test]
async fn l10_a_reset_in_the_middle_of_a_message_ends_its_handler_and_nothing_else() {
    let (ended, mut ends) = tokio::sync::mpsc::unbounded_channel();
    let server = Running::start(
        |server| server,
        move |mut socket| {
            let ended = ended.clone();
            async move {
                let end = socket.recv().await;
                let _ = ended.send(end.as_ref().map_err(Error::kind).map(Option::is_some));
                if let Ok(Some(message)) = end {
                    socket.send(message).await?;
                    socket.recv().await?;
                }
                Ok(())
            }
        },
    )
    .await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let part = &masked(TEXT, b"never whole")[..9];
    stream.write_all(&[REQUEST, part].concat()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    #[expect(deprecated, reason = "it does not block when it is 0")]
    stream.set_linger(Some(s(0))).unwrap();
    drop(stream);
    assert_eq!(ends.recv().await, Some(Err(ErrorKind::Io)));
    server.is_alive().await;
    assert_eq!(ends.recv().await, Some(Ok(true)));
}

#[tokio::test]
async fn l13_what_was_closed_with_success_has_reached_the_peer() {
    let server = Running::start(
        |server| server,
        |mut socket| async move {
            socket.send("last").await?;
            socket.close().await
        },
    )
    .await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let expected = [frame(TEXT, b"last"), frame(CLOSE, &closing(1000, ""))].concat();
    let mut answer = Vec::new();
    while !answer.ends_with(&expected) {
        answer.push(stream.read_u8().await.unwrap());
    }
    let goodbye = masked(CLOSE, &closing(1000, ""));
    stream.write_all(&goodbye).await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(server.stop().await.forced, 0);
}

#[tokio::test(start_paused = true)]
async fn a_guard_may_take_its_time_and_a_client_may_go_meanwhile() {
    struct Later(Arc<Notify>);
    impl RequestGuard for Later {
        fn check<'a>(&'a self, _: &'a mut Received) -> Check<'a> {
            Box::pin(async move {
                self.0.notified().await;
                Ok(())
            })
        }
    }
    let decided = Arc::new(Notify::new());
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(Later(Arc::clone(&decided))));
    let acceptor = Acceptor::new(quiet(), options);

    let (mut client, stream) = tokio::io::duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    let accepting = tokio::spawn({
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await }
    });
    decided.notify_one();
    accepting.await.unwrap().unwrap();

    let (mut client, stream) = tokio::io::duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    drop(client);
    let error = acceptor.accept(stream).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Handshake | ErrorKind::Io),
        "{error}"
    );

    // Nobody decides: the client is told when its time is up.
    let (mut client, stream) = tokio::io::duplex(4096);
    client.write_all(REQUEST).await.unwrap();
    let error = acceptor.accept(stream).await.unwrap_err();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer} {error}");
}
