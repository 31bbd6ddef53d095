//! What trusted proxies in front of a server say of a request, and who believes it.

use std::sync::{Arc, Mutex};

use cloverleaf_proto::handshake::{
    Peer, Received, ServerHandshake, ServerOptions, ServerProgress, TrustedProxies,
};
use http::header::HOST;

use crate::rig::{Lines, config, now, request, take_output};

type Seen = Arc<Mutex<Vec<(Peer, bool, String)>>>;

/// Options that trust a proxy at 10.0.0.1, and what their guard gets to see.
fn options() -> (ServerOptions, Seen) {
    let seen = Seen::default();
    let mut options = ServerOptions::default();
    options.trusted_proxies = "10.0.0.1".parse().unwrap();
    let noted = Arc::clone(&seen);
    options
        .guards
        .push(Arc::new(move |received: &mut Received| {
            let peer = received.peer().unwrap().clone();
            let host = received.request.headers()[HOST]
                .to_str()
                .unwrap()
                .to_owned();
            noted
                .lock()
                .unwrap()
                .push((peer, received.is_secure(), host));
            Ok(())
        }));
    (options, seen)
}

fn ask(options: &ServerOptions, direct: &str, request: &Lines) -> ServerHandshake {
    let mut server = ServerHandshake::new(Arc::new(options.clone()), config(), now());
    let peer = Peer::at(direct.parse().unwrap());
    server.context_mut().insert(peer);
    server.handle_input(&request.octets());
    server
}

#[test]
fn guards_see_the_client_that_a_trusted_proxy_names() {
    let (options, seen) = options();
    let request = request().with("Forwarded: for=\"192.0.2.7:99\";proto=https;host=chat.example");
    let server = ask(&options, "10.0.0.1:5000", &request);
    assert_eq!(server.progress(), ServerProgress::Deciding);
    let (peer, secure, host) = seen.lock().unwrap().pop().unwrap();
    assert_eq!(peer.address, Some("192.0.2.7:99".parse().unwrap()));
    assert_eq!(
        (peer.secure, secure, host.as_str()),
        (true, true, "chat.example")
    );
    assert_eq!(server.peer(), Some(&peer));
}

#[test]
fn the_certificate_of_a_proxy_is_not_its_clients() {
    for (forwarded, is_shown) in [(None, true), (Some("Forwarded: for=192.0.2.7"), false)] {
        let (options, seen) = options();
        let mut server = ServerHandshake::new(Arc::new(options), config(), now());
        let mut proxy = Peer::at("10.0.0.1:5000".parse().unwrap());
        proxy.certificates = vec![bytes::Bytes::from_static(b"the proxy's")];
        proxy.server_name = Some("backend.example".to_owned());
        server.context_mut().insert(proxy);
        let asked = match forwarded {
            Some(line) => request().with(line),
            None => request(),
        };
        server.handle_input(&asked.octets());
        let (peer, ..) = seen.lock().unwrap().pop().unwrap();
        assert_eq!(!peer.certificates.is_empty(), is_shown);
        assert_eq!(peer.server_name.is_some(), is_shown);
    }
}

#[test]
fn nobody_else_is_believed() {
    let (mut options, seen) = options();
    let request = request()
        .with("Forwarded: for=127.0.0.1;proto=https;host=chat.example")
        .with("X-Forwarded-For: junk");
    for trusted in [options.trusted_proxies.clone(), TrustedProxies::none()] {
        options.trusted_proxies = trusted;
        let server = ask(&options, "192.0.2.9:5000", &request);
        assert_eq!(server.progress(), ServerProgress::Deciding);
        let (peer, secure, host) = seen.lock().unwrap().pop().unwrap();
        assert_eq!(peer, Peer::at("192.0.2.9:5000".parse().unwrap()));
        assert_eq!((secure, host.as_str()), (false, "example.com"));
    }
}

#[test]
fn a_proxy_that_cannot_be_understood_is_answered_400_and_no_guard_is_asked() {
    let (options, seen) = options();
    for line in [
        "Forwarded: for=\"",
        "X-Forwarded-For: x",
        "X-Forwarded-Host: a b",
    ] {
        let mut server = ask(&options, "10.0.0.1:5000", &request().with(line));
        assert!(
            take_output(&mut server).starts_with("HTTP/1.1 400 "),
            "{line}"
        );
        assert!(seen.lock().unwrap().is_empty());
    }
}

#[test]
fn the_origin_is_that_of_the_host_the_client_asked_for() {
    let (options, _) = options();
    let page = |origin: &str| {
        request()
            .set("Host", "10.0.0.7:8080")
            .with(format!("Origin: {origin}"))
    };
    let proxied = |origin| {
        page(origin)
            .with("X-Forwarded-Host: chat.example")
            .with("X-Forwarded-Proto: https")
    };
    for (direct, request, status) in [
        ("10.0.0.1:1", proxied("https://chat.example"), "Deciding"),
        // Whoever sits between the client and the proxy wrote that page.
        ("10.0.0.1:1", proxied("http://chat.example"), "Failed"),
        ("10.0.0.1:1", proxied("https://10.0.0.7:8080"), "Failed"),
        ("10.0.0.1:1", page("https://chat.example"), "Failed"),
        ("192.0.2.9:1", proxied("https://chat.example"), "Failed"),
    ] {
        let server = ask(&options, direct, &request);
        assert_eq!(format!("{:?}", server.progress()), status, "{request:?}");
    }
}

#[test]
fn a_proxy_that_comes_over_tls_may_say_that_its_client_did_not() {
    let (mut options, seen) = options();
    options.tls = true;
    for (line, secure) in [
        ("Forwarded: for=192.0.2.7;proto=http", false),
        ("Forwarded: for=192.0.2.7", true),
        ("X: y", true),
    ] {
        let _ = ask(&options, "10.0.0.1:1", &request().with(line));
        let (peer, is_secure, _) = seen.lock().unwrap().pop().unwrap();
        assert_eq!((peer.secure, is_secure), (secure, secure), "{line}");
    }
}

#[test]
fn a_request_that_is_refused_is_still_known_by_its_client() {
    let (mut options, _) = options();
    options.origin = cloverleaf_proto::handshake::OriginPolicy::List(Vec::new());
    let request = request()
        .with("X-Forwarded-For: 192.0.2.7")
        .with("Origin: https://a");
    let server = ask(&options, "10.0.0.1:1", &request);
    assert_eq!(server.progress(), ServerProgress::Failed);
    let address = server.peer().unwrap().address.unwrap();
    assert_eq!(address, "192.0.2.7:0".parse().unwrap());
}
