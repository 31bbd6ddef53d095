//! What each extension has done: frames, octets and time, on both ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use cloverleaf_proto::extension::{Agreement, Clock, Extensions, Hints, Params, Stage};
use cloverleaf_proto::frame::Rsv;
use cloverleaf_proto::{Config, Message};

use crate::subject::{ROLES, Subject, at, config, defaults};
use crate::toy::marker;

/// Every look at it takes a second.
#[derive(Debug, Default)]
struct Ticking(AtomicU32);

impl Clock for Ticking {
    fn now(&self) -> Instant {
        at(f64::from(self.0.fetch_add(1, Ordering::Relaxed)))
    }
}

/// Two markers: each adds an octet to every data frame.
fn two() -> Config {
    config(|config| {
        config.extensions = Extensions::new()
            .with(marker("x-message", Stage::Message, Rsv::RSV1, b'm'))
            .and_then(|all| all.with(marker("x-frame", Stage::Frame, Rsv::RSV2, b'f')))
            .expect("toys are well-formed");
    })
}

#[test]
fn each_extension_counts_what_it_was_given_and_what_it_made_of_it() {
    for role in ROLES {
        let mut subject = Subject::new(role, &two());
        subject.frame(0xE1, b"himf").frame(0x89, b"12345");
        for _ in 0..3 {
            let message = Message::text("hello");
            subject.connection.send(message, Hints::new()).unwrap();
        }
        subject.settle();
        let [message, frame] = &subject.connection.statistics()[..] else {
            panic!("two extensions");
        };
        let counted = |flow: cloverleaf_proto::extension::Flow| {
            (flow.frames, flow.changed, flow.application, flow.wire)
        };
        assert_eq!((&*message.name, &*frame.name), ("x-message", "x-frame"));
        assert_eq!(counted(message.received), (1, 1, 2, 3));
        assert_eq!(counted(message.sent), (3, 3, 15, 18));
        // The frame stage sees the ping and its pong as well, and leaves them alone.
        assert_eq!(counted(frame.received), (2, 1, 3 + 5, 4 + 5));
        assert_eq!(counted(frame.sent), (4, 3, 18 + 5, 21 + 5));
        assert_eq!(message.sent.ratio(), Some(18.0 / 15.0));
        assert_eq!(message.sent.time, Duration::ZERO, "there is no clock");
    }
}

#[test]
fn with_a_clock_the_time_of_each_half_is_measured() {
    let mut config = two();
    config.clock = Some(Arc::new(Ticking::default()));
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        subject.frame(0xE1, b"himf").frame(0xE1, b"himf");
        let message = Message::text("hello");
        subject.connection.send(message, Hints::new()).unwrap();
        subject.settle();
        for statistics in subject.connection.statistics() {
            assert_eq!(statistics.received.time, Duration::from_secs(2));
            assert_eq!(statistics.sent.time, Duration::from_secs(1));
        }
    }
}

#[test]
fn before_the_first_octet_there_is_no_ratio_and_without_extensions_there_is_nothing() {
    for role in ROLES {
        let subject = Subject::new(role, &two());
        let statistics = subject.connection.statistics();
        assert!(statistics.iter().all(|one| one.sent.ratio().is_none()));
        let subject = Subject::new(role, &defaults());
        assert_eq!(subject.connection.statistics(), []);
    }
}

#[test]
fn a_codec_of_the_applications_own_is_always_there_and_nearest_to_it() {
    let config = config(|config| {
        config.extensions = Extensions::new()
            .with(marker("x-message", Stage::Message, Rsv::RSV1, b'm'))
            .and_then(|all| {
                all.with_local("sign", || {
                    // Without a claim its bit is dropped; it wants its mark all the same.
                    let sign = marker("sign", Stage::Message, Rsv::NONE, b's');
                    Agreement::new(Params::new())
                        .encoder(sign.clone())
                        .decoder(sign)
                })
            })
            .expect("names differ");
    });
    for role in ROLES {
        let mut subject = Subject::new(role, &config);
        let message = Message::text("hi");
        subject.connection.send(message, Hints::new()).unwrap();
        let sent = subject.settle().sent();
        assert_eq!((sent[0].first, &sent[0].payload[..]), (0xC1, &b"hism"[..]));
        subject.frame(0xC1, b"hosm");
        assert_eq!(subject.events(), [crate::subject::text("ho")]);
        let statistics = subject.connection.statistics();
        let names: Vec<_> = statistics.iter().map(|one| &*one.name).collect();
        assert_eq!(names, ["sign", "x-message"]);
    }
}
