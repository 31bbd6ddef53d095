//! Faults of pings and pongs (RFC 6455 §5.5).

use cloverleaf_judge::case::Subjects::Both;

use super::{Fault, Kind, fault};

pub(super) const FAULTS: &[Fault] = &[
    fault(
        Kind::NeverAnswersPings,
        "never-answers-pings",
        Both,
        "RFC 6455 §5.5.2",
        "Does not answer pings.",
    ),
    fault(
        Kind::AnswersEmptyPingsOnly,
        "answers-empty-pings-only",
        Both,
        "RFC 6455 §5.5.2",
        "Answers pings without a payload only.",
    ),
    fault(
        Kind::PongWithOtherPayload,
        "pong-with-other-payload",
        Both,
        "RFC 6455 §5.5.3",
        "Answers pings with another payload.",
    ),
    fault(
        Kind::PongWithoutPayload,
        "pong-without-payload",
        Both,
        "RFC 6455 §5.5.3",
        "Answers pings with empty pongs.",
    ),
    fault(
        Kind::TruncatesLongPongs,
        "truncates-long-pongs",
        Both,
        "RFC 6455 §5.5.3",
        "Answers with at most 124 octets.",
    ),
    fault(
        Kind::PongTwice,
        "pong-twice",
        Both,
        "RFC 6455 §5.5.2",
        "Answers every ping with two pongs.",
    ),
    fault(
        Kind::PongsInReverse,
        "pongs-in-reverse",
        Both,
        "RFC 6455 §5.5.2",
        "Answers two pings in a row in reverse order.",
    ),
    fault(
        Kind::EchoesPingsAsText,
        "echoes-pings-as-text",
        Both,
        "RFC 6455 §5.5.2",
        "Answers pings with text messages.",
    ),
    fault(
        Kind::AnswersPingsWithPings,
        "answers-pings-with-pings",
        Both,
        "RFC 6455 §5.5.2",
        "Answers pings with pings.",
    ),
    fault(
        Kind::AnswersPongs,
        "answers-pongs",
        Both,
        "RFC 6455 §5.5.3",
        "Answers pongs with pongs.",
    ),
    fault(
        Kind::RefusesPongs,
        "refuses-pongs",
        Both,
        "RFC 6455 §5.5.3",
        "Fails the connection for a pong that it did not ask for.",
    ),
    fault(
        Kind::RefusesControlInsideMessage,
        "refuses-control-inside-message",
        Both,
        "RFC 6455 §5.4",
        "Fails the connection for a control frame between fragments.",
    ),
    fault(
        Kind::ControlEndsMessage,
        "control-ends-message",
        Both,
        "RFC 6455 §5.4",
        "Forgets the message in which a control frame comes.",
    ),
    fault(
        Kind::AnswersPingsOnlyAfterMessage,
        "answers-pings-only-after-message",
        Both,
        "RFC 6455 §5.5.2",
        "Answers pings between fragments only when the message is whole.",
    ),
    fault(
        Kind::OpensWithAPong,
        "opens-with-a-pong",
        Both,
        "RFC 6455 §5.5.3",
        "Sends a pong when the connection opens.",
    ),
    fault(
        Kind::OpensWithLongPing,
        "opens-with-long-ping",
        Both,
        "RFC 6455 §5.5",
        "Sends a ping of 126 octets when the connection opens.",
    ),
    fault(
        Kind::OpensWithFragmentedPing,
        "opens-with-fragmented-ping",
        Both,
        "RFC 6455 §5.5",
        "Sends a ping that is not final when the connection opens.",
    ),
];
