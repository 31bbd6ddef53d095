//! What a guard and a handler may know of the other end: `Peer`.

use std::sync::{Arc, Mutex};

use cloverleaf::proto::handshake::{Peer, Received};
use cloverleaf::{ClientCertificates, Rejection, Server, ServerOptions};
use http::StatusCode;

use super::authority::{Authority, client, echo, visit};

/// A server that notes what it knows of its clients, and refuses those who show no certificate.
async fn noting(authority: &Authority) -> (u16, Arc<Mutex<Vec<Peer>>>) {
    let noted = Arc::new(Mutex::new(Vec::new()));
    let note = Arc::clone(&noted);
    let mut options = ServerOptions::default();
    options
        .guards
        .push(Arc::new(move |received: &mut Received| {
            assert!(received.is_secure());
            let peer = received.peer().unwrap().clone();
            let known = !peer.certificates.is_empty();
            note.lock().unwrap().push(peer);
            if known {
                Ok(())
            } else {
                Err(Rejection::forbidden("show a certificate"))
            }
        }));
    let tls = authority.server("localhost");
    let optional = ClientCertificates::Optional;
    let tls = tls.client_authorities(authority.pem().as_bytes(), optional);
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let server = server.options(options).tls(tls.unwrap());
    let port = server.local_addr().unwrap().port();
    tokio::spawn(server.serve(echo));
    (port, noted)
}

#[tokio::test]
async fn a_guard_sees_the_certificate_of_the_client_and_the_name_it_asked_for() {
    let authority = Authority::new();
    let (port, noted) = noting(&authority).await;
    let alice = authority.client("alice");
    let tls = authority.trusted().certificate(alice.certificate());
    let tls = client(tls.unwrap());
    for resumed in [false, true] {
        let seen = visit(&tls, "localhost", port).await.unwrap();
        assert_eq!(seen.resumed, resumed);
        let peer = noted.lock().unwrap().pop().unwrap();
        assert!(peer.secure);
        assert_eq!(peer.server_name.as_deref(), Some("localhost"));
        assert_eq!(peer.certificates.len(), 1);
        assert!(peer.certificates[0] == alice.der, "resumed: {resumed}");
        assert!(
            peer.address
                .is_some_and(|address| address.ip().is_loopback())
        );
    }
}

#[tokio::test]
async fn a_guard_may_refuse_who_shows_none() {
    let authority = Authority::new();
    let (port, noted) = noting(&authority).await;
    let error = visit(&client(authority.trusted()), "localhost", port).await;
    assert_eq!(error.err().unwrap().status(), Some(StatusCode::FORBIDDEN));
    let peer = noted.lock().unwrap().pop().unwrap();
    assert!(peer.secure && peer.certificates.is_empty());
}
