//! The extension: what it claims, how it is agreed, and its receiving half.

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use cloverleaf_proto::extension::{
    Agreement, Claims, Declined, Decoded, Decoder, Extension, Failure, Output, Params, Stage,
};
use cloverleaf_proto::frame::{Head, OpCode};

use crate::wire::{Answer, Frame, LAST, Notice};
use crate::{Beats, Resolution};

/// Heartbeats with timestamps, `x-heartbeat`. One value serves every connection; clones share the
/// clock.
#[derive(Clone)]
pub struct Heartbeat {
    clock: Clock,
    resolution: Resolution,
}

/// The application's clock, in microseconds.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    pub(crate) fn micros(&self) -> u64 {
        u64::try_from((self.0)().as_micros()).map_or(LAST, |micros| micros.min(LAST))
    }
}

impl Heartbeat {
    /// The opcode of beats and answers.
    pub const OPCODE: OpCode = OpCode::new(0xB);

    /// The extension token.
    pub const NAME: &str = "x-heartbeat";

    /// A heartbeat by this clock, which tells the time since a point of its own choosing.
    ///
    /// With a monotonic clock, such as [`Instant::elapsed`](std::time::Instant::elapsed), offsets
    /// show how the two clocks drift; with the time of day they show how far it is apart. What is
    /// measured while a clock goes back is not told.
    pub fn new(clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self {
            clock: Clock(Arc::new(clock)),
            resolution: Resolution::default(),
        }
    }

    /// How fine the times are that we send. Default: microseconds.
    #[must_use]
    pub fn resolution(self, resolution: Resolution) -> Self {
        Self { resolution, ..self }
    }

    /// What the application needs to measure one connection.
    #[must_use]
    pub fn beats(&self) -> Beats {
        Beats::new(self.clock.clone(), self.resolution)
    }

    fn agree(&self, peer: Resolution) -> Agreement {
        Agreement::new(self.resolution.params()).decoder(Half {
            clock: self.clock.clone(),
            ours: self.resolution,
            peer,
            told: None,
        })
    }
}

impl fmt::Debug for Heartbeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Heartbeat")
            .field("resolution", &self.resolution)
            .finish_non_exhaustive()
    }
}

impl Extension for Heartbeat {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn claims(&self) -> Claims {
        // It does not care for the frames of messages, and at the message stage it may stand in
        // front of a compressor as well as behind one.
        const { Claims::at(Stage::Message).opcode(Self::OPCODE) }
    }

    fn offers(&self) -> Vec<Params> {
        vec![self.resolution.params()]
    }

    fn accept(&self, offer: &Params) -> Result<Agreement, Declined> {
        Ok(self.agree(Resolution::read(offer)?))
    }

    fn confirm(&self, _offered: &[Params], answer: &Params) -> Result<Agreement, Declined> {
        // The server speaks of its own times: whatever it says of them fits our offer.
        Ok(self.agree(Resolution::read(answer)?))
    }
}

/// Answers beats and tells of answers.
struct Half {
    clock: Clock,
    ours: Resolution,
    peer: Resolution,
    /// The number of the last answer that was told.
    told: Option<u32>,
}

impl Half {
    /// The peer's times must be as coarse as it said.
    fn check(&self, micros: u64) -> Result<(), Failure> {
        if self.peer.floor(micros) == micros {
            Ok(())
        } else {
            Err(Failure::protocol("heartbeat finer than its resolution"))
        }
    }

    /// Whether an answer with this number comes behind all that were told: replays do not. Numbers
    /// go round, as in RFC 1982 §3.2.
    fn is_new(&self, sequence: u32) -> bool {
        self.told
            .is_none_or(|told| matches!(sequence.wrapping_sub(told), 1..0x8000_0000))
    }
}

impl Decoder for Half {
    fn decode(
        &mut self,
        head: Head,
        payload: &[u8],
        out: &mut Output<'_>,
    ) -> Result<Decoded, Failure> {
        if head.opcode != Heartbeat::OPCODE {
            return Ok(Decoded::Unchanged);
        }
        match Frame::read(payload)? {
            Frame::Beat(beat) => {
                self.check(beat.sent)?;
                let seen = self.ours.floor(self.clock.micros());
                out.write(&Answer { beat, seen }.octets())?;
                Ok(Decoded::Answered(Heartbeat::OPCODE))
            }
            Frame::Answer(answer) => {
                self.check(answer.seen)?;
                let received = self.clock.micros();
                // No honest answer is to a beat from our future, but our own clock may have been
                // set back: no reason to end the connection.
                if answer.beat.sent <= received && self.is_new(answer.beat.sequence) {
                    self.told = Some(answer.beat.sequence);
                    let notice = Notice {
                        answer,
                        resolution: self.peer.micros(),
                        received,
                    };
                    out.notify(notice.octets());
                }
                Ok(Decoded::Consumed)
            }
        }
    }
}
