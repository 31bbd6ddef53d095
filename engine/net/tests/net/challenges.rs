//! A client that is asked who it is, and one that is sent on.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cloverleaf::proto::extension::Extensions;
use cloverleaf::proto::handshake::{
    Authenticator, ClientRequest, Peer, Received, ResponseHandler, Subprotocol,
};
use cloverleaf::{
    Acceptor, Client, Decision, Error, ErrorKind, Rejection, Server, ServerOptions, Transport,
    WebSocket, request,
};
use cloverleaf_mux::Mux;
use http::header::{AUTHORIZATION, COOKIE, HeaderValue, LOCATION};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::ends::quiet;

const RIGHT: HeaderValue = HeaderValue::from_static("Basic right");

/// Knows one answer, and remembers what it was shown.
#[derive(Clone, Debug, Default)]
struct Known {
    at_once: bool,
    distrusts: bool,
    shown: Arc<Mutex<Vec<String>>>,
}

impl Known {
    fn shown(&self) -> Vec<String> {
        self.shown.lock().unwrap().clone()
    }

    fn show(&self, what: String) {
        self.shown.lock().unwrap().push(what);
    }
}

impl Authenticator for Known {
    fn begin(&self, request: &ClientRequest) -> Box<dyn ResponseHandler> {
        self.show(format!("begin {}", request.uri().path()));
        Box::new(self.clone())
    }
}

fn credentials() -> HeaderMap {
    HeaderMap::from_iter([(AUTHORIZATION, RIGHT)])
}

impl ResponseHandler for Known {
    fn prepare(&mut self, _: &Request<()>) -> HeaderMap {
        match self.at_once {
            true => credentials(),
            false => HeaderMap::new(),
        }
    }

    fn retry(&mut self, request: &Request<()>, response: &Response<Bytes>) -> Option<HeaderMap> {
        self.show(format!(
            "{} {}",
            request.uri().path(),
            response.status().as_u16()
        ));
        (response.status() == StatusCode::UNAUTHORIZED).then(credentials)
    }

    fn opened(&mut self, _: &Request<()>, response: &Response<()>) -> Result<(), String> {
        self.show(response.status().as_u16().to_string());
        match self.distrusts {
            true => Err("the server does not know the password".to_owned()),
            false => Ok(()),
        }
    }
}

fn guarded() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(|received: &mut Received| {
        match received.request.headers().get(AUTHORIZATION) {
            Some(shown) if *shown == RIGHT => Ok(()),
            _ => Err(Rejection::unauthorized(HeaderValue::from_static(
                "Basic realm=\"a\"",
            ))),
        }
    }));
    options
}

/// A server whose handler greets; the addresses of those who got in.
async fn greeter(options: ServerOptions) -> (SocketAddr, Arc<Mutex<Vec<SocketAddr>>>) {
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let mut config = quiet();
    config.extensions = Extensions::new().with(Mux::new()).unwrap();
    let server = server.config(config).options(options);
    let peers = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&peers);
    let greet = move |mut socket: WebSocket<Transport>| {
        let peer: Option<&Peer> = socket.opening().handshake.extension();
        seen.lock().unwrap().push(peer.unwrap().address.unwrap());
        async move {
            socket.send("hello").await?;
            socket.recv().await.map(drop)
        }
    };
    tokio::spawn(server.serve(greet));
    (address, peers)
}

#[tokio::test]
async fn a_challenge_is_answered_on_the_connection_there_is() {
    let connections = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&connections);
    let mut options = ServerOptions::default();
    options
        .guards
        .push(Arc::new(move |received: &mut Received| {
            seen.lock().unwrap().push(received.peer().unwrap().address);
            Ok(())
        }));
    options.guards.extend(guarded().guards);
    let (address, _) = greeter(options).await;
    let known = Known::default();
    let client = Client::new(quiet()).authenticate(known.clone());
    let mut socket = client
        .connect(&format!("ws://{address}/room"))
        .await
        .unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("hello".into()));
    let connections = connections.lock().unwrap().clone();
    assert_eq!(connections.len(), 2);
    assert_eq!(connections[0], connections[1]);
    assert_eq!(known.shown(), ["begin /room", "/room 401", "101"]);
}

#[tokio::test]
async fn what_is_known_to_be_asked_for_is_sent_at_once() {
    let (address, _) = greeter(guarded()).await;
    let known = Known {
        at_once: true,
        ..Known::default()
    };
    let client = Client::new(quiet()).authenticate(known.clone());
    client.connect(&format!("ws://{address}/")).await.unwrap();
    assert_eq!(known.shown(), ["begin /", "101"]);
}

#[tokio::test]
async fn a_server_that_proves_nothing_is_not_talked_to() {
    let (address, _) = greeter(guarded()).await;
    let known = Known {
        distrusts: true,
        ..Known::default()
    };
    let client = Client::new(quiet()).authenticate(known.clone());
    let error = client
        .connect(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Handshake);
    assert_eq!(error.to_string(), "the server does not know the password");
}

#[tokio::test]
async fn each_channel_shows_credentials_of_its_own() {
    let (address, peers) = greeter(guarded()).await;
    let mut config = quiet();
    config.extensions = Extensions::new().with(Mux::new()).unwrap();
    let known = Known::default();
    let client = Client::new(config).authenticate(known.clone());
    let url = |room: &str| request(&format!("ws://{address}/{room}")).unwrap();
    let (_first, multiplexer) = client.multiplex(url("a")).await.unwrap();
    let multiplexer = multiplexer.expect("both speak it");
    let mut second = multiplexer.open(url("b")).await.unwrap();
    assert_eq!(second.recv().await.unwrap(), Some("hello".into()));
    assert_eq!(
        known.shown(),
        ["begin /a", "/a 401", "101", "begin /b", "/b 401", "101"]
    );
    let peers = peers.lock().unwrap().clone();
    assert_eq!(peers[0], peers[1], "one connection");
}

/// Answers every connection with the next of these, and keeps the requests.
async fn scripted(answers: &'static [&'static str]) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&requests);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            kept.lock().unwrap().push(String::from_utf8(head).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (address, requests)
}

const CLOSING: &str =
    "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";

#[tokio::test]
async fn a_server_that_ends_the_connection_behind_its_challenge_gets_another() {
    let (address, requests) = scripted(&[CLOSING, CLOSING, CLOSING, CLOSING]).await;
    let known = Known::default();
    let client = Client::new(quiet()).authenticate(known.clone());
    let error = client
        .connect(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let requests = requests.lock().unwrap();
    // A18: three attempts, and not for ever.
    assert_eq!(requests.len(), 3);
    assert!(!requests[0].contains("Authorization"));
    assert!(
        requests[1].contains("\r\nAuthorization: Basic right\r\n"),
        "{}",
        requests[1]
    );
    let key = |request: &str| {
        let line = request
            .lines()
            .find(|line| line.starts_with("Sec-WebSocket-Key"));
        line.map(str::to_owned)
    };
    assert_ne!(key(&requests[0]), key(&requests[1]));
}

#[tokio::test]
async fn over_a_stream_that_was_handed_in_there_is_no_other_connection() {
    let (mut server, stream) = tokio::io::duplex(4096);
    server.write_all(CLOSING.as_bytes()).await.unwrap();
    let client = Client::new(quiet()).authenticate(Known::default());
    let error = client
        .open(stream, request("ws://a/").unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

/// Sends `/a` on to `/b`, `/b` to `/c`, `/loop` to itself, and `/out` to another server.
async fn sender_on(out: String) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        let acceptor = Acceptor::new(quiet(), ServerOptions::default());
        loop {
            let (stream, _) = listener.accept().await?;
            counted.fetch_add(1, Ordering::Relaxed);
            let incoming = acceptor.receive(stream).await?;
            let path = incoming.received().request.uri().path().to_owned();
            let place = match &*path {
                "/a" => "b?x=1".to_owned(),
                "/b" => "/c".to_owned(),
                "/loop" => "/loop".to_owned(),
                "/out" => out.clone(),
                _ => {
                    let headers = HeaderMap::new();
                    let protocol = Subprotocol::None;
                    incoming
                        .respond(Decision::Accept { protocol, headers })
                        .await?;
                    continue;
                }
            };
            let place = HeaderValue::from_str(&place).unwrap();
            let rejection = Rejection::new(StatusCode::FOUND, "there").with_header(LOCATION, place);
            let _ = incoming.respond(Decision::Reject(rejection)).await;
        }
        #[expect(unreachable_code, reason = "names the error")]
        Ok::<(), Error>(())
    });
    (address, count)
}

#[tokio::test]
async fn redirects_are_followed_as_often_as_was_said_and_not_at_all_unless_it_was() {
    let (address, count) = sender_on(String::new()).await;
    let url = |path: &str| format!("ws://{address}{path}");
    let error = Client::new(quiet()).connect(&url("/a")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    let client = |redirects| Client::new(quiet()).max_redirects(redirects);
    let error = client(1).connect(&url("/a")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    client(2).connect(&url("/a")).await.unwrap();
    count.store(0, Ordering::Relaxed);
    let error = client(5).connect(&url("/loop")).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    assert_eq!(count.load(Ordering::Relaxed), 6);
}

// C10: credentials are for one origin.
#[tokio::test]
async fn another_origin_gets_neither_headers_nor_an_authenticator() {
    let (other, requests) = scripted(&[CLOSING]).await;
    let (address, _) = sender_on(format!("ws://me:pw@{other}/in")).await;
    let known = Known {
        at_once: true,
        ..Known::default()
    };
    let client = Client::new(quiet())
        .authenticate(known.clone())
        .max_redirects(5);
    let request = request(&format!("ws://{address}/out")).unwrap();
    let request = request
        .header(COOKIE, HeaderValue::from_static("secret=1"))
        .unwrap();
    let error = client.request(request).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED));
    let requests = requests.lock().unwrap();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("GET /in HTTP/1.1\r\n"));
    for secret in ["authorization", "cookie", "secret", "pw"] {
        assert!(
            !requests[0].to_ascii_lowercase().contains(secret),
            "{}",
            requests[0]
        );
    }
    // The redirect itself was shown, and the other origin's challenge was not.
    assert_eq!(known.shown(), ["begin /out", "/out 302"]);
}

#[tokio::test]
async fn nobody_is_led_from_wss_to_ws_or_to_what_is_no_websocket() {
    let (address, _) = sender_on("mailto:me@a".to_owned()).await;
    let client = Client::new(quiet()).max_redirects(5);
    let error = client
        .connect(&format!("ws://{address}/out"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Url);
    assert_eq!(error.status(), Some(StatusCode::FOUND));
}
