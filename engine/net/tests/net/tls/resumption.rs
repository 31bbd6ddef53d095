//! Sessions that are resumed, and early data, which is not.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConnection;
use tokio_rustls::rustls::version::TLS12;

use super::authority::{Authority, client, serve, visit};
use super::greeting::{config, name};

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let authority = Authority::new();
    let made = authority.made(&["localhost"]);
    let (port, _server) = serve(made.server()).await;
    let tls = authority.trusted();
    let first = visit(&client(tls.clone()), "localhost", port).await;
    assert!(!first.unwrap().resumed);
    // Clones have their sessions in common.
    let second = visit(&client(tls), "localhost", port).await.unwrap();
    assert!(second.resumed);
    assert!(second.certificate == made.der, "that of the first session");
}

#[tokio::test]
async fn either_end_may_want_none_of_it() {
    let authority = Authority::new();
    for (of_client, of_server) in [(false, true), (true, false)] {
        let tls = authority.server("localhost");
        let (port, _server) = serve(tls.resumption(of_server).unwrap()).await;
        let client = client(authority.trusted().resumption(of_client).unwrap());
        for _ in 0..2 {
            assert!(!visit(&client, "localhost", port).await.unwrap().resumed);
        }
    }
}

#[tokio::test]
async fn behind_a_reload_every_client_sees_the_new_certificate() {
    let authority = Authority::new();
    let tls = authority.server("localhost");
    let (port, _server) = serve(tls.clone()).await;
    let client = client(authority.trusted());
    visit(&client, "localhost", port).await.unwrap();
    let renewed = authority.made(&["localhost"]);
    tls.reload([renewed.certificate()]).unwrap();
    let seen = visit(&client, "localhost", port).await.unwrap();
    assert!(!seen.resumed);
    assert!(seen.certificate == renewed.der);
}

#[tokio::test]
async fn a_name_that_is_gone_is_gone_for_tickets_too() {
    let authority = Authority::new();
    let tls = authority.server("localhost");
    let (port, _server) = serve(tls.clone()).await;
    let client = client(authority.trusted());
    visit(&client, "localhost", port).await.unwrap();
    tls.reload([authority.made(&["other.example"]).certificate()])
        .unwrap();
    visit(&client, "localhost", port).await.err().unwrap();
}

#[tokio::test]
async fn with_tls_1_2_sessions_are_resumed_as_well() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let mut config = config(&authority, &[&TLS12]);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    for resumed in [false, true] {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let connector = TlsConnector::from(Arc::clone(&config));
        let session = connector.connect(name("localhost"), stream).await.unwrap();
        let kind = format!("{:?}", session.get_ref().1.handshake_kind().unwrap());
        assert_eq!(kind == "Resumed", resumed, "{kind}");
    }
}

#[tokio::test]
async fn s09_early_data_is_never_accepted() {
    let authority = Authority::new();
    let (port, _server) = serve(authority.server("localhost")).await;
    let mut config = config(&authority, tokio_rustls::rustls::ALL_VERSIONS);
    config.enable_early_data = true;
    let config = Arc::new(config);
    for resumed in [false, true] {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let connector = TlsConnector::from(Arc::clone(&config));
        let mut session = connector.connect(name("localhost"), stream).await.unwrap();
        // The answer to nonsense comes behind the tickets.
        session.write_all(b"nonsense\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        let _ = session.read_to_end(&mut answer).await;
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
        let kind = format!("{:?}", session.get_ref().1.handshake_kind().unwrap());
        assert_eq!(kind == "Resumed", resumed, "{kind}");
        assert!(!session.get_ref().1.is_early_data_accepted());
        // It would, if a ticket said that it may (RFC 8446 §4.6.1).
        let mut next = ClientConnection::new(Arc::clone(&config), name("localhost")).unwrap();
        assert!(next.early_data().is_none());
    }
}
