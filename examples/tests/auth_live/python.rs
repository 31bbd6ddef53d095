//! The Python package `websockets` with our server: Basic from the URL, and no Digest.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use cloverleaf_proto::handshake::RequestGuard;

use crate::peers::{found, program};
use crate::servers::{Ours, basic, digest};

/// A Python with the package: Debian's (python3-websockets), or the first on the path.
fn python() -> Option<PathBuf> {
    let debian = Some(PathBuf::from("/usr/bin/python3"));
    let python = [debian, program("python3")].into_iter().flatten();
    let python = python.into_iter().find(|python| {
        let mut check = Command::new(python);
        check.args(["-c", "import websockets"]);
        let check = check.stdout(Stdio::null()).stderr(Stdio::null()).status();
        check.is_ok_and(|status| status.success())
    });
    found("python3-websockets", python)
}

/// What the client prints.
async fn client(userinfo: &str, server: SocketAddr) -> Option<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/auth_live/python_client.py");
    let mut command = Command::new(python()?);
    command
        .arg(file)
        .arg(format!("ws://{userinfo}{server}/chat"))
        // Newer ones look for a proxy.
        .env("NO_PROXY", "*")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().expect("Python starts"));
    let output = output.await.expect("it does not panic");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// What the client prints, and what our server has seen of it.
async fn visit(
    guard: impl RequestGuard + 'static,
    userinfo: &str,
) -> Option<(String, Vec<String>)> {
    let ours = Ours::start(vec![Arc::new(guard)]).await;
    let said = client(userinfo, ours.address).await?;
    Some((said, ours.seen()))
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_gets_in_by_basic_at_its_first_request() {
    // Not quoted as a URL should be: version 10.4 takes what it says as it is written.
    let Some((said, seen)) = visit(basic(), "Mufasa:Circle of Life@").await else {
        return;
    };
    assert_eq!(said, "Hello, Mufasa by Basic\nas I said\n1000\n");
    assert_eq!(seen, ["1 socket /chat: Basic"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_is_refused_without_a_password_and_with_another() {
    for (userinfo, credentials) in [("", "nothing"), ("Mufasa:another@", "Basic")] {
        let Some((said, seen)) = visit(basic(), userinfo).await else {
            return;
        };
        assert_eq!(said, "refused: 401\n");
        assert_eq!(seen, [format!("1 socket /chat: {credentials}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_knows_no_digest_and_offers_its_password_instead() {
    let Some((said, seen)) = visit(digest(), "Mufasa:Circle of Life@").await else {
        return;
    };
    assert_eq!(said, "refused: 401\n");
    assert_eq!(seen, ["1 socket /chat: Basic"]);
}
