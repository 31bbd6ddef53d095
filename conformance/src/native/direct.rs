//! Direct mode: a client sends commands, and gets the frames that it ordered.

use cloverleaf_judge::case::{ExpectedEnd, Judgement, Program};
use cloverleaf_judge::frame::{Frame, Masking, TEXT};
use cloverleaf_judge::session::{Event, Session};
use cloverleaf_reports::Verdict;
use cloverleaf_reports::model::Detail;

use crate::spec::command::{Command, FrameOrder, Payload};

/// What the server does with a connection that runs no case.
#[derive(Debug)]
pub(super) enum Talk {
    /// Says this, closes, and is done.
    Say(Option<String>),
    /// Does what it is told.
    Obey,
}

impl Program for Talk {
    fn on_open(&mut self, session: &mut Session) {
        if let Self::Say(text) = self {
            if let Some(text) = text {
                session.send(&Frame::text(text.as_bytes()));
            }
            session.close(None);
        }
    }

    fn on_event(&mut self, session: &mut Session, event: Event) {
        let (Self::Obey, Event::Message { payload, .. }) = (&self, event) else {
            return;
        };
        match std::str::from_utf8(&payload).map(Command::parse) {
            Ok(Ok(Command::SendFrames(orders))) => {
                for order in &orders {
                    session.send(&frame(order));
                }
            }
            Ok(Ok(Command::Close { code, reason })) => {
                session.close_raw(code, reason.as_deref().map(str::as_bytes));
            }
            Ok(Ok(Command::Echo(payload))) => session.send(&Frame::new(TEXT, octets(&payload))),
            // What is no command ends the connection: the client has a mistake to find.
            Ok(Err(error)) => session.fail(1008, &error.to_string()),
            Err(_) => session.fail(1003, "commands are JSON text"),
        }
    }

    fn judge(&mut self, session: &Session) -> Judgement {
        let close = session.close_facts();
        ExpectedEnd::normal().complete(session.subject(), close, Verdict::Ok, String::new())
    }

    fn describe(&self, _: &mut Detail) {}
}

fn frame(order: &FrameOrder) -> Frame {
    let mut frame = Frame::new(order.opcode, octets(&order.payload)).rsv(order.rsv);
    frame.fin = order.fin;
    if let Some(key) = order.mask {
        frame = frame.masking(Masking::With(key));
    }
    frame.chop = order
        .chop_size
        .map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    frame.alone = order.sync;
    frame
}

fn octets(payload: &Payload) -> Vec<u8> {
    let length = usize::try_from(payload.length).unwrap_or(usize::MAX);
    payload.text.bytes().cycle().take(length).collect()
}
