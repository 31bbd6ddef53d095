//! The laws, one file each.

mod budget;
mod claims;
mod composition;
mod garbage;
mod identity;
mod isolation;
mod offers;
mod opcodes;
mod parameters;
mod unchanged;

use core::fmt;

use crate::subject::Subject;

/// What an extension must keep. In the order in which they are tried: a story is simplest when the
/// laws before it hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Law {
    /// The two sides agree with each other.
    Offers,
    /// What is not understood is declined.
    Parameters,
    /// Nothing outside the claim is touched.
    Claims,
    /// What is sent is what comes.
    Identity,
    /// A frame that was left alone leaves no trace.
    Unchanged,
    /// Connections know nothing of each other.
    Isolation,
    /// Frames of its own opcodes disturb nothing.
    OpCodes,
    /// No output passes its budget, and none is cut.
    Budget,
    /// Garbage is refused, not died of.
    Garbage,
    /// Other extensions may stand before and behind.
    Composition,
}

impl Law {
    /// Every law, in the order in which they are tried.
    pub const ALL: [Self; 10] = [
        Self::Offers,
        Self::Parameters,
        Self::Claims,
        Self::Identity,
        Self::Unchanged,
        Self::Isolation,
        Self::OpCodes,
        Self::Budget,
        Self::Garbage,
        Self::Composition,
    ];

    /// The law in one sentence.
    #[must_use]
    pub const fn statement(self) -> &'static str {
        match self {
            Self::Offers => {
                "every own offer is acceptable to the own server side, and its answer to the own \
                 client side, by way of the header"
            }
            Self::Parameters => {
                "parameters that are unknown, stand twice, have a value too many or lack one are \
                 declined, and no value panics"
            }
            Self::Claims => {
                "name and claims are always the same, bits and opcodes stay inside the claim, and \
                 control frames stay control frames"
            }
            Self::Identity => {
                "what one end sends is what the other receives, however it is fragmented, cut and \
                 interleaved"
            }
            Self::Unchanged => {
                "a frame that was left unchanged leaves the state as if it had never been seen"
            }
            Self::Isolation => "connections of one configuration share no state",
            Self::OpCodes => {
                "frames of a claimed opcode disturb no message, are answered only with what is \
                 claimed, and come to an end"
            }
            Self::Budget => {
                "output over the budget fails with 1009, is never cut, and output that fits is not \
                 refused"
            }
            Self::Garbage => "garbage is a failure or a payload, never a panic",
            Self::Composition => {
                "messages arrive whole with other extensions before and behind, in the order of \
                 the answer"
            }
        }
    }

    /// Tries the law. The error is the story.
    pub(crate) fn check(self, subject: &Subject) -> Result<(), String> {
        match self {
            Self::Offers => offers::check(subject),
            Self::Parameters => parameters::check(subject),
            Self::Claims => claims::check(subject),
            Self::Identity => identity::check(subject),
            Self::Unchanged => unchanged::check(subject),
            Self::Isolation => isolation::check(subject),
            Self::OpCodes => opcodes::check(subject),
            Self::Budget => budget::check(subject),
            Self::Garbage => garbage::check(subject),
            Self::Composition => composition::check(subject),
        }
    }
}

/// The name of the law: `identity`.
impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offers => "offers",
            Self::Parameters => "parameters",
            Self::Claims => "claims",
            Self::Identity => "identity",
            Self::Unchanged => "unchanged",
            Self::Isolation => "isolation",
            Self::OpCodes => "opcodes",
            Self::Budget => "budget",
            Self::Garbage => "garbage",
            Self::Composition => "composition",
        })
    }
}
