//! Every way to break RFC 6455 has an input that does it.

use cloverleaf_proto::Role;
use cloverleaf_proto::error::{LimitExceeded, ProtocolError};

use crate::subject::{config, defaults, feed};

/// Octets that come to this error, and who is the one to receive them.
fn example(error: ProtocolError) -> (Role, &'static [u8]) {
    use Role::{Client, Server};
    match error {
        ProtocolError::CloseFrameTooShort => (Client, b"\x88\x01\x03"),
        ProtocolError::CloseReasonNotUtf8 => (Client, b"\x88\x03\x03\xe8\xff"),
        ProtocolError::ControlFrameFragmented => (Client, b"\x09"),
        ProtocolError::ControlFrameTooLong => (Client, b"\x89\x7e"),
        ProtocolError::InvalidCloseCode => (Client, b"\x88\x02\x03\xed"),
        ProtocolError::LengthOverflow => (Client, b"\x82\x7f\x80\0\0\0\0\0\0\0"),
        ProtocolError::MaskedByServer => (Client, b"\x81\x80"),
        ProtocolError::MessageInsideMessage => (Client, b"\x01\x00\x82"),
        ProtocolError::NonMinimalLength => (Client, b"\x82\x7e\x00\x7d"),
        ProtocolError::ReservedBitSet => (Client, b"\xc1"),
        ProtocolError::ReservedOpCode => (Client, b"\x83"),
        ProtocolError::TextNotUtf8 => (Client, b"\x81\x01\xff"),
        ProtocolError::UnexpectedContinuation => (Client, b"\x80"),
        ProtocolError::UnmaskedByClient => (Server, b"\x81\x00"),
        error => panic!("{error:?} needs an example"),
    }
}

#[test]
fn every_protocol_error_is_what_its_octets_come_to() {
    for error in ProtocolError::ALL {
        let (role, octets) = example(*error);
        let outcome = feed(role, &defaults(), octets);
        outcome.assert_failed(*error);
        let close = &outcome.frames()[0].payload;
        assert_eq!(&close[2..], error.message().as_bytes());
        // Not one octet earlier.
        let before = &octets[..octets.len() - 1];
        assert_eq!(feed(role, &defaults(), before).error(), None, "{error:?}");
    }
}

#[test]
fn every_limit_is_what_its_octets_run_into() {
    let config = config(|config| {
        config.limits.max_frame_size = 4;
        config.limits.max_message_size = 3;
        config.limits.max_fragments = 4;
        config.limits.max_empty_fragments = 2;
    });
    for (limit, octets) in [
        (
            LimitExceeded::EmptyFragments,
            &b"\x01\x00\x00\x00\x00\x00"[..],
        ),
        (
            LimitExceeded::Fragments,
            b"\x01\x00\x00\x01a\x00\x01b\x00\x00\x80\x00",
        ),
        (LimitExceeded::FrameSize, b"\x82\x05"),
        (LimitExceeded::MessageSize, b"\x82\x04"),
        (LimitExceeded::MessageSize, b"\x01\x02ab\x80\x02"),
    ] {
        let outcome = feed(Role::Client, &config, octets);
        outcome.assert_failed(limit);
        assert_eq!(
            &outcome.frames()[0].payload[2..],
            limit.message().as_bytes()
        );
        let before = &octets[..octets.len() - 1];
        assert_eq!(
            feed(Role::Client, &config, before).error(),
            None,
            "{limit:?}"
        );
    }
}
