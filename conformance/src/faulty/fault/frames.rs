//! Faults of deflate-frame, whose draft is no RFC: the sections are of what it builds on. Most faults
//! of permessage-deflate are faults here too.

use cloverleaf_judge::case::Subjects::{Both, Clients, Servers};

use super::{Fault, Kind, fault};

pub(super) const FAULTS: &[Fault] = &[
    fault(
        Kind::AnswersTheOtherName,
        "answers-the-other-name",
        Servers,
        "RFC 6455 §9.1",
        "Answers x-webkit-deflate-frame to deflate-frame, and the other way round.",
    ),
    fault(
        Kind::AnswersTwoOwnersOfRsv1,
        "answers-two-owners-of-rsv1",
        Servers,
        "RFC 7692 §5",
        "Accepts permessage-deflate and deflate-frame together, or the latter by both of its names.",
    ),
    fault(
        Kind::AnswersFramesBeforeMessages,
        "answers-frames-before-messages",
        Servers,
        "RFC 6455 §9.1",
        "Accepts an extension of frames before one of messages.",
    ),
    fault(
        Kind::TakesAnyNameOfFrames,
        "takes-any-name-of-frames",
        Clients,
        "RFC 6455 §9.1",
        "Offers deflate-frame by this name, and takes an answer by WebKit's.",
    ),
    fault(
        Kind::TakesAnyNameOfWebkits,
        "takes-any-name-of-webkits",
        Clients,
        "RFC 6455 §9.1",
        "Offers deflate-frame by WebKit's name, and takes an answer by the other.",
    ),
    fault(
        Kind::AcceptsTwoOwnersOfRsv1,
        "accepts-two-owners-of-rsv1",
        Clients,
        "RFC 7692 §5",
        "Takes an answer with deflate-frame twice, or beside permessage-deflate.",
    ),
    fault(
        Kind::AcceptsFramesBeforeMessages,
        "accepts-frames-before-messages",
        Clients,
        "RFC 6455 §9.1",
        "Takes an answer with an extension of frames before one of messages.",
    ),
    fault(
        Kind::ReadsDemandsBackwards,
        "reads-demands-backwards",
        Both,
        "RFC 6455 §9.1",
        "Takes the parameters of deflate-frame that it receives for promises of its peer.",
    ),
    fault(
        Kind::InflatesFramesAsAMessage,
        "inflates-frames-as-a-message",
        Both,
        "RFC 6455 §5.2",
        "Joins the frames of deflate-frame, and inflates the message if its first frame has RSV1.",
    ),
    fault(
        Kind::RefusesRsv1OnContinuations,
        "refuses-rsv1-on-continuations",
        Both,
        "RFC 6455 §5.2",
        "Fails the connection for a compressed continuation of deflate-frame.",
    ),
];
