//! Through a proxy to a server, and a server behind a proxy, over TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cloverleaf::proto::extension::Extensions;
use cloverleaf::proto::handshake::{Peer, Received};
use cloverleaf::{
    Client, Error, ErrorKind, Proxies, Proxy, ProxyError, Server, ServerOptions, Transport,
    WebSocket, request,
};
use cloverleaf_mux::Mux;
use http::header::{HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::ends::quiet;

async fn echo(mut socket: WebSocket<Transport>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// An echo server, and what its guard has seen of each request.
struct Served {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(Peer, http::HeaderMap)>>>,
    _task: JoinHandle<Result<(), Error>>,
}

impl Served {
    async fn start(mut options: ServerOptions, configure: impl FnOnce(Server) -> Server) -> Self {
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let noted = Arc::clone(&seen);
        options
            .guards
            .push(Arc::new(move |received: &mut Received| {
                let peer = received.peer().unwrap().clone();
                noted
                    .lock()
                    .unwrap()
                    .push((peer, received.request.headers().clone()));
                Ok(())
            }));
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let server = configure(server.config(quiet()).options(options));
        Self {
            address,
            seen,
            _task: tokio::spawn(server.serve(echo)),
        }
    }

    fn last(&self) -> Peer {
        self.seen.lock().unwrap().last().unwrap().0.clone()
    }
}

async fn echoes<S>(socket: &mut WebSocket<S>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    socket.send("through").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("through".into()));
}

async fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

/// A proxy that serves each of its connections so.
async fn proxy<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// A proxy that wants `me:secret`, on the same connection or on another one; and what it was asked.
async fn http_proxy(keep: bool) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&asked);
    let address = proxy(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            loop {
                let head = head(&mut stream).await?;
                noted.lock().unwrap().push(head.clone());
                if !head.contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n") {
                    let connection = if keep { "keep-alive" } else { "close" };
                    let answer = format!(
                        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\
                         Proxy-Authenticate: Basic realm=\"test\"\r\nConnection: {connection}\r\n\r\nwho?"
                    );
                    stream.write_all(answer.as_bytes()).await?;
                    if keep {
                        continue;
                    }
                    return Ok(());
                }
                let place = head.split(' ').nth(1).unwrap();
                let mut server = TcpStream::connect(place).await?;
                stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                copy_bidirectional(&mut stream, &mut server).await?;
                return Ok(());
            }
        }
    })
    .await;
    (address, asked)
}

/// A proxy that says this to whoever has asked, and then waits.
async fn says(answer: &'static [u8]) -> Proxy {
    let address = proxy(move |mut stream| async move {
        head(&mut stream).await?;
        stream.write_all(answer).await?;
        let _ = stream.read_u8().await;
        Ok(())
    })
    .await;
    Proxy::new(&format!("http://{address}")).unwrap()
}

fn failed(error: &Error) -> &ProxyError {
    assert_eq!(error.kind(), ErrorKind::Proxy, "{error}");
    let source = std::error::Error::source(error).unwrap();
    source.downcast_ref().unwrap()
}

#[tokio::test]
async fn g13_through_an_http_proxy_that_asks_for_credentials() {
    let server = Served::start(ServerOptions::default(), |server| server).await;
    for keep in [true, false] {
        let (address, asked) = http_proxy(keep).await;
        let proxy = Proxy::new(&format!("http://me:secret@{address}")).unwrap();
        let client = Client::new(quiet()).proxy(proxy);
        let url = format!("ws://{}/", server.address);
        let mut socket = client.connect(&url).await.unwrap();
        echoes(&mut socket).await;
        socket.close().await.unwrap();
        let asked = asked.lock().unwrap().clone();
        let place = server.address;
        assert_eq!(asked.len(), 2);
        assert_eq!(
            asked[0],
            format!("CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n")
        );
        // What is for the proxy ends there.
        let (_, headers) = server.seen.lock().unwrap().pop().unwrap();
        assert!(!headers.contains_key(PROXY_AUTHORIZATION));
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_from_none() {
    let (address, asked) = http_proxy(true).await;
    for (userinfo, requests) in [("", 1), ("me:wrong@", 2)] {
        let proxy = Proxy::new(&format!("http://{userinfo}{address}")).unwrap();
        let client = Client::new(quiet()).proxy(proxy);
        let error = client.connect("ws://server.invalid/").await.unwrap_err();
        match failed(&error) {
            ProxyError::CredentialsWanted(response) => {
                assert_eq!((userinfo, response.body().as_ref()), ("", &b"who?"[..]));
            }
            other => assert!(matches!(other, ProxyError::CredentialsRefused), "{other}"),
        }
        assert!(!format!("{error} {error:?}").contains("wrong"), "{error:?}");
        assert_eq!(std::mem::take(&mut *asked.lock().unwrap()).len(), requests);
    }
}

#[tokio::test]
async fn what_a_proxy_refuses_is_no_answer_of_the_server() {
    let proxy = says(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await;
    let client = Client::new(quiet()).proxy(proxy);
    let error = client.connect("ws://server.invalid/").await.unwrap_err();
    assert!(matches!(failed(&error), ProxyError::Refused(it) if it.status() == 403));
    assert_eq!(error.status(), None);

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "socks5h"] {
        let proxy = Proxy::new(&format!("{scheme}://{address}")).unwrap();
        let client = Client::new(quiet()).proxy(proxy);
        let error = client.connect("ws://server.invalid/").await.unwrap_err();
        assert!(matches!(failed(&error), ProxyError::Io(_)), "{error}");
        assert!(
            error.to_string().starts_with(&address.to_string()),
            "{error}"
        );
    }
}

#[tokio::test]
async fn octets_behind_the_consent_are_the_servers() {
    let early = says(
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nHTTP/1.1 418 x\r\nContent-Length: 0\r\n\r\n",
    );
    let client = Client::new(quiet()).proxy(early.await);
    let error = client.connect("ws://server.invalid/").await.unwrap_err();
    assert_eq!(error.status().unwrap(), 418);
}

#[tokio::test]
async fn a_proxy_has_as_long_as_everything_together() {
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\n"] {
        let client = Client::new(quiet())
            .open_timeout(std::time::Duration::from_millis(50))
            .proxy(says(answer).await);
        let error = client.connect("ws://server.invalid/").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
    }
}

#[tokio::test]
async fn servers_that_are_excepted_are_reached_directly() {
    let server = Served::start(ServerOptions::default(), |server| server).await;
    let nowhere = Proxy::new("http://127.0.0.1:1").unwrap();
    let proxies = Proxies::from(nowhere).except("127.0.0.0/8");
    let client = Client::new(quiet()).proxy(proxies);
    let mut socket = client
        .connect(&format!("ws://{}/", server.address))
        .await
        .unwrap();
    echoes(&mut socket).await;
}

/// SOCKS 5 with the user `me` and the password `secret`; and the octets of its requests.
async fn socks_proxy(server: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<Vec<u8>>>>) {
    let asked = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let noted = Arc::clone(&asked);
    let address = proxy(move |mut stream| {
        let noted = Arc::clone(&noted);
        async move {
            let mut offer = [0; 4];
            stream.read_exact(&mut offer).await?;
            assert_eq!(offer, [5, 2, 0, 2]);
            stream.write_all(&[5, 2]).await?;
            let mut login = [0; 11];
            stream.read_exact(&mut login).await?;
            assert_eq!(&login, b"\x01\x02me\x06secret");
            stream.write_all(&[1, 0]).await?;
            let mut request = vec![0; 256];
            let n = stream.read(&mut request).await?;
            request.truncate(n);
            noted.lock().unwrap().push(request);
            let mut server = TcpStream::connect(server).await?;
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
            copy_bidirectional(&mut stream, &mut server).await?;
            Ok(())
        }
    })
    .await;
    (address, asked)
}

#[tokio::test]
async fn g13_through_socks_names_are_looked_up_where_the_scheme_says() {
    let server = Served::start(ServerOptions::default(), |server| server).await;
    let (address, asked) = socks_proxy(server.address).await;
    let port = server.address.port();
    for (scheme, host, expected) in [
        (
            "socks5h",
            "server.invalid",
            b"\x05\x01\x00\x03\x0eserver.invalid".to_vec(),
        ),
        (
            "socks5",
            "127.0.0.1",
            b"\x05\x01\x00\x01\x7f\x00\x00\x01".to_vec(),
        ),
        (
            "socks5h",
            "127.0.0.1",
            b"\x05\x01\x00\x01\x7f\x00\x00\x01".to_vec(),
        ),
    ] {
        let proxy = Proxy::new(&format!("{scheme}://me:secret@{address}")).unwrap();
        let client = Client::new(quiet()).proxy(proxy);
        let mut socket = client
            .connect(&format!("ws://{host}:{port}/"))
            .await
            .unwrap();
        echoes(&mut socket).await;
        let expected = [expected, port.to_be_bytes().to_vec()].concat();
        assert_eq!(asked.lock().unwrap().pop().unwrap(), expected);
    }
    let proxy = Proxy::new(&format!("socks5://me:secret@{address}")).unwrap();
    let client = Client::new(quiet()).proxy(proxy);
    let error = client.connect("ws://server.invalid/").await.unwrap_err();
    assert!(matches!(failed(&error), ProxyError::Lookup(_)), "{error}");
    assert!(asked.lock().unwrap().is_empty());
}

/// Opens a WebSocket behind these octets.
async fn open_behind(server: &Served, octets: &[u8]) -> Result<WebSocket<TcpStream>, Error> {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(octets).await.unwrap();
    let request = request("ws://localhost/").unwrap();
    Client::new(quiet()).open(stream, request).await
}

const VERSION_2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb";

#[tokio::test]
async fn a_header_of_the_proxy_protocol_says_whose_connection_it_is() {
    let trusting = |server: Server| server.proxy_protocol("127.0.0.1".parse().unwrap());
    let server = Served::start(ServerOptions::default(), trusting).await;
    let line = b"PROXY TCP6 2001:db8::7 ::1 4124 443\r\n";
    for (header, address) in [(VERSION_2, "192.0.2.7:56324"), (line, "[2001:db8::7]:4124")] {
        let mut socket = open_behind(&server, header).await.unwrap();
        echoes(&mut socket).await;
        assert_eq!(server.last().address, Some(address.parse().unwrap()));
    }
    // A proxy that asks for itself.
    let mut socket = open_behind(&server, b"PROXY UNKNOWN\r\n").await.unwrap();
    echoes(&mut socket).await;
    assert!(server.last().address.unwrap().ip().is_loopback());
    // Without one there is no connection, not even an answer.
    let before = server.seen.lock().unwrap().len();
    for other in [&b""[..], b"PROXY TCP4\r\n"] {
        let error = open_behind(&server, other).await.unwrap_err();
        assert_eq!(error.status(), None, "{error}");
    }
    assert_eq!(server.seen.lock().unwrap().len(), before);
}

#[tokio::test]
async fn from_anybody_else_such_a_header_is_no_request() {
    let server = Served::start(ServerOptions::default(), |server| {
        server.proxy_protocol("192.0.2.0/24".parse().unwrap())
    })
    .await;
    for header in [VERSION_2, b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n"] {
        let error = open_behind(&server, header).await.unwrap_err();
        assert_eq!(error.status().unwrap(), 400);
    }
    open_behind(&server, b"").await.unwrap();
    assert!(server.last().address.unwrap().ip().is_loopback());
}

#[tokio::test]
async fn behind_the_proxy_protocol_the_address_it_names_decides_whose_headers_are_believed() {
    let mut options = ServerOptions::default();
    options.trusted_proxies = "192.0.2.7".parse().unwrap();
    let trusting = |server: Server| server.proxy_protocol("127.0.0.1".parse().unwrap());
    let server = Served::start(options, trusting).await;
    for (header, expected) in [
        (VERSION_2, "198.51.100.9:0"),
        (b"PROXY TCP4 192.0.2.8 1.1.1.1 7 1\r\n", "192.0.2.8:7"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(header).await.unwrap();
        let request = request("ws://localhost/").unwrap();
        let name = HeaderName::from_static("forwarded");
        let value = HeaderValue::from_static("for=198.51.100.9");
        let request = request.header(name, value).unwrap();
        Client::new(quiet()).open(stream, request).await.unwrap();
        assert_eq!(server.last().address, Some(expected.parse().unwrap()));
    }
}

#[tokio::test]
async fn channels_are_of_the_client_that_the_connection_is_of_and_believe_no_headers() {
    let mut config = quiet();
    config.extensions = Extensions::new().with(Mux::new()).unwrap();
    let mut options = ServerOptions::default();
    options.trusted_proxies = "127.0.0.1".parse().unwrap();
    let of_server = config.clone();
    let server = Served::start(options, move |server| server.config(of_server)).await;
    let ask = |address: &'static str| {
        let request = request(&format!("ws://{}/", server.address)).unwrap();
        let name = HeaderName::from_static("x-forwarded-for");
        request
            .header(name, HeaderValue::from_static(address))
            .unwrap()
    };
    // The client is at a trusted address itself: all the same it does not write for its channels.
    let client = Client::new(config);
    let (_first, multiplexer) = client.multiplex(ask("127.0.0.1, 127.0.0.1")).await.unwrap();
    assert_eq!(server.last().address, Some("127.0.0.1:0".parse().unwrap()));
    let multiplexer = multiplexer.unwrap();
    let mut channel = multiplexer.open(ask("192.0.2.66")).await.unwrap();
    echoes(&mut channel).await;
    assert_eq!(server.last().address, Some("127.0.0.1:0".parse().unwrap()));
    assert_eq!(server.seen.lock().unwrap().len(), 2);
}
