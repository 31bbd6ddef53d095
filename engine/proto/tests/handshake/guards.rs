//! Guards that do not decide at once.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::time::Duration;

use cloverleaf_proto::handshake::{
    Check, Decision, HandshakeError, Peer, Received, Rejection, RequestGuard, ServerHandshake,
    ServerOptions, ServerProgress,
};

use crate::rig::{config, now, request, take_output};

/// Decides when it is told to.
#[derive(Default)]
struct Slow {
    decided: AtomicBool,
    refuses: AtomicBool,
    waker: Mutex<Option<Waker>>,
    asked: AtomicUsize,
}

impl Slow {
    fn decide(&self) {
        self.decided.store(true, Ordering::Relaxed);
        if let Some(waker) = self.waker.lock().unwrap().take() {
            waker.wake();
        }
    }
}

impl RequestGuard for Slow {
    fn check<'a>(&'a self, received: &'a mut Received) -> Check<'a> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            poll_fn(|cx| {
                if self.decided.load(Ordering::Relaxed) {
                    return Poll::Ready(());
                }
                *self.waker.lock().unwrap() = Some(cx.waker().clone());
                Poll::Pending
            })
            .await;
            received.request.extensions_mut().insert("Ada");
            match self.refuses.load(Ordering::Relaxed) {
                true => Err(Rejection::forbidden("not you")),
                false => Ok(()),
            }
        })
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A guard, a handshake that asks it, and who is woken for it.
fn checking() -> (Arc<Slow>, ServerHandshake, Arc<Woken>) {
    let slow = Arc::new(Slow::default());
    let mut options = ServerOptions::default();
    options
        .guards
        .push(Arc::clone(&slow) as Arc<dyn RequestGuard>);
    // Decides at once, and is asked behind the other.
    options.guards.push(Arc::new(|received: &mut Received| {
        match received.request.extensions().get::<&str>() {
            Some(_) => Ok(()),
            None => Err(Rejection::not_found()),
        }
    }));
    let mut server = ServerHandshake::new(Arc::new(options), config(), now());
    server.handle_input(&request().octets());
    assert_eq!(server.progress(), ServerProgress::Checking);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(
        server
            .poll_check(&mut Context::from_waker(&waker))
            .is_pending()
    );
    (slow, server, woken)
}

fn go_on(server: &mut ServerHandshake) -> Poll<()> {
    server.poll_check(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_guard_may_decide_later_and_nothing_is_answered_before() {
    let (slow, mut server, woken) = checking();
    assert_eq!(take_output(&mut server), "");
    assert!(server.received().is_none());
    assert!(server.respond(Decision::accept()).is_err());
    assert_eq!(take_output(&mut server), "");
    slow.decide();
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert!(go_on(&mut server).is_ready());
    assert_eq!(server.progress(), ServerProgress::Deciding);
    let left = server
        .received()
        .unwrap()
        .request
        .extensions()
        .get::<&str>();
    assert_eq!(left, Some(&"Ada"));
    server.respond(Decision::accept()).unwrap();
    assert!(take_output(&mut server).starts_with("HTTP/1.1 101"));
    assert_eq!(slow.asked.load(Ordering::Relaxed), 1);
    assert!(server.finish().is_ok());
}

#[test]
fn a_guard_may_refuse_later() {
    let (slow, mut server, _) = checking();
    slow.refuses.store(true, Ordering::Relaxed);
    slow.decide();
    assert!(go_on(&mut server).is_ready());
    assert_eq!(server.progress(), ServerProgress::Failed);
    assert!(take_output(&mut server).starts_with("HTTP/1.1 403"));
}

#[test]
fn a_guard_that_refuses_with_an_interim_status_is_our_fault() {
    for status in [100, 101, 103] {
        let mut options = ServerOptions::default();
        let status = http::StatusCode::from_u16(status).unwrap();
        let guard = move |_: &mut Received| Err(Rejection::new(status, "no"));
        options.guards.push(Arc::new(guard));
        let mut server = ServerHandshake::new(Arc::new(options), config(), now());
        server.handle_input(&request().octets());
        assert!(take_output(&mut server).starts_with("HTTP/1.1 500"));
    }
}

#[test]
fn a_guard_that_takes_too_long_is_our_fault() {
    let (slow, mut server, _) = checking();
    let deadline = server.poll_timeout().expect("the handshake has one");
    server.handle_timeout(deadline - Duration::from_millis(1));
    assert_eq!(server.progress(), ServerProgress::Checking);
    server.handle_timeout(deadline);
    assert!(take_output(&mut server).starts_with("HTTP/1.1 503"));
    slow.decide();
    assert!(go_on(&mut server).is_ready());
    assert_eq!(server.progress(), ServerProgress::Failed);
}

#[test]
fn a_client_may_go_or_send_ahead_while_a_guard_decides() {
    let (_, mut server, _) = checking();
    server.handle_eof();
    assert!(matches!(server.finish(), Err(HandshakeError::Eof)));

    let (slow, mut server, _) = checking();
    server.handle_input(b"\x81\x80abcd");
    slow.decide();
    assert!(go_on(&mut server).is_ready());
    server.respond(Decision::accept()).unwrap();
    take_output(&mut server);
    assert_eq!(&server.finish().unwrap().leftover[..], b"\x81\x80abcd");

    let (_, mut server, _) = checking();
    server.handle_input(&vec![0; (64 << 10) + 1]);
    assert_eq!(server.progress(), ServerProgress::Failed);
    assert!(take_output(&mut server).starts_with("HTTP/1.1 400"));
}

// A22.
#[test]
fn nothing_that_prints_shows_credentials() {
    let octets = request()
        .with("Authorization: Basic c2VjcmV0")
        .with("Cookie: secret=1")
        .octets();
    let mut half = ServerHandshake::new(Arc::default(), config(), now());
    half.handle_input(&octets[..octets.len() - 2]);
    let mut whole = ServerHandshake::new(Arc::default(), config(), now());
    whole.handle_input(&octets);
    let received = whole.received().unwrap();
    for printed in [
        format!("{half:?}"),
        format!("{whole:?}"),
        format!("{received:?}"),
    ] {
        assert!(
            !printed.contains("c2Vj") && !printed.contains("secret"),
            "{printed}"
        );
    }
    assert_eq!(
        received.request.headers()["authorization"],
        "Basic c2VjcmV0"
    );
}

#[test]
fn tls_counts_wherever_it_is_known_from() {
    for (options, peer, expected) in [
        (false, None, false),
        (true, None, true),
        (false, Some(false), false),
        (false, Some(true), true),
    ] {
        let mut settings = ServerOptions::default();
        settings.tls = options;
        let mut server = ServerHandshake::new(Arc::new(settings), config(), now());
        if let Some(secure) = peer {
            let mut peer = Peer::at(([192, 0, 2, 1], 7).into());
            peer.secure = secure;
            server.context_mut().insert(peer);
        }
        // A page without TLS must not speak for a server with TLS.
        server.handle_input(&request().with("Origin: http://example.com").octets());
        assert_eq!(server.progress() == ServerProgress::Failed, expected);
    }
}
