//! Taps: who looks on, what they see at each of the three places, and that it changes nothing.

use std::sync::{Arc, Mutex};

use cloverleaf_proto::event::Closed;
use cloverleaf_proto::extension::{
    Claims, Direction, Encoded, Extensions, Hints, Placement, Stage, Tap, View, Watcher,
};
use cloverleaf_proto::frame::{Head, Rsv};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Config, Message, Role};

use crate::subject::{ROLES, Subject, config};
use crate::toy::{Toy, marker};
use crate::wire::frame;

#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    fn note(&self, line: String) {
        self.0.lock().expect("nobody panics here").push(line);
    }

    fn take(&self) -> Vec<String> {
        core::mem::take(&mut *self.0.lock().expect("nobody panics here"))
    }
}

impl Tap for Recorder {
    fn attach(&self, role: Role) -> Box<dyn Watcher> {
        self.note(format!("{role:?}"));
        Box::new(self.clone())
    }
}

impl Watcher for Recorder {
    fn frame(&mut self, view: View, direction: Direction, head: Head, payload: &[u8]) {
        let way = match direction {
            Direction::Incoming => "in",
            Direction::Outgoing => "out",
        };
        self.note(format!("{view:?} {way} {head}: {}", payload.escape_ascii()));
    }

    fn closed(&mut self, closed: &Closed) {
        self.note(format!("closed {:?}", closed.code.number()));
    }
}

fn tapped(toys: impl IntoIterator<Item = Toy>) -> (Config, Recorder) {
    let recorder = Recorder::default();
    let config = config(|config| {
        config.extensions = toys.into_iter().fold(Extensions::new(), |all, toy| {
            all.with(toy).expect("toys are well-formed")
        });
        config.taps = vec![Arc::new(recorder.clone())];
    });
    (config, recorder)
}

fn of_view(lines: &[String], view: &str) -> Vec<String> {
    let lines = lines.iter().filter_map(|line| line.strip_prefix(view));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_frame_is_seen_at_every_stage_on_its_way() {
    for role in ROLES {
        let (config, recorder) = tapped([
            marker("x-message", Stage::Message, Rsv::RSV1, b'm'),
            marker("x-frame", Stage::Frame, Rsv::RSV2, b'f'),
        ]);
        let mut subject = Subject::new(role, &config);
        subject.frame(0xE1, b"himf").frame(0x89, b"?");
        subject
            .connection
            .send(Message::binary("ho"), Hints::new())
            .unwrap();
        subject.settle();
        let lines = recorder.take();
        assert_eq!(lines[0], format!("{role:?}"), "one connection, one watcher");
        assert_eq!(
            of_view(&lines, "Wire "),
            [
                "in Text fin rsv1 rsv2: himf",
                "in Ping fin: ?",
                "out Pong fin: ?",
                "out Binary fin rsv1 rsv2: homf",
            ]
        );
        assert_eq!(
            of_view(&lines, "Fragments "),
            [
                "in Text fin rsv1: him",
                "in Ping fin: ?",
                "out Pong fin: ?",
                "out Binary fin rsv1: hom",
            ]
        );
        assert_eq!(
            of_view(&lines, "Messages "),
            ["in Text fin: hi", "out Binary fin: ho"]
        );
    }
}

#[test]
fn without_extensions_the_three_views_differ_in_what_is_a_message_only() {
    for role in ROLES {
        let (config, recorder) = tapped([]);
        let mut subject = Subject::new(role, &config);
        subject.frame(0x01, b"a").frame(0x89, b"").frame(0x80, b"b");
        let out = Kind::Binary;
        let connection = &mut subject.connection;
        connection
            .send_part(out, "c".into(), false, Hints::new())
            .unwrap();
        connection
            .send_part(out, "d".into(), true, Hints::new())
            .unwrap();
        subject.settle();
        let lines = recorder.take();
        let data = [
            "in Text: a",
            "in Continuation fin: b",
            "out Binary: c",
            "out Continuation fin: d",
        ];
        assert_eq!(of_view(&lines, "Messages "), data);
        for view in ["Wire ", "Fragments "] {
            let mut seen = of_view(&lines, view);
            seen.retain(|line| !line.contains("Ping") && !line.contains("Pong"));
            assert_eq!(seen, data);
        }
    }
}

#[test]
fn the_fragmenter_stands_between_two_of_the_views() {
    for role in ROLES {
        let (mut config, recorder) = tapped([]);
        config.limits.out_fragment = 2;
        let mut subject = Subject::new(role, &config);
        subject
            .connection
            .send(Message::text("abc"), Hints::new())
            .unwrap();
        subject.settle();
        let lines = recorder.take();
        assert_eq!(of_view(&lines, "Messages "), ["out Text fin: abc"]);
        let cut = ["out Text: ab", "out Continuation fin: c"];
        assert_eq!(of_view(&lines, "Fragments "), cut);
        assert_eq!(of_view(&lines, "Wire "), cut);
    }
}

#[test]
fn what_an_extension_swallows_or_fails_is_seen_on_the_wire_alone() {
    let strict = Toy::new(
        "x-strict",
        Claims::at(Stage::Frame).rsv(Rsv::RSV3, Placement::DataFrames),
    )
    .encoding(|_, _, _, _| Ok(Encoded::Unchanged))
    .decoding(|_, _, _| Err(cloverleaf_proto::extension::Failure::protocol("no")));
    for role in ROLES {
        let (config, recorder) = tapped([strict.clone()]);
        let mut subject = Subject::new(role, &config);
        subject.frame(0x81, b"x");
        let lines = recorder.take();
        assert_eq!(of_view(&lines, "Fragments in "), [] as [&str; 0]);
        assert_eq!(of_view(&lines, "Wire in "), ["Text fin: x"]);
    }
}

#[test]
fn a_large_frame_is_shown_in_pieces() {
    for role in ROLES {
        let (config, recorder) = tapped([]);
        let mut subject = Subject::new(role, &config);
        let octets = frame(role, 0x82, b"abc");
        let (front, back) = octets.split_at(octets.len() - 2);
        subject.input(front).input(back);
        let lines = recorder.take();
        let pieces = ["in Binary: a", "in Continuation fin: bc"];
        assert_eq!(of_view(&lines, "Wire "), pieces);
        assert_eq!(of_view(&lines, "Messages "), pieces);
    }
}

#[test]
fn the_end_is_told_once_and_every_connection_has_a_watcher_of_its_own() {
    for role in ROLES {
        let (config, recorder) = tapped([]);
        for _ in 0..2 {
            let mut subject = Subject::new(role, &config);
            subject.frame(0x88, b"\x03\xe8").eof();
            subject.settle().settle();
            assert_eq!(
                recorder.take(),
                [
                    format!("{role:?}"),
                    "Wire in Close fin: \\x03\\xe8".to_owned(),
                    "Fragments in Close fin: \\x03\\xe8".to_owned(),
                    "Fragments out Close fin: \\x03\\xe8".to_owned(),
                    "Wire out Close fin: \\x03\\xe8".to_owned(),
                    "closed 1000".to_owned(),
                ]
            );
        }
    }
}

#[test]
fn the_bits_of_an_extension_that_only_sends_are_not_seen_behind_it() {
    use cloverleaf_proto::extension::{Agreement, Declined, Extension, Params};

    #[derive(Debug)]
    struct Sending;

    impl Extension for Sending {
        fn name(&self) -> &str {
            "x-sending"
        }
        fn claims(&self) -> Claims {
            Claims::at(Stage::Frame).rsv(Rsv::RSV3, Placement::DataFrames)
        }
        fn offers(&self) -> Vec<Params> {
            vec![Params::new()]
        }
        fn accept(&self, _: &Params) -> Result<Agreement, Declined> {
            Ok(Agreement::new(Params::new()))
        }
    }

    for role in ROLES {
        let (mut config, recorder) = tapped([]);
        config.extensions = Extensions::new().with(Sending).unwrap();
        let mut subject = Subject::new(role, &config);
        subject.frame(0x91, b"x");
        let lines = recorder.take();
        assert_eq!(of_view(&lines, "Wire in "), ["Text fin rsv3: x"]);
        assert_eq!(of_view(&lines, "Fragments in "), ["Text fin: x"]);
    }
}
