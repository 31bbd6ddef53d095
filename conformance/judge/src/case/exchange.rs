//! Messages that must be echoed, one after the other: Autobahn's groups 9, 12 and 13.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_reports::Verdict;
use cloverleaf_reports::model::Detail;

use super::judgement::{ExpectedEnd, Judgement};
use super::{Plan, Program};
use crate::corpus::Kind;
use crate::frame::Frame;
use crate::session::{Event, Session};
use crate::stream::Stream;

/// What the messages hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// These octets over and over.
    Repeated(&'static [u8]),
    /// A window that moves over a corpus, by its own length each time.
    Corpus(Kind),
}

/// Messages that must be echoed, each sent when the one before has come back.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange {
    /// What the messages hold.
    pub content: Content,
    /// Their size: in octets, or for text of a corpus in characters.
    pub size: usize,
    /// How many there are.
    pub count: u32,
    /// Binary or text.
    pub binary: bool,
    /// Cut into fragments of so many octets.
    pub fragment: Option<usize>,
    /// Written to TCP in pieces of so many octets.
    pub chop: Option<usize>,
    /// After this time the judge closes, and the case has failed.
    pub limit: Duration,
    /// Compare the content of what comes back, and not its type and length only.
    pub compare: bool,
    /// Without permessage-deflate the case does not apply.
    pub needs_compression: bool,
}

impl Exchange {
    /// So many messages of this size, as text or binary, to come back within so many seconds.
    pub fn new(content: Content, size: usize, count: u32, binary: bool, seconds: u64) -> Self {
        Self {
            content,
            size,
            count,
            binary,
            fragment: None,
            chop: None,
            limit: Duration::from_secs(seconds),
            compare: false,
            needs_compression: false,
        }
    }

    /// Cut into fragments of so many octets.
    #[must_use]
    pub fn fragmented(mut self, octets: usize) -> Self {
        self.fragment = Some(octets);
        self
    }

    /// Written to TCP in pieces of so many octets.
    #[must_use]
    pub fn chopped(mut self, octets: usize) -> Self {
        self.chop = Some(octets);
        self
    }

    /// Content is compared, and compression needed.
    #[must_use]
    pub fn compressed(mut self) -> Self {
        self.compare = true;
        self.needs_compression = true;
        self
    }

    pub(super) fn start(&self) -> Box<dyn Program> {
        Box::new(Run {
            exchange: self.clone(),
            sent: 0,
            at: 0,
            expected: Vec::new(),
            repeated: match self.content {
                Content::Repeated(pattern) => {
                    pattern.iter().copied().cycle().take(self.size).collect()
                }
                Content::Corpus(_) => Vec::new(),
            },
            stream: None,
            verdict: Verdict::Failed,
            result: format!("The case did not finish within {} s.", self.limit.as_secs()),
        })
    }
}

impl From<Exchange> for Plan {
    fn from(exchange: Exchange) -> Self {
        Self::Exchange(exchange)
    }
}

struct Run {
    exchange: Exchange,
    sent: u32,
    /// Where the window over the corpus stands.
    at: usize,
    /// The message that is to come back, if its content matters.
    expected: Vec<u8>,
    repeated: Vec<u8>,
    /// The messages in compressed form, shared with the other cases that send the same.
    stream: Option<Arc<Stream>>,
    verdict: Verdict,
    result: String,
}

impl Run {
    fn send_one(&mut self, session: &mut Session) {
        let Exchange {
            content,
            size,
            binary,
            fragment,
            chop,
            compare,
            ..
        } = self.exchange;
        // How an exchange cuts is its own affair, whatever the options say of other messages.
        let fragment = Some(fragment.unwrap_or(usize::MAX));
        let number = self.sent;
        self.sent += 1;
        let payload = match content {
            Content::Repeated(_) => Cow::Borrowed(&self.repeated[..]),
            Content::Corpus(kind) => {
                let (window, next) = kind.corpus().window(self.at, size);
                self.at = next;
                window
            }
        };
        match (&self.stream, chop) {
            (Some(stream), _) => {
                let deflated = stream.message(number);
                session.send_compressed(&deflated, payload.len(), binary, fragment);
            }
            (None, Some(chop)) => {
                let opcode = if binary {
                    crate::frame::BINARY
                } else {
                    crate::frame::TEXT
                };
                session.send(&Frame::new(opcode, &*payload).chopped(chop));
            }
            (None, None) => session.send_message(&payload, binary, fragment),
        }
        if compare {
            self.expected.clear();
            self.expected.extend_from_slice(&payload);
        }
    }

    fn end(&mut self, session: &mut Session, verdict: Verdict, result: impl Into<String>) {
        self.verdict = verdict;
        self.result = result.into();
        session.log.set(true);
        session.close(Some(1000));
    }

    fn difference(&self, payload: &[u8], binary: bool) -> Option<String> {
        let Exchange {
            binary: wanted,
            compare,
            size,
            ..
        } = self.exchange;
        let kind = |binary| if binary { "binary" } else { "text" };
        let length = if compare { self.expected.len() } else { size };
        if binary != wanted {
            Some(format!(
                "A {} message came back as {}.",
                kind(wanted),
                kind(binary)
            ))
        } else if payload.len() != length {
            Some(format!(
                "A message of {length} octets came back with {}.",
                payload.len()
            ))
        } else if compare && payload != self.expected {
            Some("A message came back with other content.".to_owned())
        } else {
            None
        }
    }
}

impl Program for Run {
    fn on_open(&mut self, session: &mut Session) {
        if self.exchange.needs_compression && !session.is_compressed() {
            let sentence = "permessage-deflate was not agreed on.";
            self.end(session, Verdict::Unimplemented, sentence);
            return;
        }
        if let Content::Corpus(kind) = self.exchange.content {
            self.stream = session.stream(kind, self.exchange.size);
        }
        session.log.set(false);
        session.close_after(self.exchange.limit);
        self.send_one(session);
    }

    fn on_event(&mut self, session: &mut Session, event: Event) {
        match event {
            Event::Message { payload, binary } => {
                if self.exchange.count == 1 && self.verdict == Verdict::Ok {
                    // What comes behind the one message that was expected does not count.
                } else if let Some(difference) = self.difference(&payload, binary) {
                    self.end(session, Verdict::Failed, difference);
                } else if self.sent < self.exchange.count {
                    self.send_one(session);
                } else {
                    let result = "All messages came back in time.";
                    self.end(session, Verdict::Ok, result);
                }
                session.recycle(payload);
            }
            // Nobody asked for it. The original takes any pong for the end of such a case.
            Event::Pong(_) => session.close(Some(1000)),
            Event::Ping(_) | Event::CloseFrame | Event::Continue(_) | Event::Wake(_) => {}
        }
    }

    fn judge(&mut self, session: &Session) -> Judgement {
        let result = std::mem::take(&mut self.result);
        let verdict = self.verdict.clone();
        ExpectedEnd::normal().complete(session.subject(), session.close_facts(), verdict, result)
    }

    fn describe(&self, detail: &mut Detail) {
        detail.expected_close = Some(ExpectedEnd::normal().to_model());
    }
}
