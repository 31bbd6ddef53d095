//! What Wireshark makes of a file, through its command `tshark`.
//!
//! Without `tshark` these tests say that they are skipped; with `CLOVERLEAF_REQUIRE_TSHARK=1` they
//! fail.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use cloverleaf_capture::Options;
use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::extension::{Extensions, Hints};
use cloverleaf_proto::message::Kind;
use cloverleaf_proto::{Message, Role};

use crate::conversation::{ROLES, small};
use crate::{Pair, capture};

/// A file that is gone when the test ends.
struct Scratch(PathBuf);

impl Scratch {
    fn new(octets: &[u8]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cloverleaf-tshark-{}-{count}.pcapng", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, octets).expect("there is room for a small file");
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Lines of fields of those packets that fit the filter; `None` if there is no `tshark`.
fn dissect(file: &[u8], filter: &str, fields: &[&str]) -> Option<Vec<String>> {
    let scratch = Scratch::new(file);
    let mut command = Command::new("tshark");
    command.arg("-r").arg(&scratch.0);
    // Checksums are looked at.
    for preference in ["ip.check_checksum:TRUE", "tcp.check_checksum:TRUE"] {
        command.args(["-o", preference]);
    }
    command.args(["-Y", filter, "-T", "fields", "-E", "separator=|"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let required = std::env::var("CLOVERLEAF_REQUIRE_TSHARK");
            assert!(required.as_deref() != Ok("1"), "tshark is not installed");
            eprintln!("skipped: tshark is not installed");
            return None;
        }
        Err(error) => panic!("tshark does not start: {error}"),
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let text = String::from_utf8(output.stdout).expect("tshark writes UTF-8");
    Some(text.lines().map(str::to_owned).collect())
}

/// Packets in which something is wrong: a warning or worse.
const WRONG: &str = "_ws.malformed || ip.checksum.status == \"Bad\" || \
    tcp.checksum.status == \"Bad\" || tcp.analysis.flags || _ws.expert.severity >= 6291456";

const FIELDS: [&str; 5] = [
    "tcp.dstport",
    "websocket.opcode",
    "websocket.fin",
    "websocket.mask",
    "websocket.payload.text",
];

#[test]
fn every_frame_of_a_small_conversation_is_dissected_and_nothing_is_wrong() {
    for role in ROLES {
        let file = small(role, Options::new());
        let Some(frames) = dissect(&file, "websocket", &FIELDS) else {
            return;
        };
        assert_eq!(
            frames,
            [
                "80|1|1|1|hello",
                "49152|2|1|0|",
                "49152|9|1|0|",
                "80|10|1|1|",
                "80|8|1|1|",
                "49152|8|1|0|",
            ]
        );
        let wrong = dissect(&file, WRONG, &["frame.number", "_ws.expert.message"]);
        assert_eq!(wrong, Some(vec![]));
        let comments = dissect(&file, "frame.comment", &["frame.comment"]).expect("it was there");
        assert!(comments[0].starts_with("recorded at the "), "{comments:?}");
        assert!(
            comments[1].starts_with("closed with code 1000"),
            "{comments:?}"
        );
    }
}

#[test]
fn what_was_compressed_is_read_as_text() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let extensions = Extensions::new()
            .with(PermessageDeflate::new())
            .expect("it is well-formed");
        let mut pair = Pair::new(role, &capture, &extensions, true);
        let text = "again and ".repeat(60);
        let hints = Hints::new();
        pair.client
            .send(Message::text(text.clone()), hints)
            .unwrap();
        pair.settle();
        pair.server
            .send(Message::text(text.clone()), hints)
            .unwrap();
        pair.settle();
        pair.server.send(Message::text("short"), hints).unwrap();
        pair.settle();
        let file = disk.read();
        assert!(
            file.windows(100)
                .all(|window| window != &text.as_bytes()[..100])
        );
        let fields = ["tcp.dstport", "websocket.payload.text"];
        let Some(frames) = dissect(&file, "websocket", &fields) else {
            return;
        };
        assert_eq!(
            frames,
            [
                format!("80|{text}"),
                format!("49152|{text}"),
                "49152|short".to_owned(),
            ]
        );
        assert_eq!(dissect(&file, WRONG, &["frame.number"]), Some(vec![]));
    }
}

#[test]
fn a_large_message_over_many_segments_and_one_in_parts_are_found_whole() {
    for role in ROLES {
        let (capture, disk) = capture(Options::new());
        let mut pair = Pair::new(role, &capture, &Extensions::new(), true);
        let hints = Hints::new();
        pair.client
            .send(Message::text("a".repeat(200_000)), hints)
            .unwrap();
        pair.settle();
        for (part, last) in [("one ", false), ("two ", false), ("three", true)] {
            pair.server
                .send_part(Kind::Text, part.into(), last, hints)
                .unwrap();
        }
        pair.server.send(Message::text("behind"), hints).unwrap();
        pair.settle();
        let file = disk.read();
        let Some(texts) = dissect(&file, "websocket.payload.text", &["websocket.payload.text"])
        else {
            return;
        };
        assert!(
            texts.iter().any(|text| text.ends_with("behind")),
            "{:?}",
            texts.last()
        );
        let octets: usize = texts.iter().map(|text| text.matches('a').count()).sum();
        assert_eq!(octets, 200_000);
        assert!(texts.iter().any(|text| text.contains("one two three")));
        assert_eq!(dissect(&file, WRONG, &["frame.number"]), Some(vec![]));
    }
}

#[test]
fn snapped_frames_do_not_hide_those_behind_them() {
    let (capture, disk) = capture(Options::new().snap(100));
    let mut pair = Pair::new(Role::Server, &capture, &Extensions::new(), true);
    let hints = Hints::new();
    for text in ["before".to_owned(), "a".repeat(5000), "behind".to_owned()] {
        pair.client.send(Message::text(text), hints).unwrap();
        pair.settle();
    }
    let Some(texts) = dissect(&disk.read(), "websocket", &["websocket.payload.text"]) else {
        return;
    };
    assert_eq!(texts, ["before", "", "behind"]);
}
