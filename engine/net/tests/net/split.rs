//! Two halves for two tasks, and more senders than one.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use cloverleaf::{CloseCode, ErrorKind, Message};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::ends::{pair, poll, quiet, s, scripted_server, server};
use crate::wire::{BINARY, CLOSE, Dice, PING, PONG, TEXT, closing, frame, masked, whole_frames};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn x07_frames_of_eight_senders_never_interleave_while_the_peer_pings() {
    const EACH: u32 = 300;
    let (socket, mut peer) = pair(quiet(), quiet(), 1000).await;
    let (sender, mut receiver) = socket.split();
    let mut senders = JoinSet::new();
    for number in 0..8u8 {
        let sender = sender.clone();
        senders.spawn(async move {
            let mut dice = Dice::new(u64::from(number));
            for i in 0..EACH {
                let mut payload = vec![number; 5 + dice.roll(700)];
                payload[1..5].copy_from_slice(&i.to_be_bytes());
                sender.send(payload).await.unwrap();
            }
        });
    }
    drop(sender);
    let receiving = tokio::spawn(async move {
        let mut echoes = 0;
        while receiver.recv().await.unwrap().is_some() {
            echoes += 1;
        }
        echoes
    });
    let mut next = [0u32; 8];
    let mut pongs = 0;
    for i in 0..8 * EACH {
        if i % 10 == 0 {
            peer.ping(&i.to_be_bytes()).await.unwrap();
            peer.send("echo").await.unwrap();
        }
        let message = loop {
            match peer.recv_event().await.unwrap() {
                cloverleaf::Event::Message(message) => break message,
                cloverleaf::Event::Pong(_) => pongs += 1,
                other => panic!("{other:?}"),
            }
        };
        let payload = message.payload();
        let sender = usize::from(payload[0]);
        assert!(payload[5..].iter().all(|octet| *octet == payload[0]));
        assert_eq!(payload[1..5], next[sender].to_be_bytes());
        next[sender] += 1;
    }
    assert_eq!(next, [EACH; 8]);
    assert!(pongs > 0);
    senders.join_all().await;
    peer.close().await.unwrap();
    assert_eq!(receiving.await.unwrap(), 8 * EACH / 10);
}

/// Counts how often it is woken, and says whether it was since the last look.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A task in the hands of the test: polled only when it has been woken.
struct Task<'a, T> {
    future: Option<Pin<Box<dyn Future<Output = T> + 'a>>>,
    bell: Arc<Bell>,
    output: Option<T>,
}

impl<'a, T> Task<'a, T> {
    fn new(future: impl Future<Output = T> + 'a) -> Self {
        let bell = Arc::new(Bell(AtomicUsize::new(1)));
        let future: Pin<Box<dyn Future<Output = T> + 'a>> = Box::pin(future);
        Self {
            future: Some(future),
            bell,
            output: None,
        }
    }

    /// Polls if woken. Whether it was.
    fn turn(&mut self) -> bool {
        let Some(future) = &mut self.future else {
            return false;
        };
        if self.bell.0.swap(0, Ordering::SeqCst) == 0 {
            return false;
        }
        let waker = Waker::from(Arc::clone(&self.bell));
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            self.output = Some(output);
            self.future = None;
        }
        true
    }
}

/// Octets come and room is given in random pieces, in between tasks run in random order and only
/// when woken. Whoever sleeps through something sleeps for ever.
#[tokio::test]
async fn no_wake_up_is_lost_whatever_the_stream_does() {
    for seed in 0..2000 {
        let mut dice = Dice::new(seed);
        let (socket, hand) = scripted_server(quiet()).await;
        let (sender, mut receiver) = socket.split();
        hand.room(Some(dice.roll(4)));
        let mut incoming = Vec::new();
        for i in 0..6u8 {
            incoming.extend(match dice.roll(4) {
                0 => masked(PING, &[i]),
                1 => masked(BINARY, &vec![i; dice.roll(400)]),
                _ => masked(BINARY, &[i]),
            });
        }
        incoming.extend(masked(BINARY, b"last"));
        let lengths: Vec<usize> = (0..6).map(|_| dice.roll(300)).collect();
        // More than the high-water mark: the next sender waits for room.
        let large = if dice.roll(4) == 0 { 70_000 } else { 10 };

        let mut receiving = Task::new(async {
            let mut received = 0;
            loop {
                let message = receiver.recv().await.unwrap().unwrap();
                received += 1;
                if message.payload() == b"last" {
                    return received;
                }
            }
        });
        let mut sending: Vec<_> = [&lengths[..3], &lengths[3..]]
            .into_iter()
            .enumerate()
            .map(|(number, lengths)| {
                let sender = sender.clone();
                Task::new(async move {
                    if number == 0 {
                        sender.send(vec![9; large]).await.unwrap();
                    }
                    for length in lengths {
                        sender.send(vec![number as u8; *length]).await.unwrap();
                    }
                })
            })
            .collect();
        for step in 0.. {
            assert!(
                step < 200_000,
                "seed {seed}: asleep, receiver {}, senders {:?}, {} to come, {hand:?}",
                receiving.output.is_some(),
                sending
                    .iter()
                    .map(|task| task.output.is_some())
                    .collect::<Vec<_>>(),
                incoming.len(),
            );
            let done = receiving.output.is_some()
                && sending.iter().all(|task| task.output.is_some())
                && incoming.is_empty();
            if done {
                break;
            }
            if step % 64 == 0 {
                // Or tokio lets nobody have a lock any more.
                tokio::task::yield_now().await;
            }
            match dice.roll(6) {
                0 if !incoming.is_empty() => {
                    let n = incoming.len().min(1 + dice.roll(60));
                    let rest = incoming.split_off(n);
                    hand.send(&std::mem::replace(&mut incoming, rest));
                }
                1 => hand.room(Some(dice.roll(3000))),
                2 => drop(receiving.turn()),
                3 => drop(sending[0].turn()),
                4 => drop(sending[1].turn()),
                _ => {}
            }
        }
        let messages = whole_frames(&{
            hand.room(None);
            drop(sending);
            drop(receiving);
            drop((sender, receiver));
            hand.take()
        });
        let data: usize = messages
            .iter()
            .filter(|(head, _)| matches!(head & 0x0F, 0..=2))
            .map(|(_, payload)| payload.len())
            .sum();
        assert_eq!(data, large + lengths.iter().sum::<usize>(), "seed {seed}");
    }
}

#[tokio::test]
async fn a_sender_that_waits_for_room_reads_on_and_the_receiver_gets_what_it_read() {
    let (socket, hand) = scripted_server(quiet()).await;
    let (sender, mut receiver) = socket.split();
    hand.room(Some(0));
    let mut receiving = Task::new(async { receiver.recv().await.unwrap().unwrap() });
    assert!(receiving.turn());
    let mut sending = Task::new(async { sender.send("out").await });
    assert!(sending.turn());
    hand.send(&masked(TEXT, b"in"));
    assert!(sending.turn());
    assert!(receiving.turn());
    assert_eq!(receiving.output, Some("in".into()));
    hand.room(None);
    assert!(sending.turn());
    sending.output.unwrap().unwrap();
    assert_eq!(hand.take(), frame(TEXT, b"out"));
}

#[tokio::test]
async fn a_sender_writes_while_the_receiver_waits_and_nothing_comes() {
    let (socket, hand) = scripted_server(quiet()).await;
    let (sender, mut receiver) = socket.split();
    let mut receiving = pin!(receiver.recv());
    assert!(poll(receiving.as_mut()).await.is_pending());
    for _ in 0..3 {
        sender.send("tick").await.unwrap();
    }
    assert_eq!(hand.writes(), [6; 3]);
    hand.send(&masked(TEXT, b"in"));
    assert_eq!(receiving.await.unwrap(), Some("in".into()));
}

#[tokio::test]
async fn the_receiver_answers_a_ping_while_no_sender_does_anything() {
    let (socket, mut peer) = server(quiet(), 4096).await;
    let (_sender, mut receiver) = socket.split();
    peer.write(&masked(PING, b"?")).await;
    assert!(poll(pin!(receiver.recv())).await.is_pending());
    assert_eq!(peer.read(3).await, frame(PONG, b"?"));
}

#[tokio::test]
async fn a_sender_closes_and_the_receiver_sees_the_end() {
    let (socket, mut peer) = server(quiet(), 4096).await;
    let (sender, mut receiver) = socket.split();
    let receiving = tokio::spawn(async move {
        let end = receiver.recv().await;
        (end, receiver)
    });
    sender.send("last").await.unwrap();
    sender.close(CloseCode::new(4001), "bye").await.unwrap();
    assert_eq!(
        peer.read(6 + 7).await,
        [frame(TEXT, b"last"), frame(CLOSE, &closing(4001, "bye"))].concat()
    );
    peer.write(&masked(CLOSE, &closing(4001, ""))).await;
    let (end, receiver) = receiving.await.unwrap();
    assert_eq!(end.unwrap(), None);
    assert!(receiver.closed().unwrap().clean);
    assert!(sender.send("late").await.unwrap_err().is_closed());
    sender.close(CloseCode::NORMAL, "").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn when_the_peer_does_not_answer_the_close_of_a_sender_the_receiver_ends_after_10_s() {
    for pings in [None, Some(s(20))] {
        let mut config = quiet();
        config.timing.ping_interval = pings;
        let (socket, _peer) = server(config, 4096).await;
        let (sender, mut receiver) = socket.split();
        let receiving = tokio::spawn(async move { receiver.recv().await });
        tokio::task::yield_now().await;
        let start = Instant::now();
        sender.close(CloseCode::NORMAL, "").await.unwrap();
        let error = tokio::time::timeout(s(60), receiving).await;
        let error = error.expect("the receiver sleeps").unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(start.elapsed().as_secs(), 10, "{pings:?}");
    }
}

#[tokio::test]
async fn a_close_code_that_may_not_be_sent_is_refused_and_changes_nothing() {
    let (socket, mut peer) = server(quiet(), 4096).await;
    let (sender, _receiver) = socket.split();
    let error = sender.close(CloseCode::ABNORMAL, "").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    sender.send("on").await.unwrap();
    assert_eq!(peer.read(4).await, frame(TEXT, b"on"));
}

#[tokio::test]
async fn x07_the_connection_closes_when_the_last_half_is_dropped() {
    // Receiver first, then senders; and the other way round.
    for receiver_first in [true, false] {
        let (socket, mut peer) = server(quiet(), 4096).await;
        let (sender, receiver) = socket.split();
        let other = sender.clone();
        if receiver_first {
            drop(receiver);
            drop(sender);
            other.send("still").await.unwrap();
            drop(other);
        } else {
            other.send("still").await.unwrap();
            drop((sender, other));
            drop(receiver);
        }
        assert_eq!(
            peer.rest().await,
            [frame(TEXT, b"still"), frame(CLOSE, &closing(1000, ""))].concat()
        );
    }
}

#[tokio::test]
async fn a_sender_dropped_while_it_waits_gives_the_turn_to_the_next() {
    let (socket, hand) = scripted_server(quiet()).await;
    let (sender, _receiver) = socket.split();
    hand.room(Some(0));
    {
        let mut stuck = pin!(sender.send(vec![1; 70_000]));
        assert!(poll(stuck.as_mut()).await.is_pending());
        let mut waiting = pin!(sender.send("waits for its turn"));
        assert!(poll(waiting.as_mut()).await.is_pending());
    }
    hand.room(None);
    sender.send("next").await.unwrap();
    let frames = whole_frames(&hand.take());
    let taken: usize = frames.iter().map(|(_, payload)| payload.len()).sum();
    assert_eq!(taken, 70_000 + 4);
    assert_eq!(frames.last(), Some(&(TEXT, b"next".to_vec())));
}

#[tokio::test]
async fn halves_can_be_sent_and_shared_between_threads() {
    fn everywhere<T: Send + Sync + 'static>(_: &T) {}
    let (socket, _peer) = server(quiet(), 4096).await;
    let (sender, receiver) = socket.split();
    everywhere(&sender);
    everywhere(&receiver);
    drop(Message::text(""));
}
