//! Peers that mean no good.

use std::pin::pin;
use std::time::Duration;

use cloverleaf::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::ends::{client, poll, quiet, scripted_server, server};
use crate::wire::{
    BINARY, CLOSE, PING, PONG, TEXT, closing, frame, masked, masked_head, whole_frames,
};

#[tokio::test]
async fn f06_a_frame_with_the_wrong_mask_is_refused_at_its_second_octet_in_both_roles() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    peer.write(b"\x82\x7f").await;
    let (ended, told) = tokio::join!(socket.recv(), async {
        let told = peer.read(4).await;
        drop(peer);
        told
    });
    assert_eq!(told[2..], closing(1002, ""));
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Protocol);

    let (mut socket, mut peer) = client(quiet(), 4096).await;
    peer.write(b"\x81\x85").await;
    let (ended, told) = tokio::join!(socket.recv(), async {
        let mut told = Vec::new();
        while told.len() < 8 {
            told.push(peer.0.read_u8().await.unwrap());
        }
        peer.0.shutdown().await.unwrap();
        told.extend(peer.rest().await);
        told
    });
    let frames = whole_frames(&told);
    assert_eq!(frames[0].0, CLOSE);
    assert_eq!(frames[0].1[..2], closing(1002, ""));
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Protocol);
}

#[tokio::test]
async fn f02_f03_a_header_that_promises_much_is_refused_or_waited_for_without_holding_anything() {
    // More than the limit: refused by the header alone.
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked_head(BINARY, usize::MAX >> 1));
    hand.end();
    assert_eq!(socket.recv().await.unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(hand.take()[2..4], closing(1009, ""));

    // As much as the limit: waited for.
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked_head(BINARY, 1 << 20));
    assert!(poll(pin!(socket.recv())).await.is_pending());
    assert_eq!(socket.buffered(), 0);
}

#[tokio::test]
async fn f15_a_message_of_the_limit_is_received_and_one_octet_more_is_1009_before_its_payload() {
    for (fragments, over) in [(1, 0), (1, 1), (4, 0), (4, 1)] {
        let (mut socket, hand) = scripted_server(quiet()).await;
        let mut left = (1 << 20) + over;
        for i in 0..fragments {
            let fin = if i == fragments - 1 { 0x80 } else { 0 };
            let n = if fin == 0 { (1 << 20) / 4 } else { left };
            left -= n;
            let first = fin | if i == 0 { 0x02 } else { 0 };
            hand.send(&masked_head(first, n));
            if fin == 0 || over == 0 {
                hand.send(&vec![0; n]);
            }
        }
        if over == 0 {
            let message = socket.recv().await.unwrap().unwrap();
            assert_eq!(message.payload().len(), 1 << 20);
        } else {
            hand.end();
            assert_eq!(socket.recv().await.unwrap_err().kind(), ErrorKind::Limit);
            assert_eq!(hand.take()[2..4], closing(1009, ""));
        }
    }
}

#[tokio::test]
async fn k02_a_flood_of_pings_from_a_client_that_never_reads_costs_64_kib_and_ends() {
    let mut config = quiet();
    config.timing.write_stall_timeout = Duration::from_secs(30);
    let (mut socket, hand) = scripted_server(config).await;
    hand.room(Some(1000));
    let pings = masked(PING, &[b'p'; 125]).repeat(100);
    let mut most = 0;
    for _ in 0..1000 {
        hand.send(&pings);
        assert!(poll(pin!(socket.recv())).await.is_pending());
        most = most.max(socket.buffered());
    }
    assert!(most <= (64 << 10) + 127, "{most}");
    // The latest ping is the one that is answered when the client reads at last.
    hand.send(&masked(PING, b"last"));
    assert!(poll(pin!(socket.recv())).await.is_pending());
    hand.room(None);
    assert!(poll(pin!(socket.recv())).await.is_pending());
    let pongs = whole_frames(&hand.take());
    assert_eq!(pongs.last(), Some(&(PONG, b"last".to_vec())));
    assert!(pongs.len() < 600, "{}", pongs.len());
}

#[tokio::test]
async fn k04_pongs_that_nobody_asked_for_are_ignored() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(PONG, &[b'p'; 125]).repeat(10_000));
    hand.send(&masked(TEXT, b"x"));
    assert_eq!(socket.recv().await.unwrap(), Some("x".into()));
    assert!(hand.take().is_empty());
}

#[tokio::test]
async fn f12_a_hundred_thousand_tiny_messages_in_a_row_are_all_delivered() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    hand.send(&masked(TEXT, b"x").repeat(100_000));
    for _ in 0..100_000 {
        assert_eq!(socket.recv().await.unwrap(), Some("x".into()));
    }
    assert!(poll(pin!(socket.recv())).await.is_pending());
}

#[tokio::test]
async fn l08_behind_the_peers_close_frame_nothing_is_delivered_or_answered() {
    let (mut socket, hand) = scripted_server(quiet()).await;
    let behind = [masked(TEXT, b"late"), masked(PING, b"late")].concat();
    hand.send(&[masked(CLOSE, &closing(1000, "")), behind].concat());
    hand.end();
    assert_eq!(socket.recv().await.unwrap(), None);
    assert_eq!(hand.take(), frame(CLOSE, &closing(1000, "")));
}

#[tokio::test(start_paused = true)]
async fn l05_a_peer_that_goes_on_and_on_behind_our_close_frame_is_cut_off() {
    let (mut socket, mut peer) = server(quiet(), 4096).await;
    let pouring = async {
        let message = masked(BINARY, &[0; 60_000]);
        while peer.0.write_all(&message).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let start = tokio::time::Instant::now();
    let closing = async {
        let end = socket.close().await;
        drop(socket);
        end
    };
    let (end, ()) = tokio::join!(closing, pouring);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::Timeout);
    assert!(start.elapsed().as_secs() <= 10);
}
