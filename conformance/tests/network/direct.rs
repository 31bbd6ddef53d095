//! Direct mode: frames to order.

use crate::control::serve;
use crate::raw::ask;

const SPEC: &str = r#"{"url": "ws://h:1", "cases": ["1.1.1"]}"#;

/// What comes back for each command, octet by octet.
#[tokio::test]
async fn frames_are_sent_as_ordered() {
    let folder = tempfile::tempdir().expect("a folder");
    let serving = serve(SPEC, folder.path()).await;
    let (head, mut raw) = ask(serving.address, "/anything?agent=x").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for (command, octets) in [
        (
            r#"["echo", {"payload": "Hi"}]"#,
            &[0x81, 0x02, b'H', b'i'][..],
        ),
        (
            r#"["echo", {"payload": "ab", "payload_len": 5}]"#,
            &[0x81, 0x05, b'a', b'b', b'a', b'b', b'a'],
        ),
        (
            r#"["sendframe", {"opcode": 9, "payload": "p"}]"#,
            &[0x89, 0x01, b'p'],
        ),
        (
            r#"["sendframe", {"opcode": 3, "fin": false, "rsv": 5, "sync": true}]"#,
            &[0x53, 0x00],
        ),
        (
            r#"["sendframe", {"opcode": 2, "payload": "A", "mask": "\u0001\u0000\u0000\u0000",
                "chopsize": 1}]"#,
            &[0x82, 0x81, 0x01, 0x00, 0x00, 0x00, b'A' ^ 1],
        ),
        (
            r#"["sendframes", [{"opcode": 1, "payload": "a", "fin": false},
                {"opcode": 0, "payload": "b"}]]"#,
            &[0x01, 0x01, b'a', 0x80, 0x01, b'b'],
        ),
    ] {
        raw.send(1, command.as_bytes()).await;
        raw.expect(octets).await;
    }
    raw.send(1, br#"["close", {"code": 3000, "reason": "so"}]"#)
        .await;
    raw.expect(&[0x88, 0x04, 0x0b, 0xb8, b's', b'o']).await;
    raw.send(8, &[0x0b, 0xb8]).await;
    assert_eq!(raw.rest().await, b"");
}

#[tokio::test]
async fn what_is_no_command_ends_the_connection_with_a_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let serving = serve(SPEC, folder.path()).await;
    for (opcode, message, code) in [
        (1, &b"hello"[..], 1008_u16),
        (1, br#"["shout", {}]"#, 1008),
        (2, &[0xff], 1003),
    ] {
        let (_, mut raw) = ask(serving.address, "/").await;
        raw.send(opcode, message).await;
        raw.expect(&[0x88]).await;
        let rest = raw.rest().await;
        assert_eq!(rest[1..3], code.to_be_bytes(), "{message:?}: {rest:?}");
        assert!(rest.len() > 5, "a reason is given");
    }
}
