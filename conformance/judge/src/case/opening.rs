//! Opening handshakes that are not the ordinary one: requests and responses made to measure.

use std::time::Duration;

use crate::deflate::{FrameOffer, Offer, Requirement};
use crate::http::Head;
use crate::session::Layer;

/// How the connection is opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Opening {
    /// As any endpoint would, without extensions.
    #[default]
    Ordinary,
    /// With permessage-deflate, if the subject has it.
    Deflate(Negotiation),
    /// With a request made to measure; for servers.
    Request(RequestPlan),
    /// With a response made to measure; for clients.
    Response(ResponsePlan),
    /// Made to measure in both roles.
    Both(Box<(RequestPlan, ResponsePlan)>),
}

/// What the judge offers as the client, and what it asks for as the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two roles")]
pub struct Negotiation {
    /// The judge is the client: its offers, best first.
    pub offers: Vec<Offer>,
    /// The judge is the server: what it requires of the client, best first. The first that an
    /// offer allows is chosen; if none is, there will be no compression.
    pub requirements: Vec<Requirement>,
}

/// One change to an ordinary head.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// Another first line.
    Line(String),
    /// Every field of this name is replaced by one with this value; if there is none, it is added.
    Set(String, String),
    /// Fields of this name are left out.
    Without(String),
    /// A field more, at the end.
    With(String, String),
}

/// What a server should answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// 101, and the plan of the case goes on.
    Opens,
    /// One response with one of these statuses, and no 101. With a field, that field must be
    /// there and list the value.
    Refuses {
        /// Statuses that are right.
        statuses: Vec<u16>,
        /// Statuses that are tolerable: NON-STRICT. The end of TCP without an answer is, too.
        tolerated: Vec<u16>,
        /// A field that must be in the response, and what it must list.
        field: Option<(&'static str, &'static str)>,
    },
    /// Any refusal: a 4xx or 5xx response, or the end of TCP.
    RefusesAnyhow,
    /// The server must end the connection within this time by itself, with or without an answer.
    GivesUpWithin(Duration),
    /// The same; that the server waits longer is left open: INFORMATIONAL.
    MayGiveUpWithin(Duration),
    /// Either 101, and the plan goes on; or a refusal as in `RefusesAnyhow`.
    OpensOrRefuses,
    /// 101, and the plan goes on; a refusal as in `RefusesAnyhow` is tolerable: NON-STRICT.
    ShouldOpen,
    /// A refusal as in `RefusesAnyhow`; 101 is tolerable: NON-STRICT if the plan goes well.
    ShouldRefuse,
}

impl Answer {
    /// Whether 101 may be right, so that the plan of the case goes on.
    pub(crate) fn may_open(&self) -> bool {
        matches!(
            self,
            Self::Opens | Self::OpensOrRefuses | Self::ShouldOpen | Self::ShouldRefuse
        )
    }
}

/// A look at a head; an error is a sentence on what is wrong with it.
pub type HeadCheck = fn(&Head) -> Result<(), String>;

/// A request made to measure. In every text `{host}`, `{target}` and `{key}` are replaced.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestPlan {
    /// Changes to the ordinary request, in order.
    pub edits: Vec<Edit>,
    /// Instead of all that: these octets.
    pub raw: Option<Vec<u8>>,
    /// The head is written in pieces of so many octets.
    pub chop: Option<usize>,
    /// Between two pieces passes so much time.
    pub pause: Duration,
    /// Only so many octets of the head are sent.
    pub cut: Option<usize>,
    /// What should come back.
    pub answer: Answer,
    /// A further look at the response.
    pub check: Option<HeadCheck>,
    /// permessage-deflate is offered by the edits: the answer is judged against these offers, and
    /// what was agreed is used.
    pub offers: Vec<Offer>,
    /// The same for deflate-frame.
    pub frame_offers: Vec<FrameOffer>,
    /// An extension that the case brings along, offered by the edits too.
    pub layer: Option<Layer>,
    /// `mux` is offered by the edits, with this quota of the server on channel 1.
    pub mux: Option<u64>,
}

impl RequestPlan {
    /// The ordinary request, to be answered so.
    #[must_use]
    pub fn new(answer: Answer) -> Self {
        Self {
            edits: Vec::new(),
            raw: None,
            chop: None,
            pause: Duration::ZERO,
            cut: None,
            answer,
            check: None,
            offers: Vec::new(),
            frame_offers: Vec::new(),
            layer: None,
            mux: None,
        }
    }

    /// With another request line.
    #[must_use]
    pub fn line(self, line: impl Into<String>) -> Self {
        self.edit(Edit::Line(line.into()))
    }

    /// With this value of the field.
    #[must_use]
    pub fn set(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.edit(Edit::Set(name.into(), value.into()))
    }

    /// Without the field.
    #[must_use]
    pub fn without(self, name: impl Into<String>) -> Self {
        self.edit(Edit::Without(name.into()))
    }

    /// With a field more.
    #[must_use]
    pub fn with(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.edit(Edit::With(name.into(), value.into()))
    }

    /// With these octets instead of a head.
    #[must_use]
    pub fn raw(mut self, octets: impl Into<Vec<u8>>) -> Self {
        self.raw = Some(octets.into());
        self
    }

    /// Written in pieces of so many octets with so many milliseconds in between.
    #[must_use]
    pub fn chopped(mut self, octets: usize, pause_ms: u64) -> Self {
        self.chop = Some(octets);
        self.pause = Duration::from_millis(pause_ms);
        self
    }

    /// Only so many octets of it.
    #[must_use]
    pub fn cut(mut self, octets: usize) -> Self {
        self.cut = Some(octets);
        self
    }

    /// With a further look at the response.
    #[must_use]
    pub fn check(mut self, check: HeadCheck) -> Self {
        self.check = Some(check);
        self
    }

    /// With these offers of permessage-deflate.
    #[must_use]
    pub fn offering(mut self, offers: Vec<Offer>) -> Self {
        let list: Vec<_> = offers.iter().map(ToString::to_string).collect();
        self.offers = offers;
        self.set("Sec-WebSocket-Extensions", list.join(", "))
    }

    /// With these offers of deflate-frame; an edit makes them.
    #[must_use]
    pub fn frames(mut self, offers: Vec<FrameOffer>) -> Self {
        self.frame_offers = offers;
        self
    }

    /// With an offer of `mux`, that an edit makes, with this quota.
    #[must_use]
    pub fn mux(mut self, quota: u64) -> Self {
        self.mux = Some(quota);
        self
    }

    /// With an extension that the case brings along; an edit offers it.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layer = Some(layer);
        self
    }

    fn edit(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }
}

/// What a client should do with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reaction {
    /// Take the connection as open; the plan of the case goes on.
    Opens,
    /// Fail the connection: end TCP without a data frame.
    GivesUp,
    /// The same; that the client waits for more is left open: INFORMATIONAL.
    GivesUpOrWaits,
    /// Either.
    OpensOrGivesUp,
    /// As `Opens`; giving up is tolerable: NON-STRICT.
    ShouldOpen,
    /// As `GivesUp`; an open connection is tolerable: NON-STRICT if the plan goes well.
    ShouldGiveUp,
}

/// A response made to measure. In every text `{accept}` and `{key}` are replaced.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResponsePlan {
    /// Changes to the ordinary response, in order.
    pub edits: Vec<Edit>,
    /// Instead of all that: these octets.
    pub raw: Option<Vec<u8>>,
    /// The head is written in pieces of so many octets.
    pub chop: Option<usize>,
    /// Between two pieces passes so much time.
    pub pause: Duration,
    /// What the client should do.
    pub reaction: Reaction,
    /// A look at the request that came.
    pub check: Option<HeadCheck>,
    /// A look at what the request offers; with an error the case is UNIMPLEMENTED.
    pub need: Option<HeadCheck>,
    /// After the head, the judge ends TCP.
    pub then_drop: bool,
    /// What becomes of the right value of `Sec-WebSocket-Accept`, to replace `{accept}`.
    pub accept: fn(&str) -> String,
    /// Lines of `Sec-WebSocket-Extensions`. They are judged by this client's offers: if the client
    /// should take them and they do not fit, the case is UNIMPLEMENTED; if it should give up and
    /// they do fit, there is nothing to judge: INFORMATIONAL. What they agree on is used.
    pub extensions: Option<Vec<String>>,
    /// An extension that the case brings along.
    pub layer: Option<Layer>,
}

impl ResponsePlan {
    /// The ordinary response, to be taken so.
    #[must_use]
    pub fn new(reaction: Reaction) -> Self {
        Self {
            edits: Vec::new(),
            raw: None,
            chop: None,
            pause: Duration::ZERO,
            reaction,
            check: None,
            need: None,
            then_drop: false,
            accept: str::to_owned,
            extensions: None,
            layer: None,
        }
    }

    /// With another status line.
    #[must_use]
    pub fn line(self, line: impl Into<String>) -> Self {
        self.edit(Edit::Line(line.into()))
    }

    /// With this value of the field.
    #[must_use]
    pub fn set(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.edit(Edit::Set(name.into(), value.into()))
    }

    /// Without the field.
    #[must_use]
    pub fn without(self, name: impl Into<String>) -> Self {
        self.edit(Edit::Without(name.into()))
    }

    /// With a field more.
    #[must_use]
    pub fn with(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.edit(Edit::With(name.into(), value.into()))
    }

    /// With these octets instead of a head.
    #[must_use]
    pub fn raw(mut self, octets: impl Into<Vec<u8>>) -> Self {
        self.raw = Some(octets.into());
        self
    }

    /// Written in pieces of so many octets with so many milliseconds in between.
    #[must_use]
    pub fn chopped(mut self, octets: usize, pause_ms: u64) -> Self {
        self.chop = Some(octets);
        self.pause = Duration::from_millis(pause_ms);
        self
    }

    /// With a look at the request.
    #[must_use]
    pub fn check(mut self, check: HeadCheck) -> Self {
        self.check = Some(check);
        self
    }

    /// Without what this looks for in the request, the case is UNIMPLEMENTED.
    #[must_use]
    pub fn need(mut self, need: HeadCheck) -> Self {
        self.need = Some(need);
        self
    }

    /// With these lines of `Sec-WebSocket-Extensions`, judged by what the client offered.
    #[must_use]
    pub fn answering(mut self, lines: &[&str]) -> Self {
        self.extensions = Some(lines.iter().map(ToString::to_string).collect());
        lines.iter().fold(self, |plan, line| {
            plan.with("Sec-WebSocket-Extensions", *line)
        })
    }

    /// With an extension that the case brings along.
    #[must_use]
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layer = Some(layer);
        self
    }

    /// TCP ends behind the head.
    #[must_use]
    pub fn then_drop(mut self) -> Self {
        self.then_drop = true;
        self
    }

    /// `{accept}` is replaced by what this makes of the right value.
    #[must_use]
    pub fn accept(mut self, accept: fn(&str) -> String) -> Self {
        self.accept = accept;
        self
    }

    fn edit(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }
}

/// Makes the changes to a first line and fields.
pub(crate) fn apply(edits: &[Edit], line: &mut String, fields: &mut Vec<(String, String)>) {
    for edit in edits {
        match edit {
            Edit::Line(other) => line.clone_from(other),
            Edit::Set(name, value) => {
                let at = fields
                    .iter()
                    .position(|(other, _)| other.eq_ignore_ascii_case(name));
                fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
                let at = at.unwrap_or(fields.len()).min(fields.len());
                fields.insert(at, (name.clone(), value.clone()));
            }
            Edit::Without(name) => fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name)),
            Edit::With(name, value) => fields.push((name.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_made_in_order() {
        let plan = RequestPlan::new(Answer::Opens)
            .line("POST / HTTP/1.1")
            .set("host", "other")
            .without("Upgrade")
            .with("Host", "again")
            .set("New", "1");
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut line = "GET / HTTP/1.1".to_owned();
        let mut fields = vec![field("Host", "h"), field("Upgrade", "x"), field("Key", "k")];
        apply(&plan.edits, &mut line, &mut fields);
        assert_eq!(line, "POST / HTTP/1.1");
        let expected = [
            field("host", "other"),
            field("Key", "k"),
            field("Host", "again"),
            field("New", "1"),
        ];
        assert_eq!(fields, expected);
    }
}
