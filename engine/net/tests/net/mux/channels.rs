//! A channel is a WebSocket like any other.

use std::pin::pin;
use std::time::Duration;

use cloverleaf::proto::extension::{ChannelId, Extensions, Hints};
use cloverleaf::proto::handshake::{Check, Received, RequestGuard, Subprotocol};
use cloverleaf::{
    Acceptor, Client, CloseCode, Decision, ErrorKind, Event, Message, Rejection, ServerOptions,
    WebSocket, request,
};
use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_mux::Mux;
use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use std::sync::Arc;
use tokio::io::{AsyncWriteExt, duplex};
use tokio::time::{Instant, timeout};

use super::{Pair, echo, echoes, with};
use crate::ends::{pair, poll, quiet};

#[tokio::test(start_paused = true)]
async fn each_channel_hears_its_own_messages_both_ways() {
    let mut pair = Pair::new().await;
    let mut ends = vec![];
    for _ in 0..5 {
        ends.push(pair.open().await);
    }
    for (at, (client, server)) in ends.iter_mut().enumerate() {
        client.send(format!("to {at}")).await.unwrap();
        server.send(format!("from {at}")).await.unwrap();
    }
    for (at, (client, server)) in ends.iter_mut().enumerate() {
        assert_eq!(
            server.recv().await.unwrap(),
            Some(format!("to {at}").into())
        );
        assert_eq!(
            client.recv().await.unwrap(),
            Some(format!("from {at}").into())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_has_its_own_request_close_code_and_no_stream() {
    let mut pair = Pair::new().await;
    let (mut client, mut server) = pair.open().await;
    assert_eq!(server.opening().handshake.request().uri().path(), "/more");
    assert!(client.get_ref().is_none() && server.get_ref().is_none());
    let number = |socket: &WebSocket<_>| socket.channel().map(ChannelId::get);
    let numbers = [&pair.first, &client, &server].map(number);
    assert_eq!(numbers, [Some(1), Some(2), Some(2)]);
    let (closing, heard) = tokio::join!(
        client.close_with(CloseCode::POLICY_VIOLATION, "enough"),
        server.recv()
    );
    assert!(closing.is_ok() && heard.unwrap().is_none());
    let closed = server.closed().unwrap();
    assert_eq!((closed.code.number(), &*closed.reason), (1008, "enough"));
    assert!(closed.clean);
    let late = server.send("late").await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Closed);
    // The others go on, and the number may be used again.
    let (mut client, mut server) = pair.open().await;
    client.send("again").await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some("again".into()));
}

#[tokio::test(start_paused = true)]
async fn halves_streams_parts_pings_and_hints_work_on_a_channel() {
    let mut pair = Pair::new().await;
    let (mut client, mut server) = pair.open().await;
    client.ping(b"there?").await.unwrap();
    let Some(Event::Ping(ping)) = server.recv_event().await else {
        panic!("a ping");
    };
    assert_eq!(&ping[..], b"there?");
    let Some(Event::Pong(pong)) = client.recv_event().await else {
        panic!("a pong");
    };
    assert_eq!(&pong[..], b"there?");
    let kind = cloverleaf::Kind::Text;
    client.send_part(kind, "in ", false).await.unwrap();
    client.send_part(kind, "parts", true).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some("in parts".into()));
    server.send_with("with", Hints::new()).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), "with".into());
    SinkExt::send(&mut client, Message::from("sunk"))
        .await
        .unwrap();
    assert_eq!(server.recv().await.unwrap(), Some("sunk".into()));
    client.flush().await.unwrap();
    assert_eq!(WebSocket::buffered(&client), 0);
    assert_eq!(client.round_trip(), None);

    let (sender, mut receiver) = client.split();
    let (echoing, ()) = tokio::join!(echo(server), async {
        for n in 0..100 {
            sender.send(format!("{n}")).await.unwrap();
        }
        for n in 0..100 {
            let heard = receiver.recv().await.unwrap();
            assert_eq!(heard, Some(format!("{n}").into()));
        }
        sender.close(CloseCode::NORMAL, "").await.unwrap();
        assert_eq!(receiver.recv().await.unwrap(), None);
    });
    echoing.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_holds_up_nobody_but_its_own_sender() {
    let mut pair = Pair::new().await;
    let (mut blocked, mut deaf) = pair.open().await;
    let (mut client, server) = pair.open().await;
    let echoing = tokio::spawn(echo(server));
    let large = vec![7_u8; 300_000];
    let sending = async {
        for _ in 0..10 {
            blocked.send(large.clone()).await.unwrap();
        }
        blocked.flush().await.unwrap();
    };
    let mut sending = pin!(sending);
    assert!(poll(sending.as_mut()).await.is_pending());
    for n in 0..50 {
        echoes(&mut client, &format!("{n}")).await;
        assert!(poll(sending.as_mut()).await.is_pending());
    }
    let reading = async {
        for _ in 0..10 {
            assert_eq!(deaf.recv().await.unwrap(), Some(large.clone().into()));
        }
    };
    tokio::join!(sending, reading);
    client.close().await.unwrap();
    echoing.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_is_dropped_closes_its_channel_and_no_other() {
    let mut pair = Pair::new().await;
    let (client, mut server) = pair.open().await;
    let (mut other, mut there) = pair.open().await;
    drop(client);
    assert_eq!(server.recv().await.unwrap(), None);
    assert_eq!(server.closed().unwrap().code, CloseCode::NORMAL);
    other.send("still here").await.unwrap();
    assert_eq!(there.recv().await.unwrap(), Some("still here".into()));
}

#[tokio::test(start_paused = true)]
async fn when_nobody_is_left_the_connection_closes() {
    let mut pair = Pair::new().await;
    let (client, server) = pair.open().await;
    drop((client, server));
    let Pair {
        first,
        served,
        multiplexer,
        server,
        ..
    } = pair;
    let another = multiplexer.clone();
    drop((first, served, multiplexer));
    tokio::task::yield_now().await;
    assert!(!another.is_closed(), "someone may still open more");
    drop(another);
    let ended = timeout(Duration::from_secs(1), server).await;
    ended.expect("it ends").unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_ends_every_channel_with_an_error() {
    let mut pair = Pair::new().await;
    let (mut client, mut server) = pair.open().await;
    // What came before is still delivered.
    server.send("before").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1)).await;
    pair.server.abort();
    assert_eq!(client.recv().await.unwrap(), Some("before".into()));
    for socket in [&mut client, &mut pair.first] {
        let error = socket.recv().await.unwrap_err();
        assert_eq!(error.close_code(), Some(CloseCode::ABNORMAL));
        assert_eq!(socket.recv().await.unwrap(), None);
    }
    assert!(pair.multiplexer.is_closed());
    assert!(server.recv().await.is_err(), "its task is gone");
    let request = request("ws://localhost/").unwrap();
    let error = pair.multiplexer.open(request).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_leaves_nothing_behind() {
    let mut pair = Pair::new().await;
    for _ in 0..3 {
        let opening = pair.multiplexer.open(request("ws://localhost/").unwrap());
        let mut opening = Box::pin(opening);
        assert!(poll(opening.as_mut()).await.is_pending());
        drop(opening);
    }
    let (mut client, server) = pair.open().await;
    let echoing = tokio::spawn(echo(server));
    echoes(&mut client, "fine").await;
    assert_eq!(pair.multiplexer.channels(), 2);
    echoing.abort();
}

#[tokio::test(start_paused = true)]
async fn another_host_port_or_scheme_is_refused_before_anything_is_sent() {
    let pair = Pair::new().await;
    for url in [
        "ws://elsewhere/",
        "ws://localhost:81/",
        "wss://localhost/",
        "wss://localhost:80/",
    ] {
        let error = pair
            .multiplexer
            .open(request(url).unwrap())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
    }
    let same = request("ws://LOCALHOST:80/x?y").unwrap();
    pair.multiplexer.open(same).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn as_many_channels_as_there_are_slots_and_one_more_is_an_error() {
    let config = with(Mux::new().channels(3));
    let mut pair = Pair::over(duplex(64 << 10), config, ServerOptions::default()).await;
    let mut open = vec![];
    for left in (0..3).rev() {
        open.push(pair.open().await);
        assert_eq!(pair.multiplexer.slots(), Some(left));
    }
    let one_more = pair.multiplexer.open(request("ws://localhost/").unwrap());
    let error = one_more.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    let (mut client, mut server) = open.pop().unwrap();
    let (closed, _) = tokio::join!(client.close(), server.recv());
    closed.unwrap();
    drop((client, server));
    // The slot comes back behind the close frames.
    tokio::time::sleep(Duration::from_millis(1)).await;
    pair.open().await;
}

#[tokio::test(start_paused = true)]
async fn each_channel_is_answered_by_the_servers_own_guards_and_subprotocols() {
    let mut options = ServerOptions::default();
    options.protocols = vec!["chat".to_owned()];
    let guard = |received: &mut Received| match received.request.uri().path() {
        "/secret" => Err(Rejection::forbidden("not for you")),
        "/" => {
            received.request.extensions_mut().insert("first");
            Ok(())
        }
        _ => Ok(()),
    };
    options.guards.push(Arc::new(guard));
    let mut pair = Pair::over(duplex(64 << 10), with(Mux::new()), options).await;
    let left = pair.served.opening().handshake.extension::<&str>();
    assert_eq!(left, Some(&"first"));

    let secret = request("ws://localhost/secret").unwrap();
    let error = pair.multiplexer.open(secret).await.unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));

    let chat = request("ws://localhost/room")
        .unwrap()
        .protocol("chat")
        .unwrap();
    let client = pair.multiplexer.open(chat).await.unwrap();
    let server = pair.accept().await;
    assert_eq!(
        (client.protocol(), server.protocol()),
        (Some("chat"), Some("chat"))
    );
    // What a guard found out about one channel is not known of another.
    let left = server.opening().handshake.extension::<&str>();
    assert_eq!(left, None);
}

#[tokio::test(start_paused = true)]
async fn compression_in_front_is_agreed_for_each_channel_anew() {
    let extensions = Extensions::new().with(PermessageDeflate::new()).unwrap();
    let mut config = quiet();
    config.extensions = extensions.with(Mux::new()).unwrap();
    let mut pair = Pair::over(duplex(64 << 10), config, ServerOptions::default()).await;
    let (mut client, mut server) = pair.open().await;
    let names = |opening: &cloverleaf::Opening| {
        let names = opening.agreed.iter().map(|agreed| agreed.name.clone());
        names.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(names(pair.first.opening()), "permessage-deflate, mux");
    assert_eq!(names(client.opening()), "permessage-deflate");
    let text = "the same again and again, ".repeat(200);
    client.send(text.clone()).await.unwrap();
    assert_eq!(server.recv().await.unwrap(), Some(text.into()));
    assert!(client.statistics()[0].sent.wire < 200);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_was_dropped_says_what_the_peer_said_of_it() {
    let (near, mut far) = duplex(64 << 10);
    let client = tokio::spawn(async move {
        let request = request("ws://localhost/").unwrap();
        let client = Client::new(with(Mux::new()));
        client.multiplex_over(near, request).await.unwrap()
    });
    let mut peer = crate::ends::Peer(far);
    let head = peer.head().await;
    let answer = String::from_utf8(crate::ends::answer(&head)).unwrap();
    let with_mux = answer.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: mux\r\n\r\n");
    peer.write(with_mux.as_bytes()).await;
    far = peer.0;
    // DropChannel(1, 3005, "you")
    far.write_all(b"\x82\x09\x00\x60\x01\x05\x0b\xbdyou")
        .await
        .unwrap();
    let (mut first, _multiplexer) = client.await.unwrap();
    let error = first.recv().await.unwrap_err();
    assert_eq!(error.close_code(), Some(CloseCode::ABNORMAL));
    let dropped = error.closed().unwrap().error.as_ref().unwrap().to_string();
    assert_eq!(dropped, "the channel was dropped (3005): you");
}

#[tokio::test(start_paused = true)]
async fn a_plain_client_and_a_plain_acceptor_know_nothing_of_it() {
    let (client, server) = pair(with(Mux::new()), with(Mux::new()), 1024).await;
    let head = &client.opening().handshake.request_head();
    assert!(!String::from_utf8_lossy(head).contains("mux"));
    assert!(server.opening().agreed.is_empty());

    // And an acceptor that is offered it does not agree.
    let (near, far) = duplex(64 << 10);
    let acceptor = Acceptor::new(with(Mux::new()), ServerOptions::default());
    let client = Client::new(with(Mux::new()));
    let request = request("ws://localhost/").unwrap();
    let (opened, server) = tokio::join!(client.multiplex_over(near, request), acceptor.accept(far));
    let (_socket, multiplexer) = opened.unwrap();
    assert!(multiplexer.is_none());
    assert!(server.unwrap().opening().agreed.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_asked_one_by_one_still_decides() {
    // `Incoming` is for connections of one WebSocket: the request shows the offer, and it is passed
    // over.
    let (near, far) = duplex(64 << 10);
    let acceptor = Acceptor::new(with(Mux::new()), ServerOptions::default());
    let client = Client::new(with(Mux::new()));
    let request = request("ws://localhost/").unwrap();
    let (opened, ()) = tokio::join!(client.multiplex_over(near, request), async {
        let incoming = acceptor.receive(far).await.unwrap();
        assert_eq!(incoming.received().offers[0].name, "mux");
        let decision = Decision::Accept {
            protocol: Subprotocol::None,
            headers: http::HeaderMap::new(),
        };
        incoming.respond(decision).await.unwrap();
    });
    assert!(opened.unwrap().1.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_waits_for_the_peer_costs_nothing_meanwhile_and_ends_with_the_channel() {
    // A pipe that holds little: the stream itself is full too.
    let config = with(Mux::new());
    let mut pair = Pair::over(duplex(256), config, ServerOptions::default()).await;
    let (mut client, server) = pair.open().await;
    let flushing = async {
        client.send(vec![1; 200_000]).await.unwrap();
        client.flush().await
    };
    let mut flushing = pin!(flushing);
    let wait = Duration::from_secs(3);
    assert!(
        timeout(wait, flushing.as_mut()).await.is_err(),
        "nobody reads"
    );
    pair.server.abort();
    assert!(flushing.await.is_err(), "what waited is thrown away");
    drop(server);
}

/// A trunk is told the time when something comes: on a quiet connection that is long ago.
#[tokio::test(start_paused = true)]
async fn on_a_connection_that_was_quiet_for_long_a_handshake_has_all_of_its_time() {
    let mut pair = Pair::new().await;
    for _ in 0..2 {
        let (mut client, mut server) = pair.open().await;
        tokio::time::advance(Duration::from_secs(60)).await;
        let (closing, heard) = tokio::join!(client.close(), server.recv());
        closing.unwrap();
        assert!(heard.unwrap().is_none());
        tokio::time::advance(Duration::from_secs(60)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_close_frame_that_nobody_answers_is_waited_for_ten_seconds() {
    let mut pair = Pair::new().await;
    let (mut client, server) = pair.open().await;
    let begun = Instant::now();
    let error = client.close().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(begun.elapsed().as_secs(), 10);
    drop(server);
}

/// Decides when it is told to, and refuses `/secret`.
struct Slow(Arc<tokio::sync::Semaphore>);

impl RequestGuard for Slow {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(async move {
            let _permit = self.0.acquire().await;
            match received.request.uri().path() {
                "/secret" => Err(Rejection::forbidden("not for you")),
                _ => Ok(()),
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_guard_that_takes_its_time_over_one_channel_holds_up_no_other() {
    let gate = Arc::new(tokio::sync::Semaphore::new(1));
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(Slow(Arc::clone(&gate))));
    let mut pair = Pair::over(duplex(64 << 10), with(Mux::new()), options).await;
    let closed = gate.acquire().await.unwrap();
    let asked = ["ws://localhost/a", "ws://localhost/secret"].map(|url| {
        let multiplexer = pair.multiplexer.clone();
        tokio::spawn(async move { multiplexer.open(request(url).unwrap()).await })
    });
    // The first channel goes on while two others wait for the guard.
    pair.first.send("meanwhile").await.unwrap();
    assert_eq!(pair.served.recv().await.unwrap(), Some("meanwhile".into()));
    assert!(asked.iter().all(|asked| !asked.is_finished()));
    drop(closed);
    let [one, secret] = asked;
    one.await.unwrap().unwrap();
    pair.accept().await;
    let error = secret.await.unwrap().unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
}
