//! curl with our server. It knows nothing of WebSockets at an `http://` URL: it shows the 101 and
//! all that comes behind it, and waits for more.

use std::io::Read as _;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use cloverleaf_auth::guard::AnyOf;
use cloverleaf_proto::handshake::RequestGuard;

use crate::peers::{PATIENCE, found, program};
use crate::servers::{Ours, PASSWORD, USER, basic, digest, digest_with};

/// Killed when it has said enough.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What curl has received when this came, or when it ended. `None` if there is no curl.
async fn curl(
    server: SocketAddr,
    how: &'static str,
    password: &str,
    wait_for: &'static str,
) -> Option<String> {
    let curl = found("curl", program("curl"))?;
    let mut command = Command::new(curl);
    command
        // Without what its user has set up otherwise.
        .args(["--disable", "--noproxy", "*"])
        .args(["--silent", "--include", "--no-buffer", "--http1.1"])
        .args(["--max-time", &PATIENCE.as_secs().to_string()])
        .args([how, "--user", &format!("{USER}:{password}")])
        .args(["--header", "Connection: Upgrade"])
        .args(["--header", "Upgrade: websocket"])
        .args(["--header", "Sec-WebSocket-Version: 13"])
        .args(["--header", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="])
        .arg(format!("http://{server}/chat?to=you"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let output = tokio::task::spawn_blocking(move || {
        let mut running = Running(command.spawn().expect("curl starts"));
        let mut output = running.0.stdout.take().expect("it is piped");
        let mut received = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let text = String::from_utf8_lossy(&received);
            if text.contains(wait_for) {
                return text.into_owned();
            }
            let n = output.read(&mut piece).expect("readable");
            if n == 0 {
                return String::from_utf8_lossy(&received).into_owned();
            }
            received.extend_from_slice(&piece[..n]);
        }
    });
    Some(output.await.expect("it does not panic"))
}

fn statuses(received: &str) -> Vec<&str> {
    let lines = received.lines();
    lines
        .filter_map(|line| line.strip_prefix("HTTP/1.1 ")?.split(' ').next())
        .collect()
}

/// It gets in, at the second request on the same connection, with this.
async fn gets_in(guard: impl RequestGuard + 'static, how: &'static str, by: &str, with: &str) {
    let ours = Ours::start(vec![Arc::new(guard)]).await;
    // One frame, of text, not masked.
    let greeting = format!("Hello, {USER} by {by}");
    let Some(received) = curl(ours.address, how, PASSWORD, "Hello, ").await else {
        return;
    };
    assert_eq!(statuses(&received), ["401", "101"], "{received}");
    let accept = "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=";
    assert!(received.to_lowercase().contains(accept), "{received}");
    assert!(received.ends_with(&greeting), "{received}");
    let seen = [
        "1 socket /chat: nothing",
        &format!("1 socket /chat: {with}"),
    ];
    assert_eq!(ours.seen(), seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_digest_gets_in_with_sha_256() {
    gets_in(digest(), "--digest", "Digest", "SHA-256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_digest_takes_the_first_challenge_where_there_is_md5_too() {
    gets_in(digest().legacy_md5(), "--digest", "Digest", "SHA-256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_digest_gets_in_with_md5_and_with_sessions() {
    for algorithm in ["MD5", "MD5-sess", "SHA-256-sess"] {
        gets_in(digest_with(algorithm), "--digest", "Digest", algorithm).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_digest_hides_the_name_of_its_user_when_it_may() {
    gets_in(digest().userhash(), "--digest", "Digest", "SHA-256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_anyauth_prefers_digest_to_basic() {
    let guard = AnyOf::new().or(basic()).or(digest());
    gets_in(guard, "--anyauth", "Digest", "SHA-256").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_anyauth_gets_in_by_basic_where_there_is_nothing_else() {
    gets_in(basic(), "--anyauth", "Basic", "Basic").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_basic_gets_in_at_its_first_request() {
    let ours = Ours::start(vec![Arc::new(basic())]).await;
    let received = curl(ours.address, "--basic", PASSWORD, "Hello, ").await;
    let Some(received) = received else {
        return;
    };
    assert_eq!(statuses(&received), ["101"], "{received}");
    assert_eq!(ours.seen(), ["1 socket /chat: Basic"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_is_refused_with_another_password() {
    for (how, guard) in [
        ("--digest", Arc::new(digest()) as Arc<dyn RequestGuard>),
        ("--anyauth", Arc::new(basic())),
    ] {
        let ours = Ours::start(vec![guard]).await;
        // It ends by itself.
        let Some(received) = curl(ours.address, how, "another", "Hello, ").await else {
            return;
        };
        assert_eq!(statuses(&received), ["401", "401"], "{how}: {received}");
        // The second is not stale: another nonce would not help.
        assert!(!received.contains("stale"), "{how}: {received}");
        assert_eq!(ours.seen().len(), 2, "{how}");
    }
}
