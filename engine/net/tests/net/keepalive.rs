//! Silence, slowness and the deadlines of an open connection, in virtual time.

use std::pin::pin;
use std::time::Duration;

use cloverleaf::{CloseCode, Config, ErrorKind, Event, config};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use crate::ends::{Peer, client, pair, poll, quiet, s, scripted_server, server};
use crate::wire::{
    BINARY, CLOSE, PING, PONG, TEXT, closing, frame, masked, masked_head, whole_frames,
};

fn every(interval: u64, timeout: u64) -> Config {
    let mut config = config();
    config.timing.ping_interval = Some(s(interval));
    config.timing.ping_timeout = s(timeout);
    config
}

/// The next frame of a server of ours.
async fn next_frame(peer: &mut Peer) -> (u8, Vec<u8>) {
    let head = peer.read(2).await;
    let payload = peer.read(usize::from(head[1])).await;
    (head[0], payload)
}

#[tokio::test(start_paused = true)]
async fn k06_after_20_s_of_silence_comes_a_ping_and_after_20_more_the_end() {
    let (mut socket, mut peer) = server(config(), 4096).await;
    let start = Instant::now();
    let watching = async {
        assert_eq!(next_frame(&mut peer).await.0, PING);
        let asked = start.elapsed();
        // The interval is spread by a tenth either way.
        assert!(asked >= s(18) && asked <= s(22), "{asked:?}");
        assert_eq!(
            next_frame(&mut peer).await,
            (CLOSE, closing(1011, "no answer to ping"))
        );
        assert_eq!((start.elapsed() - asked).as_secs(), 20);
        drop(peer);
    };
    let (error, ()) = tokio::join!(socket.recv(), watching);
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.is_timeout());
    assert_eq!(error.to_string(), "no answer to ping");
    assert_eq!(error.close_code(), Some(CloseCode::ABNORMAL));
}

#[tokio::test(start_paused = true)]
async fn k06_a_dead_peer_is_noticed_by_a_client_and_while_it_sends_as_well() {
    let (mut socket, peer) = client(config(), 100).await;
    let start = Instant::now();
    // It neither reads nor writes.
    let _ = socket.send(vec![0; 1000]).await;
    let error = socket.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // The stalled write is noticed before the ping that waits behind it.
    assert_eq!(start.elapsed().as_secs(), 30);
    drop(peer);
}

#[tokio::test(start_paused = true)]
async fn two_silent_ends_keep_each_other_alive_and_measure_the_way() {
    let (mut client, mut server) = pair(config(), config(), 4096).await;
    let hour = tokio::time::sleep(s(3600));
    tokio::select! {
        () = hour => {}
        ended = client.recv() => panic!("{ended:?}"),
        ended = server.recv() => panic!("{ended:?}"),
    }
    // Whoever asks first keeps the other from asking.
    assert!(client.round_trip().is_some() || server.round_trip().is_some());
}

#[tokio::test(start_paused = true)]
async fn k05_another_pong_is_life_but_measures_nothing_and_the_right_one_does() {
    let (mut socket, mut peer) = server(config(), 4096).await;
    let watching = async {
        for answer in [Some(&b"other"[..]), None] {
            let (head, payload) = next_frame(&mut peer).await;
            assert_eq!(head, PING);
            tokio::time::sleep(s(3)).await;
            peer.write(&masked(PONG, answer.unwrap_or(&payload))).await;
        }
    };
    tokio::pin!(watching);
    for measured in [None, Some(s(3))] {
        let pong = tokio::select! {
            event = socket.recv_event() => event,
            () = &mut watching => socket.recv_event().await,
        };
        assert!(
            matches!(pong, Some(Event::Ping(_) | Event::Pong(_))),
            "{pong:?}"
        );
        // Virtual time has a resolution of a millisecond.
        let measured_now = socket.round_trip().map(|trip| trip.as_secs());
        assert_eq!(measured_now, measured.map(|trip: Duration| trip.as_secs()));
    }
}

#[tokio::test(start_paused = true)]
async fn k07_a_slow_upload_is_life_though_no_pong_comes() {
    const SIZE: usize = 1 << 20;
    let (mut socket, mut peer) = server(config(), 4096).await;
    let uploading = async {
        peer.write(&masked_head(BINARY, SIZE)).await;
        for _ in 0..16 {
            tokio::time::sleep(s(7)).await;
            peer.write(&vec![0x37; SIZE / 16]).await;
        }
    };
    let (message, ()) = tokio::join!(socket.recv(), uploading);
    assert_eq!(message.unwrap().unwrap().payload().len(), SIZE);
}

#[tokio::test(start_paused = true)]
async fn pings_keep_their_interval_while_the_peer_answers_also_when_the_timeout_is_longer() {
    for (interval, timeout) in [(20, 20), (20, 3), (5, 20), (5, 60)] {
        let (mut socket, mut peer) = server(every(interval, timeout), 4096).await;
        let start = Instant::now();
        let answering = async {
            for _ in 0..10 {
                let (head, payload) = next_frame(&mut peer).await;
                assert_eq!(head, PING);
                peer.write(&masked(PONG, &payload)).await;
            }
        };
        tokio::select! {
            ended = socket.recv() => panic!("{ended:?}"),
            () = answering => {}
        }
        let most = s(interval) * 11;
        assert!(start.elapsed() <= most, "{interval} {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_silence_lasts_as_long_as_it_will() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    let waited = tokio::time::timeout(s(100_000), socket.recv()).await;
    assert!(waited.is_err());
    peer.write(&masked(TEXT, b"at last")).await;
    assert_eq!(socket.recv().await.unwrap(), Some("at last".into()));
}

#[tokio::test(start_paused = true)]
async fn k08_a_message_that_drips_in_ends_after_120_s_with_1008() {
    for (begin, drop) in [
        (masked_head(BINARY, 1000), vec![b'x']),
        (masked(0x01, b"begun"), masked(0x00, b"x")),
        (masked(0x01, b"begun"), masked(PONG, b"")),
        (vec![0x82], vec![]),
    ] {
        let (mut socket, mut peer) = server(quiet(), 4096).await;
        let start = Instant::now();
        let dripping = async {
            peer.write(&begin).await;
            for _ in 0..6 {
                tokio::time::sleep(s(19)).await;
                peer.write(&drop).await;
            }
            let end = next_frame(&mut peer).await;
            assert_eq!(start.elapsed().as_secs(), 120);
            end
        };
        let (error, end) = tokio::join!(socket.recv(), dripping);
        assert_eq!(end, (CLOSE, closing(1008, "message took too long")));
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
    }
}

#[tokio::test(start_paused = true)]
async fn many_messages_in_a_row_never_take_too_long_together() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    // Each read ends in the middle of a message.
    let octets = masked(TEXT, b"message").repeat(100);
    let writing = async {
        for piece in octets.chunks(20) {
            tokio::time::sleep(s(30)).await;
            peer.write(piece).await;
        }
    };
    let reading = async {
        for _ in 0..100 {
            assert_eq!(socket.recv().await.unwrap(), Some("message".into()));
        }
    };
    tokio::join!(writing, reading);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_does_not_read_is_given_up_after_30_s() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(10));
    let start = Instant::now();
    let _ = socket.send(vec![0; 1000]).await;
    assert_eq!(start.elapsed().as_secs(), 30);
    let error = socket.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.to_string(), "peer does not read");
    assert!(socket.send("late").await.unwrap_err().is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_reads_an_octet_now_and_then_is_not() {
    let (mut socket, mut peer) = server(quiet(), 10).await;
    let (sent, read) = tokio::join!(
        socket.send("forty octets of text, and some behind it"),
        async {
            let mut read = Vec::new();
            while read.len() < 42 {
                tokio::time::sleep(s(29)).await;
                read.push(peer.0.read_u8().await.unwrap());
            }
            read
        }
    );
    sent.unwrap();
    assert_eq!(whole_frames(&read)[0].0, TEXT);
}

#[tokio::test(start_paused = true)]
async fn a_stalled_write_is_noticed_while_receiving_too() {
    // K02, K11: nothing but a pong waits.
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(1));
    hand.send(&masked(PING, b"?"));
    let start = Instant::now();
    let error = socket.recv().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn k11_a_pong_that_had_to_wait_leaves_when_the_stream_takes_it_and_nothing_else_happens() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.room(Some(1));
    hand.send(&masked(PING, b"?"));
    let mut receiving = pin!(socket.recv());
    assert!(poll(receiving.as_mut()).await.is_pending());
    hand.room(None);
    assert!(poll(receiving.as_mut()).await.is_pending());
    assert_eq!(hand.take(), frame(PONG, b"?"));
}

#[tokio::test(start_paused = true)]
async fn a_timer_follows_the_connection_to_another_task() {
    let (mut socket, _peer) = server(config(), 4096).await;
    // One task polls and goes away; the next must be woken all the same.
    assert!(poll(pin!(socket.recv())).await.is_pending());
    let other = tokio::spawn(async move { socket.recv().await.unwrap_err().kind() });
    let waited = tokio::time::timeout(s(60), other).await;
    assert_eq!(waited.unwrap().unwrap(), ErrorKind::Timeout);
}
