//! The page for browsers, over TCP: who gets it, and that nobody else's answer has changed.

use std::net::SocketAddr;

use cloverleaf_conformance::native::FuzzingServer;
use cloverleaf_judge::cases;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::control::serve;
use crate::raw::ask;

const SPEC: &str = r#"{"url": "ws://h:1", "cases": ["1.1.*"]}"#;

/// All that comes back for these octets, until the end of TCP.
async fn answer(address: SocketAddr, request: &str) -> String {
    let mut tcp = TcpStream::connect(address).await.expect("reachable");
    tcp.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    tcp.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn a_browser_gets_the_page_at_the_port_of_the_cases_and_a_client_its_connection() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let address = serve(SPEC, folder.path()).await.address;
    let page = answer(address, "GET /?run=1 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains("data-server=\"\"") && page.ends_with("</html>\n"));
    let head = answer(address, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(page.starts_with(&head) && head.ends_with("\r\n\r\n"));
    let icon = answer(address, "GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(icon.starts_with("HTTP/1.1 204 No Content\r\n"), "{icon}");

    // Direct mode at the same path.
    let (head, _) = ask(address, "/").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
}

#[tokio::test]
async fn every_other_request_without_an_upgrade_is_refused_as_ever() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let address = serve(SPEC, folder.path()).await.address;
    for (line, status) in [
        ("GET /getCaseCount HTTP/1.1", 426),
        ("GET /index.html HTTP/1.1", 426),
        ("GET /runCase?case=1&agent=a HTTP/1.1", 426),
        ("GET /runCase?case=9&agent=a HTTP/1.1", 500),
        ("POST / HTTP/1.1", 405),
    ] {
        let answer = answer(address, &format!("{line}\r\nHost: x\r\n\r\n")).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{line}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_port_of_its_own_has_the_page_only_and_the_page_knows_the_way() {
    let server = FuzzingServer::bind(([127, 0, 0, 1], 0).into(), cases::all())
        .await
        .expect("a port");
    let port = server.address().expect("an address").port();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(server.page_elsewhere().expect("a page").serve(listener));

    let page = answer(address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
    assert!(page.contains(&format!("data-server=\"ws:{port}\"")));
    for request in [
        "GET /getCaseCount HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "\r\n\r\n",
    ] {
        let answer = answer(address, request).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 404 Not Found\r\n"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
    }
}
