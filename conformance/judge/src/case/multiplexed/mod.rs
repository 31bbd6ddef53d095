//! Sending and expecting in turn on a connection with channels: the cases of multiplexing.
//!
//! Every message of the subject is held against the [`Ledger`]: one that breaks a rule of the
//! format, or exceeds a quota, fails the case wherever it comes.

mod expecting;
mod load;
mod run;
mod sending;

use std::time::Duration;

use cloverleaf_reports::Verdict;

use super::judgement::ExpectedEnd;
use super::{Plan, Program};
use crate::frame::Frame;
use crate::mux::{Block, Happened, Ledger, channel_id, number};

/// How long the judge waits for something that it expects.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a subject may send on a channel, unless a case is about that.
pub(crate) const AMPLE: u64 = 1 << 20;

/// A request for the resource of the connection, as it is.
pub(crate) const REQUEST: &str =
    "GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n\r\n";

/// A piece of a message that the judge sends. Channels are counted in the order in which they were
/// asked for; 0 is the first, whose number is 1.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "octets, and what is not known yet")]
pub enum Part {
    /// Octets as they are.
    Octets(Vec<u8>),
    /// The number of a channel.
    Id(usize),
    /// A head, behind its length. `{host}` and `{target}` are those of the connection.
    Head(String),
}

/// Octets as they are.
pub(crate) fn octets(octets: impl Into<Vec<u8>>) -> Vec<Part> {
    vec![Part::Octets(octets.into())]
}

/// A message of the control channel with one block, that has this first octet, is for this channel,
/// and ends in these octets.
pub(crate) fn block(first: u8, channel: usize, rest: impl Into<Vec<u8>>) -> Vec<Part> {
    vec![
        Part::Octets(vec![0, first]),
        Part::Id(channel),
        Part::Octets(rest.into()),
    ]
}

/// A FlowControl for a channel.
pub(crate) fn grant(channel: usize, quota: u64) -> Vec<Part> {
    block(0x40, channel, number(quota))
}

/// A DropChannel for a channel, with a code or without.
pub(crate) fn drop_channel(channel: usize, code: Option<u16>) -> Vec<Part> {
    let reason = match code {
        Some(code) => [&[2], &code.to_be_bytes()[..]].concat(),
        None => vec![0],
    };
    block(0x60, channel, reason)
}

/// A message with these blocks.
pub(crate) fn blocks(blocks: &[Block]) -> Vec<Part> {
    octets(Block::message(blocks))
}

/// A message with a frame of a channel.
pub(crate) fn frame(channel: usize, head: u8, payload: impl Into<Vec<u8>>) -> Vec<Part> {
    vec![
        Part::Id(channel),
        Part::Octets(vec![head]),
        Part::Octets(payload.into()),
    ]
}

/// A message that asks for channel `id`; `first` is 0 for a whole head, 1 for a difference.
pub(crate) fn request(first: u8, id: u32, head: impl Into<String>) -> Vec<Part> {
    let mut start = vec![0, first];
    start.extend(channel_id(id));
    vec![Part::Octets(start), Part::Head(head.into())]
}

/// Something that the subject should do next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hope {
    /// Exactly this.
    This(Happened),
    /// A close frame on a channel with one of these codes.
    Close(usize, Vec<Option<u16>>),
    /// A DropChannel with one of these codes.
    Dropped(usize, Vec<u16>),
    /// A DropChannel with any code, or none.
    DroppedAnyhow(usize),
    /// A refusal of a channel with a status of 400 to 599.
    Refused(usize),
    /// A binary message of zeros: what [`Act::Fill`] sent.
    Zeros(usize),
    /// The end of the connection, by a close frame or that of TCP.
    Ended,
    /// A close frame on a channel, whatever it says.
    ClosedAnyhow(usize),
    /// A DropChannel for the channel that was asked for last, with this code.
    LastDropped(u16),
    /// The refusal of the channel that was asked for last.
    LastRefused,
    /// That nothing happens within the time.
    Nothing,
}

impl Hope {
    /// A text message on a channel.
    pub fn text(channel: usize, payload: impl Into<Vec<u8>>) -> Self {
        Self::This(Happened::Message {
            channel,
            payload: payload.into(),
            binary: false,
        })
    }

    /// A binary message on a channel.
    pub fn binary(channel: usize, payload: impl Into<Vec<u8>>) -> Self {
        Self::This(Happened::Message {
            channel,
            payload: payload.into(),
            binary: true,
        })
    }

    /// A pong on a channel.
    pub fn pong(channel: usize, payload: impl Into<Vec<u8>>) -> Self {
        Self::This(Happened::Pong(channel, payload.into()))
    }

    /// The acknowledgement of a DropChannel.
    pub fn ack(channel: usize) -> Self {
        Self::Dropped(channel, vec![3008])
    }

    /// `last`: the channel that was asked for last.
    fn is_met_by(&self, happened: &Happened, last: usize) -> bool {
        match (self, happened) {
            (Self::This(this), seen) => this == seen,
            (Self::Close(channel, codes), Happened::Close(at, code)) => {
                at == channel && codes.contains(code)
            }
            (Self::Dropped(channel, codes), Happened::Dropped(at, Some(code))) => {
                at == channel && codes.contains(code)
            }
            (Self::DroppedAnyhow(channel), Happened::Dropped(at, _)) => at == channel,
            (Self::Refused(channel), Happened::Answered(at, false, status)) => {
                at == channel && status.is_some_and(|status| (400..=599).contains(&status))
            }
            (
                Self::Zeros(channel),
                Happened::Message {
                    channel: at,
                    payload,
                    binary: true,
                },
            ) => at == channel && payload.iter().all(|octet| *octet == 0),
            (Self::LastDropped(code), seen) => *seen == Happened::Dropped(last, Some(*code)),
            (Self::LastRefused, Happened::Answered(at, false, _)) => *at == last,
            (Self::ClosedAnyhow(channel), Happened::Close(at, _)) => at == channel,
            (Self::Nothing, Happened::Nothing)
            | (Self::Ended, Happened::PhysicalClose(_) | Happened::End) => true,
            _ => false,
        }
    }
}

/// A look at the account; an error comes with its verdict.
pub type Look = fn(&Ledger) -> Result<(), (Verdict, String)>;

/// One act.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Act {
    /// Sends a binary message of the connection, right or wrong.
    Send(Vec<Part>),
    /// Sends a frame of a channel as soon as there is quota for it.
    Frame(usize, u8, Vec<u8>),
    /// Sends a binary message of zeros that costs all the quota there is for a channel, and so much
    /// more.
    Fill(usize, u64),
    /// Sends a frame of the connection itself.
    Physical(Frame),
    /// The same so many times.
    Flood(Vec<Part>, u32),
    /// As `Send`, in frames of so many octets.
    Cut(Vec<Part>, usize),
    /// One more channel is to be open: a server is asked for it, a client is given a slot with this
    /// quota, and asks. The server may send so much at first.
    Open(u64),
    /// The same for so many channels at once, or fewer if a server gives fewer slots.
    OpenMany(usize, u64),
    /// The next thing to happen should be one of these, and what it is worth.
    Expect(Vec<(Verdict, Hope)>, Duration),
    /// All of these should happen, in any order between the channels.
    ExpectAll(Vec<Hope>),
    /// For this time nothing should happen.
    Quiet(Duration),
    /// Lets time pass; what happens meanwhile is expected later.
    Pause(Duration),
    /// The subject should fail the connection: a DropChannel for channel 0 with one of these codes,
    /// then its close frame. Without either, or with another code, it is tolerable.
    Fails(Vec<u16>),
    /// As `Fails`, if the subject does so; if it does not within the time, the acts go on.
    MayFail(Vec<u16>, Duration),
    /// The first acts with a server, the second with a client.
    Branch(Vec<Self>, Vec<Self>),
    /// Waits until this is so; the words say what.
    Await(fn(&Ledger) -> bool, &'static str),
    /// Looks at the account.
    Look(Look),
    /// Without this the case is UNIMPLEMENTED.
    Need(fn(&Ledger) -> Result<(), String>),
    /// Changes how the judge keeps the account.
    Set(fn(&mut Ledger)),
    /// A message of so many octets to each open channel; none may be answered before all were sent,
    /// and then all at once. The first to be done must not be too far ahead.
    Load(usize),
    /// Opens channels and drops them at once, so many, as slots allow.
    Churn(u32),
    /// These acts, unless the subject has said that it fails the connection; then it should end it.
    UnlessEnding(Vec<Self>),
    /// One channel more is asked for than there are slots.
    AskBeyond,
    /// What has happened so far does not matter.
    Forget,
    /// The connection has ended, or a ping of it is answered, whatever comes before.
    Survives,
    /// Ends TCP in the direction of the subject.
    HalfClose,
    /// Begins the closing handshake of the connection.
    CloseAll(u16),
}

/// Acts, one after the other, on a connection with channels. The first expectation that is not met
/// fails the case. When all is done the judge closes the connection with 1000.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Multiplexed {
    /// What is done and expected.
    pub acts: Vec<Act>,
    /// How the connection may end.
    pub end: ExpectedEnd,
    /// Whatever happens, the case only informs.
    pub informational: bool,
}

impl Default for Multiplexed {
    fn default() -> Self {
        Self::new()
    }
}

impl Multiplexed {
    /// Acts that only close.
    #[must_use]
    pub fn new() -> Self {
        Self {
            acts: Vec::new(),
            end: ExpectedEnd::normal(),
            informational: false,
        }
    }

    /// With channel 1 only, on which the subject may send.
    #[must_use]
    pub fn one() -> Self {
        Self::new().send(grant(0, AMPLE))
    }

    /// With a second channel, on which the subject may send too.
    #[must_use]
    pub fn two() -> Self {
        Self::one().open()
    }

    /// With two channels more.
    #[must_use]
    pub fn three() -> Self {
        Self::two().open()
    }

    /// Adds an act.
    #[must_use]
    pub fn act(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    /// Sends a message.
    #[must_use]
    pub fn send(self, parts: Vec<Part>) -> Self {
        self.act(Act::Send(parts))
    }

    /// Sends octets.
    #[must_use]
    pub fn octets(self, message: impl Into<Vec<u8>>) -> Self {
        self.send(octets(message))
    }

    /// Sends a frame of a channel, when there is quota for it.
    #[must_use]
    pub fn frame(self, channel: usize, head: u8, payload: impl Into<Vec<u8>>) -> Self {
        self.act(Act::Frame(channel, head, payload.into()))
    }

    /// One more channel is to be open.
    #[must_use]
    pub fn open(self) -> Self {
        self.act(Act::Open(AMPLE))
    }

    /// The next thing to happen should be this.
    #[must_use]
    pub fn expect(self, hope: Hope) -> Self {
        self.act(Act::Expect(vec![(Verdict::Ok, hope)], PATIENCE))
    }

    /// The next thing to happen should be one of these; OK, or NON-STRICT.
    #[must_use]
    pub fn expect_or(self, ok: Vec<Hope>, tolerable: Vec<Hope>) -> Self {
        let ok = ok.into_iter().map(|hope| (Verdict::Ok, hope));
        let tolerable = tolerable.into_iter().map(|hope| (Verdict::NonStrict, hope));
        self.act(Act::Expect(ok.chain(tolerable).collect(), PATIENCE))
    }

    /// A text message goes there and back.
    #[must_use]
    pub fn echo(self, channel: usize, payload: impl Into<Vec<u8>>) -> Self {
        let payload = payload.into();
        self.frame(channel, 0x81, payload.clone())
            .expect(Hope::text(channel, payload))
    }

    /// The subject should fail the connection with this code.
    #[must_use]
    pub fn fails(mut self, code: u16) -> Self {
        self.end = ExpectedEnd::failed_by_subject(&[1011]);
        self.act(Act::Fails(vec![code]))
    }

    /// The subject should drop a channel with this code; another is tolerable.
    #[must_use]
    pub fn drops(self, channel: usize, code: u16) -> Self {
        self.expect_or(
            vec![Hope::Dropped(channel, vec![code])],
            vec![Hope::DroppedAnyhow(channel)],
        )
    }

    /// Nothing should happen for so many milliseconds.
    #[must_use]
    pub fn quiet(self, ms: u64) -> Self {
        self.act(Act::Quiet(Duration::from_millis(ms)))
    }

    /// Lets so many milliseconds pass.
    #[must_use]
    pub fn pause(self, ms: u64) -> Self {
        self.act(Act::Pause(Duration::from_millis(ms)))
    }

    /// Looks at the account.
    #[must_use]
    pub fn look(self, look: Look) -> Self {
        self.act(Act::Look(look))
    }

    /// Changes how the judge keeps the account.
    #[must_use]
    pub fn set(self, set: fn(&mut Ledger)) -> Self {
        self.act(Act::Set(set))
    }

    /// How the connection may end.
    #[must_use]
    pub fn end(mut self, end: ExpectedEnd) -> Self {
        self.end = end;
        self
    }

    pub(super) fn start(&self) -> Box<dyn Program> {
        run::start(self)
    }

    pub(super) fn time_limit(&self) -> Duration {
        let waits = self.acts.iter().map(|act| match act {
            Act::Expect(_, time) | Act::Quiet(time) | Act::Pause(time) | Act::MayFail(_, time) => {
                *time
            }
            _ => PATIENCE,
        });
        waits.sum::<Duration>() + Duration::from_secs(10)
    }
}

impl From<Multiplexed> for Plan {
    fn from(plan: Multiplexed) -> Self {
        Self::Multiplexed(plan)
    }
}
