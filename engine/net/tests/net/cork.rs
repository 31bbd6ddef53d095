//! When octets are written: many small messages in one write, and none of them ever stuck.

use cloverleaf::proto::extension::{
    Agreement, Claims, Declined, Encoded, Encoder, Extension, Extensions, Failure, Hints, Output,
    Params, Stage,
};
use cloverleaf::proto::frame::Head;
use cloverleaf::{Acceptor, Config, Event, Message, ServerOptions, WebSocket, config};
use std::pin::pin;

use crate::ends::{Peer, REQUEST, pair, poll, quiet, s, scripted_client, scripted_server};
use crate::script::Script;
use crate::wire::{BINARY, PING, PONG, TEXT, frame, masked, masked_head, whole_frames};

/// The loop that everybody writes first, until nothing more has come.
async fn echo(socket: &mut WebSocket<Script>) {
    let mut echoing = pin!(async {
        while let Some(message) = socket.recv().await.unwrap() {
            socket.send(message).await.unwrap();
        }
    });
    assert!(poll(echoing.as_mut()).await.is_pending());
}

#[tokio::test]
async fn sixteen_messages_in_one_read_are_echoed_in_one_write() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"hello").repeat(16));
    echo(&mut socket).await;
    assert_eq!(hand.writes(), [16 * 7]);
    assert_eq!(hand.take(), b"\x81\x05hello".repeat(16));
}

#[tokio::test]
async fn a_client_echoes_sixteen_messages_in_one_write_as_well() {
    let (mut socket, hand) = scripted_client(quiet()).await;
    hand.send(&frame(TEXT, b"hello").repeat(16));
    echo(&mut socket).await;
    assert_eq!(hand.writes(), [16 * 11]);
    let expected = vec![(TEXT, b"hello".to_vec()); 16];
    assert_eq!(whole_frames(&hand.take()), expected);
}

#[tokio::test]
async fn one_message_is_echoed_in_one_write_behind_one_read() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    let before = hand.read_calls();
    hand.send(&masked(TEXT, b"hello"));
    echo(&mut socket).await;
    assert_eq!(hand.writes(), [7]);
    // The read that brought the message, and the one that waits.
    assert_eq!(hand.read_calls() - before, 2);
}

#[tokio::test]
async fn a_message_that_came_only_in_part_does_not_hold_the_answer_back() {
    for unfinished in [
        masked(TEXT, b"second")[..1].to_vec(),
        masked(TEXT, b"second")[..5].to_vec(),
        masked(TEXT, b"second")[..9].to_vec(),
        masked_head(BINARY, 100_000),
    ] {
        let (mut socket, hand) = scripted_server(quiet()).await;
        hand.send(&[masked(TEXT, b"first"), unfinished.clone()].concat());
        let first = socket.recv().await.unwrap().unwrap();
        socket.send(first).await.unwrap();
        assert_eq!(hand.take(), frame(TEXT, b"first"), "{unfinished:02x?}");
    }
}

#[tokio::test]
async fn with_nothing_to_receive_every_send_writes_at_once() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    for _ in 0..10 {
        socket.send("tick").await.unwrap();
    }
    assert_eq!(hand.writes(), [6; 10]);
}

/// The default settings, with an encoder that tells of every message.
fn chatty() -> Config {
    struct Chatty;
    impl Encoder for Chatty {
        fn encode(
            &mut self,
            _: Head,
            _: Hints,
            _: &[u8],
            out: &mut Output<'_>,
        ) -> Result<Encoded, Failure> {
            out.notify("sent");
            Ok(Encoded::Unchanged)
        }
    }
    let make = || Agreement::new(Params::new()).encoder(Chatty);
    let mut config = quiet();
    config.extensions = Extensions::new()
        .with_local("x-chatty", make)
        .expect("the name is free");
    config
}

#[tokio::test]
async fn what_an_encoder_tells_holds_no_message_back() {
    let (mut socket, hand) = scripted_server(chatty()).await;
    for _ in 0..10 {
        socket.send("tick").await.unwrap();
    }
    assert_eq!(hand.writes(), [6; 10]);
}

#[tokio::test(start_paused = true)]
async fn two_ends_whose_encoders_tell_something_read_while_they_write() {
    let (mut client, mut server) = pair(chatty(), chatty(), 1000).await;
    let (from_client, from_server) = (vec![1; 300_000], vec![2; 300_000]);
    // Whoever has written first goes on reading.
    let (one, other) = tokio::join!(
        async {
            client.send(from_client.clone()).await.unwrap();
            client.recv().await.unwrap()
        },
        async {
            server.send(from_server.clone()).await.unwrap();
            server.recv().await.unwrap()
        },
    );
    assert_eq!(one, Some(Message::binary(from_server)));
    assert_eq!(other, Some(Message::binary(from_client)));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_learns_at_once_what_the_senders_encoder_tells() {
    let (client, _server) = pair(chatty(), chatty(), 1000).await;
    let (sender, mut receiver) = client.split();
    let waiting = tokio::spawn(async move { receiver.recv_event().await });
    tokio::task::yield_now().await;
    sender.send("tick").await.unwrap();
    let event = tokio::time::timeout(s(1), waiting).await;
    let event = event.expect("it is woken").unwrap();
    assert!(matches!(event, Some(Event::Notice { .. })), "{event:?}");
}

/// A frame-stage extension that tells of every frame that leaves.
#[derive(Clone, Copy, Debug)]
struct Gossip;

impl Extension for Gossip {
    fn name(&self) -> &str {
        "x-gossip"
    }

    fn claims(&self) -> Claims {
        Claims::at(Stage::Frame)
    }

    fn offers(&self) -> Vec<Params> {
        vec![Params::new()]
    }

    fn accept(&self, _: &Params) -> Result<Agreement, Declined> {
        Ok(Agreement::new(Params::new()).encoder(*self))
    }
}

impl Encoder for Gossip {
    fn encode(
        &mut self,
        _: Head,
        _: Hints,
        _: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Encoded, Failure> {
        out.notify("sent");
        Ok(Encoded::Unchanged)
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_encoder_tells_of_a_ping_of_the_keepalive_does_not_wait_for_the_pong() {
    let mut config = config();
    config.timing.ping_interval = Some(s(10));
    config.extensions = Extensions::new().with(Gossip).expect("there is one");
    let (near, far) = tokio::io::duplex(1 << 16);
    let mut peer = Peer(near);
    let acceptor = Acceptor::new(config, ServerOptions::default());
    let offer = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: x-gossip";
    let request = std::str::from_utf8(REQUEST).unwrap();
    let request = request.replace("Sec-WebSocket-Version: 13", offer);
    let (socket, _) = tokio::join!(acceptor.accept(far), async {
        peer.write(request.as_bytes()).await;
        peer.head().await
    });
    let mut socket = socket.unwrap();
    let opened = tokio::time::Instant::now();
    // At the latest when the pong is missed, it is woken.
    let event = socket.recv_event().await;
    assert!(matches!(event, Some(Event::Notice { .. })), "{event:?}");
    // The interval is 10 s, give or take a tenth.
    let waited = opened.elapsed();
    assert!(waited >= s(9) && waited <= s(11), "{waited:?}");
}

#[tokio::test]
async fn answers_are_held_back_only_while_a_message_waits_and_leave_when_recv_finds_none() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"x").repeat(3));
    for held in [0, 0, 9] {
        let message = socket.recv().await.unwrap().unwrap();
        socket.send(message).await.unwrap();
        assert_eq!(hand.writes().iter().sum::<usize>(), held);
    }
    // One that is received and not answered: what was sent before leaves with the next recv.
    hand.send(&masked(TEXT, b"y").repeat(2));
    hand.take();
    let message = socket.recv().await.unwrap().unwrap();
    socket.send(message).await.unwrap();
    socket.recv().await.unwrap().unwrap();
    assert!(hand.writes().is_empty());
    assert!(poll(pin!(socket.recv())).await.is_pending());
    assert_eq!(hand.take(), frame(TEXT, b"y"));
}

#[tokio::test]
async fn flush_writes_what_is_held_back() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"x").repeat(2));
    let message = socket.recv().await.unwrap().unwrap();
    socket.send(message).await.unwrap();
    assert_eq!((hand.writes().len(), socket.buffered()), (0, 3));
    socket.flush().await.unwrap();
    assert_eq!((hand.writes(), socket.buffered()), (vec![3], 0));
}

#[tokio::test]
async fn at_64_kib_answers_leave_though_more_messages_wait() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"x").repeat(2));
    socket.recv().await.unwrap().unwrap();
    let mut most = 0;
    for _ in 0..100 {
        socket.send(vec![0; 1000]).await.unwrap();
        most = most.max(socket.buffered());
    }
    assert!((60_000..70_000).contains(&most), "{most}");
    assert_eq!(hand.writes().len(), 1, "{:?}", hand.writes());
}

#[tokio::test]
async fn a_large_message_of_a_server_leaves_by_vectored_writes() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    socket.send(vec![7; 60_000]).await.unwrap();
    assert_eq!((hand.writes(), hand.vectored()), (vec![60_004], 1));
    assert_eq!(hand.take(), frame(BINARY, &[7; 60_000]));
}

#[tokio::test]
async fn a_message_over_64_kib_leaves_in_fragments_so_that_a_pong_can_stand_between() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(10));
    {
        let mut sending = pin!(socket.send(vec![7; 200_000]));
        assert!(poll(sending.as_mut()).await.is_pending());
        hand.send(&masked(PING, b"!"));
        assert!(poll(sending.as_mut()).await.is_pending());
        hand.room(None);
        sending.await.unwrap();
    }
    assert!(poll(pin!(socket.recv())).await.is_pending());
    let frames = whole_frames(&hand.take());
    let heads: Vec<_> = frames.iter().map(|(head, _)| *head).collect();
    assert_eq!(heads, [0x02, PONG, 0x00, 0x00, 0x80]);
}

#[tokio::test]
async fn one_octet_at_a_time_and_with_every_second_write_waiting_the_octets_are_the_same() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.piece(1);
    hand.hesitate();
    socket.send("hello").await.unwrap();
    socket.send(vec![1; 300]).await.unwrap();
    socket.send(vec![2; 20_000]).await.unwrap();
    let expected = [
        frame(TEXT, b"hello"),
        frame(BINARY, &[1; 300]),
        frame(BINARY, &[2; 20_000]),
    ];
    assert_eq!(hand.take(), expected.concat());
}

#[tokio::test]
async fn every_answer_is_written_whichever_way_the_messages_are_cut() {
    let messages = [
        masked(TEXT, b"a"),
        masked(PING, b"p"),
        masked(TEXT, b""),
        masked(0x01, b"b"),
        masked(0x80, b"c"),
        masked(BINARY, &[9; 300]),
    ]
    .concat();
    for cut in 0..=messages.len() {
        let (mut socket, hand) = scripted_server(quiet()).await;
        let (front, back) = messages.split_at(cut);
        if !front.is_empty() {
            hand.send(front);
        }
        echo(&mut socket).await;
        hand.send(back);
        echo(&mut socket).await;
        let echoed: Vec<_> = whole_frames(&hand.take())
            .into_iter()
            .filter(|(head, _)| *head != PONG)
            .collect();
        let expected = [
            (TEXT, b"a".to_vec()),
            (TEXT, vec![]),
            (TEXT, b"bc".to_vec()),
            (BINARY, vec![9; 300]),
        ];
        assert_eq!(echoed, expected, "cut at {cut}");
    }
}

#[tokio::test]
async fn a_pong_leaves_though_the_application_sends_nothing() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(PING, b"1"));
    hand.then(crate::script::Read::NotYet);
    hand.send(&masked(TEXT, b"x"));
    assert_eq!(socket.recv().await.unwrap(), Some(Message::text("x")));
    assert_eq!(hand.take(), frame(PONG, b"1"));
}
