//! A subject may fail a connection by ending TCP, without a close frame (RFC 6455 §7.1.7).

use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{Place, judge_server};
use cloverleaf_judge::session::Options;
use cloverleaf_judge::{cases, opening};
use cloverleaf_reports::{CloseVerdict, Verdict};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// A server that echoes one short text, and ends TCP at whatever comes then.
async fn server(mut stream: DuplexStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a request"));
    }
    let head = String::from_utf8(head).expect("ASCII");
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
        .expect("a key");
    let response = opening::response(key, None);
    stream.write_all(response.as_bytes()).await.expect("sent");

    assert_eq!(stream.read_u8().await.expect("a text"), 0x81);
    let length = stream.read_u8().await.expect("its length") & 0x7F;
    let mut rest = vec![0; 4 + usize::from(length)];
    stream
        .read_exact(&mut rest)
        .await
        .expect("mask and payload");
    let (mask, payload) = rest.split_at(4);
    let mut echo = vec![0x81, length];
    echo.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    stream.write_all(&echo).await.expect("echoed");

    // The frame that breaks the protocol has begun.
    let _ = stream.read_u8().await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_tcp_without_a_close_frame_fails_the_connection_as_it_may() {
    let wanted = ["close.failing.1", "close.failing.17", "close.failing.21"];
    for id in wanted {
        let id = id.parse().expect("an id");
        let case = cases::find(&id).expect("a case");
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        let server = tokio::spawn(server(theirs));
        let place = Place::new("localhost", "/");
        let (result, _) =
            judge_server(ours, &case, &place, &Options::default(), Random::new()).await;
        assert_eq!(result.verdict, Verdict::Ok, "{id}: {:?}", result.detail);
        assert_eq!(result.close_verdict, CloseVerdict::Ok, "{id}");
        server.await.expect("no panic");
    }
}
