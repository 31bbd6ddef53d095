//! The endpoint on its own: frames in, events out, frames out. What a multiplexer builds on.

use std::sync::Arc;

use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::endpoint::State;
use cloverleaf_proto::error::{ConnectionError, Deadline, LimitExceeded, ProtocolError};
use cloverleaf_proto::extension::{Hints, Negotiated};
use cloverleaf_proto::frame::{Frame, Head, OpCode, Rsv};
use cloverleaf_proto::{Config, Endpoint, Event, Message, Role};

use crate::subject::{ROLES, binary, config, defaults, text};

fn endpoint(role: Role, config: &Config) -> Endpoint {
    Endpoint::new(role, Arc::new(config.clone()), Negotiated::default())
}

const fn head(opcode: OpCode) -> Head {
    Head::new(opcode)
}

fn frames(endpoint: &mut Endpoint, room: usize) -> Vec<String> {
    core::iter::from_fn(|| endpoint.poll_frame(room))
        .map(|frame| frame.to_string())
        .collect()
}

#[test]
fn whole_frames_become_events() {
    for role in ROLES {
        let mut endpoint = endpoint(role, &defaults());
        let first = head(OpCode::TEXT).with_fin(false);
        assert_eq!(endpoint.handle_frame(first, b"He"), None);
        let ping = endpoint.handle_frame(head(OpCode::PING), b"?");
        assert_eq!(ping, Some(Event::Ping("?".into())));
        let last = endpoint.handle_frame(head(OpCode::CONTINUATION), b"llo");
        assert_eq!(last, Some(text("Hello")));
        assert_eq!(
            endpoint.handle_frame(head(OpCode::BINARY), b"x"),
            Some(binary(*b"x"))
        );
        assert_eq!(
            frames(&mut endpoint, 100),
            [r#"<Pong fin len=1 payload="?">"#]
        );
    }
}

#[test]
fn what_is_wrong_with_a_frame_fails_the_endpoint() {
    let config = config(|config| config.limits.max_message_size = 10);
    let start = |endpoint: &mut Endpoint| {
        endpoint.handle_frame(head(OpCode::TEXT).with_fin(false), b"a");
    };
    for (prepare, head, payload, error) in [
        (
            false,
            head(OpCode::TEXT).with_rsv(Rsv::RSV1),
            &b""[..],
            ProtocolError::ReservedBitSet.into(),
        ),
        (
            false,
            head(OpCode::new(3)),
            b"",
            ProtocolError::ReservedOpCode.into(),
        ),
        (
            false,
            head(OpCode::CONTINUATION),
            b"",
            ProtocolError::UnexpectedContinuation.into(),
        ),
        (
            true,
            head(OpCode::TEXT),
            b"",
            ProtocolError::MessageInsideMessage.into(),
        ),
        (
            false,
            head(OpCode::PING).with_fin(false),
            b"",
            ProtocolError::ControlFrameFragmented.into(),
        ),
        (
            false,
            head(OpCode::PING),
            &[0; 126],
            ProtocolError::ControlFrameTooLong.into(),
        ),
        (
            false,
            head(OpCode::TEXT),
            b"\xff",
            ProtocolError::TextNotUtf8.into(),
        ),
        (
            false,
            head(OpCode::BINARY),
            &[0; 11],
            ConnectionError::from(LimitExceeded::MessageSize),
        ),
    ] {
        for role in ROLES {
            let mut endpoint = endpoint(role, &config);
            if prepare {
                start(&mut endpoint);
            }
            assert_eq!(endpoint.handle_frame(head, payload), None);
            assert_eq!(
                (endpoint.state(), endpoint.error()),
                (State::Failing, Some(&error))
            );
            let close = endpoint.poll_frame(100).unwrap();
            let code = u16::from_be_bytes([close.payload[0], close.payload[1]]);
            assert_eq!(Some(CloseCode::new(code)), error.close_code());
            assert_eq!(endpoint.poll_frame(100), None);
        }
    }
}

#[test]
fn l08_frames_behind_the_end_are_not_judged() {
    for role in ROLES {
        let mut endpoint = endpoint(role, &defaults());
        endpoint.handle_frame(head(OpCode::CLOSE), b"\x03\xe8");
        for state in [State::Replying, State::Closed] {
            assert_eq!(endpoint.state(), state);
            endpoint.handle_frame(head(OpCode::new(3)), b"");
            endpoint.handle_frame(head(OpCode::CLOSE), b"\x03");
            endpoint.handle_frame(head(OpCode::PING), b"");
            endpoint.poll_frame(100);
        }
        assert_eq!((endpoint.state(), endpoint.error()), (State::Closed, None));
        assert!(endpoint.closed().clean);
        assert!(!endpoint.has_frames());
    }
}

#[test]
fn a_frame_carries_no_more_than_there_is_room_for() {
    for role in ROLES {
        let mut endpoint = endpoint(role, &defaults());
        endpoint
            .send(Message::text("abcdefgh"), Hints::new())
            .unwrap();
        endpoint.ping(b"control frames are not cut").unwrap();
        endpoint.close(CloseCode::NORMAL, "nor are they").unwrap();
        let head = r#"<Ping fin len=26 payload="control frames are not cut">"#;
        let close = r#"<Close fin len=14 payload="\x03\xe8nor are they">"#;
        assert_eq!(
            frames(&mut endpoint, 3),
            [
                head,
                r#"<Text len=3 payload="abc">"#,
                r#"<Continuation len=3 payload="def">"#,
                r#"<Continuation fin len=2 payload="gh">"#,
                close,
            ]
        );
        assert_eq!(endpoint.queued(), 0);
    }
}

#[test]
fn the_owner_of_an_endpoint_may_fail_it_for_reasons_of_its_own() {
    for role in ROLES {
        let mut endpoint = endpoint(role, &defaults());
        endpoint
            .send(Message::text("dropped"), Hints::new())
            .unwrap();
        endpoint.fail(ConnectionError::Deadline(Deadline::Message));
        endpoint.fail(ProtocolError::ReservedBitSet);
        let close = endpoint.poll_frame(100);
        let payload = &b"\x03\xf0message took too long"[..];
        assert_eq!(close, Some(Frame::new(head(OpCode::CLOSE), payload)));
        assert_eq!(
            endpoint.error(),
            Some(&ConnectionError::Deadline(Deadline::Message))
        );
        assert_eq!(endpoint.poll_frame(100), None);
    }
}

#[test]
fn the_end_of_the_frames_is_a_loss_unless_the_peer_has_closed() {
    for role in ROLES {
        let mut lost = endpoint(role, &defaults());
        lost.handle_eof();
        assert_eq!(lost.error(), Some(&ConnectionError::Lost));
        assert_eq!(lost.poll_frame(100), None);
        let mut closed = endpoint(role, &defaults());
        closed.handle_frame(head(OpCode::CLOSE), b"");
        closed.handle_eof();
        assert_eq!((closed.error(), closed.state()), (None, State::Replying));
    }
}
