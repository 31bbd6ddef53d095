//! Handshakes, and what goes over TLS behind them.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cloverleaf::proto::handshake::Received;
use cloverleaf::{
    Client, ClientTls, ErrorKind, Rejection, Server, ServerOptions, ServerTls, Transport,
    WebSocket, request,
};
use http::StatusCode;
use http::header::{AUTHORIZATION, HeaderValue, ORIGIN};
use rcgen::KeyPair;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::authority::{Authority, client, echo, serve};
use crate::ends::{REQUEST, poll, quiet};

#[tokio::test]
async fn f5_over_tls_both_roles_talk_as_they_do_without() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let client = client(authority.trusted());
    let url = format!("wss://localhost:{port}/");
    let mut socket = client.connect(&url).await.unwrap();
    assert!(socket.get_ref().is_some_and(Transport::is_tls));
    for length in [0, 1, 20_000, 1 << 20] {
        let payload = vec![length as u8; length];
        socket.send(payload.clone()).await.unwrap();
        assert!(socket.recv().await.unwrap() == Some(payload.into()));
    }
    // L12: both close frames, then the end of TLS, then of TCP; to both ends a clean close.
    socket.close().await.unwrap();
    assert!(socket.closed().unwrap().clean);
}

#[tokio::test]
async fn an_address_is_a_name_that_a_certificate_can_have_too() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("127.0.0.1")).await;
    let url = format!("wss://127.0.0.1:{port}/");
    let mut socket = client(authority.trusted()).connect(&url).await.unwrap();
    socket.close().await.unwrap();
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_by_who_was_given_it() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = ServerTls::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
    let (port, _server) = serve(tls).await;
    let url = format!("wss://localhost:{port}/");
    let trusting = client(ClientTls::from_pem(chain.as_bytes()).unwrap());
    trusting.connect(&url).await.unwrap().close().await.unwrap();
    let error = client(ClientTls::webpki()).connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
}

#[tokio::test]
async fn s05_a_certificate_that_is_not_trusted_is_refused_and_not_an_octet_of_http_is_sent() {
    let (ours, other) = (Authority::new(), Authority::new());
    for (what, tls, host) in [
        ("another name", ours.server("other.example"), "localhost"),
        ("another address", ours.server("127.0.0.2"), "127.0.0.1"),
        ("unknown authority", other.server("localhost"), "localhost"),
        (
            "expired",
            ours.server_between("localhost", 1990, 2001),
            "localhost",
        ),
    ] {
        let seen = Arc::new(AtomicUsize::new(0));
        let guard = Arc::clone(&seen);
        let mut options = ServerOptions::default();
        options.guards.push(Arc::new(move |_: &mut _| {
            guard.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }));
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let server = server.tls(tls).options(options);
        let port = server.local_addr().unwrap().port();
        let _server = tokio::spawn(server.serve(echo));

        let request = request(&format!("wss://{host}:{port}/")).unwrap();
        let secret = HeaderValue::from_static("Basic c2VjcmV0");
        let request = request.header(AUTHORIZATION, secret).unwrap();
        let error = client(ours.trusted()).request(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{what}: {error}");
        assert_eq!(seen.load(Ordering::SeqCst), 0, "{what}");
    }
}

#[tokio::test]
async fn s05_and_what_is_sent_is_the_greeting_and_an_alert_and_nothing_else() {
    let (ours, other) = (Authority::new(), Authority::new());
    let (port, _server) = serve(other.server("localhost")).await;
    // A wire tap in the middle.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let tapped = listener.local_addr().unwrap().port();
    let tap = tokio::spawn(async move {
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut near_reader, mut near_writer) = near.split();
        let (mut far_reader, mut far_writer) = far.split();
        let (_, said) = tokio::join!(
            async {
                let _ = tokio::io::copy(&mut far_reader, &mut near_writer).await;
            },
            async {
                let mut said = Vec::new();
                let mut buffer = [0; 4096];
                while let Ok(n @ 1..) = near_reader.read(&mut buffer).await {
                    said.extend_from_slice(&buffer[..n]);
                    let _ = far_writer.write_all(&buffer[..n]).await;
                }
                let _ = far_writer.shutdown().await;
                said
            }
        );
        said
    });
    let url = format!("wss://localhost:{tapped}/");
    let error = client(ours.trusted()).connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    // The records: type, version, length. 22 is the handshake, 20 is for middleboxes, 21 an alert.
    let said = tap.await.unwrap();
    let mut rest = &said[..];
    let mut types = Vec::new();
    while let [kind, _, _, high, low, payload @ ..] = rest {
        types.push(*kind);
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // An encrypted alert looks like data of 2 octets, a tag and a type.
        assert!(
            *kind != 23 || length <= 19,
            "{length} octets of application data"
        );
        rest = &payload[length..];
    }
    assert_eq!(types[0], 22);
    assert!(types.len() <= 3, "{types:?}");
}

#[tokio::test]
async fn f7_only_who_says_so_in_so_many_words_talks_to_anybody() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("other.example")).await;
    let url = format!("wss://localhost:{port}/");
    let error = Client::new(quiet()).connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "checked by default");
    let reckless = client(ClientTls::dangerous_without_verification());
    reckless.connect(&url).await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn s03_http_on_the_tls_port_and_tls_on_the_plain_port_are_refused() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let error = Client::new(quiet())
        .connect(&format!("ws://localhost:{port}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Handshake | ErrorKind::Io),
        "{error:?}"
    );
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    // An alert at most.
    assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");

    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let _plain = tokio::spawn(server.serve(async |_| Ok(())));
    let url = format!("wss://localhost:{port}/");
    let error = client(authority.trusted()).connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
}

#[tokio::test]
async fn s04_the_end_in_the_middle_of_the_tls_handshake_ends_only_that_connection() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let alert = b"\x15\x03\x03\x00\x02\x01\x00";
    for octets in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01", alert] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(octets).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
    }
    let url = format!("wss://localhost:{port}/");
    let mut socket = client(authority.trusted()).connect(&url).await.unwrap();
    socket.close().await.unwrap();
}

#[tokio::test]
async fn a_client_that_never_begins_tls_is_let_go_when_the_opening_is_over() {
    let authority = Authority::new();
    let mut options = ServerOptions::default();
    options.open_timeout = std::time::Duration::ZERO;
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.tls(authority.server("localhost")).options(options);
    let address = server.local_addr().unwrap();
    let _server = tokio::spawn(server.serve(echo));
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
}

#[tokio::test]
async fn over_tls_the_own_origin_is_https_whichever_way_the_server_was_built() {
    let authority = Authority::new();
    for tls_first in [true, false] {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let tls = authority.server("localhost");
        let server = if tls_first {
            server.tls(tls).options(ServerOptions::default())
        } else {
            server.options(ServerOptions::default()).tls(tls)
        };
        let port = server.local_addr().unwrap().port();
        let _server = tokio::spawn(server.serve(echo));
        for (scheme, welcome) in [("https", true), ("http", false)] {
            let request = request(&format!("wss://localhost:{port}/")).unwrap();
            let origin = format!("{scheme}://localhost:{port}");
            let origin = HeaderValue::try_from(origin).unwrap();
            let request = request.header(ORIGIN, origin).unwrap();
            let opened = client(authority.trusted()).request(request).await;
            let status = opened.err().and_then(|error| error.status());
            let expected = (!welcome).then_some(StatusCode::FORBIDDEN);
            assert_eq!(status, expected, "{scheme}, TLS first: {tls_first}");
        }
    }
}

#[tokio::test]
async fn l12_a_peer_that_drops_tls_without_a_word_is_an_error_and_behind_the_close_frame_is_not() {
    let authority = Authority::new();
    for closes in [false, true] {
        let server = Server::bind("127.0.0.1:0").await.unwrap();
        let server = server.config(quiet()).tls(authority.server("localhost"));
        let port = server.local_addr().unwrap().port();
        let _server = tokio::spawn(server.serve(move |mut socket| async move {
            if closes {
                // Writes the close frame and does not wait for the answer.
                assert!(poll(pin!(socket.close())).await.is_pending());
            }
            cut(socket);
            Ok(())
        }));
        let url = format!("wss://localhost:{port}/");
        let mut socket = client(authority.trusted()).connect(&url).await.unwrap();
        let end = socket.recv().await;
        if closes {
            assert_eq!(end.unwrap(), None);
            assert_eq!(socket.closed().unwrap().code.number(), 1000);
        } else {
            assert_eq!(end.unwrap_err().kind(), ErrorKind::Io);
        }
    }
}

/// Lets go of a connection as if its process had died: without a close frame and without an end of
/// TLS.
fn cut(socket: WebSocket<Transport>) {
    let tcp = socket2::SockRef::from(socket.get_ref().expect("it has one").tcp());
    tcp.shutdown(std::net::Shutdown::Both).unwrap();
}

#[tokio::test]
async fn s07_a_peer_that_does_not_read_holds_the_sender_back_as_without_tls() {
    let authority = Authority::new();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.config(quiet()).tls(authority.server("localhost"));
    let port = server.local_addr().unwrap().port();
    let (stalled, mut stalls) = tokio::sync::mpsc::unbounded_channel();
    let _server = tokio::spawn(server.serve(move |mut socket| {
        let (sent, stalled) = (Arc::clone(&counted), stalled.clone());
        async move {
            let chunk = vec![0; 32 << 10];
            loop {
                {
                    let mut sending = pin!(socket.send(chunk.clone()));
                    if poll(sending.as_mut()).await.is_pending() {
                        let _ = stalled.send(());
                        sending.await?;
                    }
                }
                assert!(socket.buffered() <= 128 << 10, "{}", socket.buffered());
                sent.fetch_add(chunk.len(), Ordering::SeqCst);
            }
        }
    }));
    let url = format!("wss://localhost:{port}/");
    let mut socket = client(authority.trusted()).connect(&url).await.unwrap();
    // Whatever the kernel takes: at some point the sender waits.
    stalls.recv().await.unwrap();
    let stalled_at = sent.load(Ordering::SeqCst);
    assert!(stalled_at < 64 << 20, "{stalled_at}");
    // And goes on when it is read.
    while sent.load(Ordering::SeqCst) <= stalled_at {
        assert_eq!(
            socket.recv().await.unwrap().unwrap().payload().len(),
            32 << 10
        );
    }
}

#[test]
fn what_is_no_certificate_and_no_key_is_told() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for (chain, key) in [
        ("", key.as_str()),
        (chain.as_str(), ""),
        (chain.as_str(), other.as_str()),
        (key.as_str(), chain.as_str()),
    ] {
        let error = ServerTls::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
    }
    assert_eq!(ClientTls::from_pem(b"").unwrap_err().kind(), ErrorKind::Tls);
    let error = ServerTls::from_files("/nonexistent/chain", "/nonexistent/key").unwrap_err();
    assert!(error.to_string().contains("/nonexistent/chain"), "{error}");
}

#[tokio::test]
async fn the_header_of_a_proxy_comes_before_tls_and_a_tunnel_below_it() {
    let authority = Authority::new();
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let port = server.local_addr().unwrap().port();
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(|received: &mut Received| {
        let peer = received.peer().unwrap();
        assert!(peer.secure);
        match peer.address.unwrap().to_string().as_str() {
            "192.0.2.7:56324" => Ok(()),
            _ => Err(Rejection::forbidden("not you")),
        }
    }));
    let server = server
        .config(quiet())
        .options(options)
        .tls(authority.server("localhost"))
        .proxy_protocol("127.0.0.1".parse().unwrap());
    tokio::spawn(server.serve(echo));

    // A proxy that takes a CONNECT and tells the server for whom.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        assert!(head.starts_with(format!("CONNECT localhost:{port} HTTP/1.1\r\n").as_bytes()));
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let line = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
        server.write_all(line.as_bytes()).await.unwrap();
        stream.write_all(b"HTTP/1.0 200 x\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
    });
    let proxy = cloverleaf::Proxy::new(&format!("http://{address}")).unwrap();
    let client = client(authority.trusted()).proxy(proxy);
    let url = format!("wss://localhost:{port}/");
    let mut socket = client.connect(&url).await.unwrap();
    assert!(socket.get_ref().is_some_and(Transport::is_tls));
    socket.send("through").await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("through".into()));
    socket.close().await.unwrap();
}
