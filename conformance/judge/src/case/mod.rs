//! Cases as data: what the judge does, what it accepts, and why.

mod challenging;
mod dialogue;
mod exchange;
mod guarded;
mod judgement;
mod multiplexed;
mod opening;
mod script;

use std::time::Duration;

use cloverleaf_reports::model::Detail;
use cloverleaf_reports::{CaseId, Role};

pub use challenging::{Challenging, Greeting, Reply, Turn};
pub use dialogue::{Act, Dialogue, End, Expect};
pub use exchange::{Content, Exchange};
pub use guarded::{
    AnswerCheck, ChallengeCheck, Challenged, Compose, Guarded, Known, Scheme, Visit, Wants, Written,
};
pub use judgement::{Closer, ExpectedEnd, Judgement};
pub(crate) use multiplexed::{
    AMPLE, REQUEST, block, blocks, drop_channel, frame, grant, octets, request,
};
pub use multiplexed::{Act as MultiplexedAct, Hope, Look, Multiplexed, Part};
pub(crate) use opening::apply;
pub use opening::{
    Answer, Edit, HeadCheck, Negotiation, Opening, Reaction, RequestPlan, ResponsePlan,
};
pub use script::{Script, Seen, Step, binary, pong, text, timeout};

use crate::session::{Event, Session};

/// Whom a case can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there are two roles")]
pub enum Subjects {
    /// Servers and clients.
    Both,
    /// Servers only.
    Servers,
    /// Clients only.
    Clients,
}

impl Subjects {
    /// Whether a subject in this role can be judged.
    pub fn include(self, role: Role) -> bool {
        match self {
            Self::Both => true,
            Self::Servers => role == Role::Server,
            Self::Clients => role == Role::Client,
        }
    }
}

/// One case.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Case {
    /// `1.1.1`, or `close.3` for a case that Autobahn does not have.
    pub id: CaseId,
    /// What is done, in a sentence.
    pub title: String,
    /// What is expected, in a sentence or two.
    pub expectation: String,
    /// Where the rule stands: `RFC 6455 §5.5`.
    pub section: &'static str,
    /// Whom it judges.
    pub subjects: Subjects,
    /// The opening handshake, where it is not the ordinary one.
    pub opening: Opening,
    /// What happens once the connection is open.
    pub plan: Plan,
    /// A run takes at most this long, whatever the plan allows.
    pub budget: Option<Duration>,
}

/// What happens once the connection is open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Plan {
    /// Frames and pauses, and lists of events of which one must be seen exactly: Autobahn's way.
    Script(Script),
    /// Messages that must be echoed, one after the other.
    Exchange(Exchange),
    /// Sending and expecting in turn: the way of the cases that Autobahn does not have.
    Dialogue(Dialogue),
    /// The same on a connection with channels.
    Multiplexed(Multiplexed),
    /// Requests to a server that wants credentials.
    Guarded(Guarded),
    /// Refusals to a client that has credentials.
    Challenging(Challenging),
}

impl From<Guarded> for Plan {
    fn from(plan: Guarded) -> Self {
        Self::Guarded(plan)
    }
}

impl From<Challenging> for Plan {
    fn from(plan: Challenging) -> Self {
        Self::Challenging(plan)
    }
}

impl Case {
    /// A case for both roles with the ordinary opening handshake.
    ///
    /// # Panics
    ///
    /// If the id is no id: the tables are checked by a test.
    pub fn new(id: impl AsRef<str>, title: impl Into<String>, plan: impl Into<Plan>) -> Self {
        Self {
            id: id.as_ref().parse().expect("an id in a table of cases"),
            title: title.into(),
            expectation: String::new(),
            section: "",
            subjects: Subjects::Both,
            opening: Opening::Ordinary,
            plan: plan.into(),
            budget: None,
        }
    }

    /// What is expected, in words.
    #[must_use]
    pub fn expect(mut self, expectation: impl Into<String>) -> Self {
        self.expectation = expectation.into();
        self
    }

    /// Where the rule stands.
    #[must_use]
    pub fn section(mut self, section: &'static str) -> Self {
        self.section = section;
        self
    }

    /// Judges servers only.
    #[must_use]
    pub fn for_servers(mut self) -> Self {
        self.subjects = Subjects::Servers;
        self
    }

    /// Judges clients only.
    #[must_use]
    pub fn for_clients(mut self) -> Self {
        self.subjects = Subjects::Clients;
        self
    }

    /// With an opening handshake of its own.
    #[must_use]
    pub fn opening(mut self, opening: Opening) -> Self {
        self.opening = opening;
        self
    }

    /// Begins a run of the case.
    pub fn start(&self) -> Box<dyn Program> {
        match &self.plan {
            Plan::Script(script) => script.start(),
            Plan::Exchange(exchange) => exchange.start(),
            Plan::Dialogue(dialogue) => dialogue.start(),
            Plan::Multiplexed(plan) => plan.start(),
            // Whoever was let in is talked to.
            Plan::Guarded(_) | Plan::Challenging(_) => Dialogue::new().echo("Cloverleaf").start(),
        }
    }

    /// Whether it can judge those only that have credentials, or want some.
    pub fn needs_credentials(&self) -> bool {
        matches!(self.plan, Plan::Guarded(_) | Plan::Challenging(_))
    }

    /// Whether the case only informs, whatever happens.
    pub fn is_informational(&self) -> bool {
        match &self.plan {
            Plan::Script(script) => script.informational,
            Plan::Dialogue(dialogue) => dialogue.informational,
            Plan::Multiplexed(plan) => plan.informational,
            Plan::Exchange(_) | Plan::Guarded(_) | Plan::Challenging(_) => false,
        }
    }

    /// Whether a run waits more than it works, so that many can run side by side.
    pub fn is_light(&self) -> bool {
        !matches!(self.plan, Plan::Exchange(_))
    }

    /// The same with fewer messages, for a quick look: a tenth of what is repeated.
    #[must_use]
    pub fn fast(mut self) -> Self {
        if let Plan::Exchange(exchange) = &mut self.plan {
            exchange.count = exchange.count.div_ceil(10);
        }
        self
    }

    /// The same within so much time.
    #[must_use]
    pub fn within(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The longest that a run may take; the judge gives it up then.
    pub fn time_limit(&self) -> Duration {
        let limit = match &self.plan {
            Plan::Script(script) => script.time_limit(),
            Plan::Exchange(exchange) => exchange.limit + Duration::from_secs(10),
            Plan::Dialogue(dialogue) => dialogue.time_limit(),
            Plan::Multiplexed(plan) => plan.time_limit(),
            Plan::Guarded(plan) => plan.time_limit(),
            Plan::Challenging(plan) => plan.time_limit(),
        };
        self.budget.map_or(limit, |budget| limit.min(budget))
    }
}

/// A run of a case: what the judge does when things happen, and its verdict in the end.
pub trait Program: Send {
    /// The connection is open.
    fn on_open(&mut self, session: &mut Session);

    /// Something happened.
    fn on_event(&mut self, session: &mut Session, event: Event);

    /// The connection is gone, after it had been open.
    fn judge(&mut self, session: &Session) -> Judgement;

    /// What was expected and seen, for the report.
    fn describe(&self, detail: &mut Detail);
}
