//! Nothing that a peer sends reaches a terminal as it is.

use cloverleaf::CloseCode;

use crate::run::{Ended, answering, connect, server};

pub(crate) fn assert_harmless(ended: &Ended) {
    for text in [&ended.out, &ended.err] {
        let harmful = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!text.contains(harmful), "{text:?}");
    }
}

#[test]
fn control_sequences_in_messages_pings_and_reasons_are_escaped() {
    let url = server(|mut socket| async move {
        socket.send("\x1b[2J\u{202e}a\nb\r").await?;
        socket.ping(b"\x1b]0;title\x07").await?;
        socket.ping(b"\xff\x1b").await?;
        socket
            .close_with(CloseCode::new(1001), "\x1b[31mred\u{202e}")
            .await
    });
    let ended = connect(&[&url, "--verbose", "--trace", "--count", "9"], "");
    assert_harmless(&ended);
    assert_eq!(ended.out, "\\u{1b}[2J\\u{202e}a\\u{a}b\\u{d}\n");
    for line in [
        "* ping: \\u{1b}]0;title\\u{7}\n",
        "* ping: ff1b\n",
        "* wire < Text fin, 11 octets: \"\\u{1b}[2J\\u{202e}a\\u{a}b\\u{d}\"\n",
        "* closed by the server: 1001 (going away), reason \"\\u{1b}[31mred\\u{202e}\"\n",
    ] {
        assert!(ended.err.contains(line), "{line}{}", ended.err);
    }
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_refusal_is_told_with_its_status_and_an_escaped_beginning_of_what_it_says() {
    let url = answering(
        b"HTTP/1.1 302 Found\r\nLocation: ws://elsewhere.example/\r\nContent-Length: 9\r\n\r\n\x1b[2Jgone\n",
    );
    let ended = connect(&[&url], "");
    assert_harmless(&ended);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.err,
        "cloverleaf: the server answered 302 Found instead of 101; redirects are not followed\n  \
         location: ws://elsewhere.example/\n  it said: \\u{1b}[2Jgone\n"
    );
}

#[test]
fn an_answer_that_is_no_http_is_told_harmlessly() {
    let ended = connect(&[&answering(b"\x1b[2J nonsense\r\n\r\n")], "");
    assert_harmless(&ended);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.starts_with("cloverleaf: "), "{}", ended.err);
}

#[test]
fn an_answer_with_an_extension_that_was_not_offered_is_told_harmlessly() {
    // The accept value cannot be right; that alone is refused.
    let url = answering(
        b"HTTP/1.1 101 \x1b[2J\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Accept: no\r\nSec-WebSocket-Extensions: \x1b[2J\r\n\r\n",
    );
    let ended = connect(&[&url], "");
    assert_harmless(&ended);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
}
