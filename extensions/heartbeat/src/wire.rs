//! Beats, answers and notices as octets.

use cloverleaf_proto::extension::Failure;

/// The last time there is: so the difference of two always fits in 64 bits with a sign.
pub(crate) const LAST: u64 = i64::MAX as u64;

const BEAT: u8 = 0;
const ANSWER: u8 = 1;

/// What an end asks the other. Times in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Beat {
    pub(crate) sequence: u32,
    pub(crate) sent: u64,
}

impl Beat {
    pub(crate) fn octets(self) -> [u8; 13] {
        let mut octets = [BEAT; 13];
        octets[1..5].copy_from_slice(&self.sequence.to_be_bytes());
        octets[5..].copy_from_slice(&self.sent.to_be_bytes());
        octets
    }
}

/// What the other end says to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) beat: Beat,
    /// By the clock of the one who answers.
    pub(crate) seen: u64,
}

impl Answer {
    pub(crate) fn octets(self) -> [u8; 21] {
        let mut octets = [ANSWER; 21];
        octets[1..13].copy_from_slice(&self.beat.octets()[1..]);
        octets[13..].copy_from_slice(&self.seen.to_be_bytes());
        octets
    }
}

/// What is in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    Beat(Beat),
    Answer(Answer),
}

impl Frame {
    /// Reads a payload from the peer.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, Failure> {
        let frame = match payload.split_first() {
            Some((&BEAT, rest)) => read_beat(rest)
                .filter(|(_, rest)| rest.is_empty())
                .map(|(beat, _)| Self::Beat(beat)),
            Some((&ANSWER, rest)) => read_answer(rest)
                .filter(|(_, rest)| rest.is_empty())
                .map(|(answer, _)| Self::Answer(answer)),
            Some(_) => return Err(Failure::protocol("heartbeat of an unknown kind")),
            None => None,
        };
        let frame = frame.ok_or_else(|| Failure::protocol("heartbeat of a wrong length"))?;
        let latest = match frame {
            Self::Beat(beat) => beat.sent,
            Self::Answer(answer) => answer.seen.max(answer.beat.sent),
        };
        if latest > LAST {
            return Err(Failure::protocol("heartbeat with an impossible time"));
        }
        Ok(frame)
    }
}

/// What our half tells our application: an answer, the resolution of the peer's time in it, in
/// microseconds, and our time when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) answer: Answer,
    pub(crate) resolution: u64,
    pub(crate) received: u64,
}

impl Notice {
    pub(crate) fn octets(self) -> Vec<u8> {
        let mut octets = self.answer.octets()[1..].to_vec();
        octets.extend_from_slice(&self.resolution.to_be_bytes());
        octets.extend_from_slice(&self.received.to_be_bytes());
        octets
    }

    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (answer, rest) = read_answer(payload)?;
        let (resolution, rest) = read_number(rest)?;
        let (received, rest) = read_number(rest)?;
        rest.is_empty().then_some(Self {
            answer,
            resolution,
            received,
        })
    }
}

fn read_number(octets: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = octets.split_first_chunk()?;
    Some((u64::from_be_bytes(*number), rest))
}

fn read_beat(octets: &[u8]) -> Option<(Beat, &[u8])> {
    let (sequence, rest) = octets.split_first_chunk()?;
    let sequence = u32::from_be_bytes(*sequence);
    let (sent, rest) = read_number(rest)?;
    Some((Beat { sequence, sent }, rest))
}

fn read_answer(octets: &[u8]) -> Option<(Answer, &[u8])> {
    let (beat, rest) = read_beat(octets)?;
    let (seen, rest) = read_number(rest)?;
    Some((Answer { beat, seen }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: Beat = Beat {
        sequence: 0x0102_0304,
        sent: 0x1112_1314_1516_1718,
    };

    #[test]
    fn a_beat_and_its_answer_octet_by_octet() {
        let beat = b"\x00\x01\x02\x03\x04\x11\x12\x13\x14\x15\x16\x17\x18";
        assert_eq!(ASKED.octets(), *beat);
        assert_eq!(Frame::read(beat), Ok(Frame::Beat(ASKED)));
        let answer = b"\x01\x01\x02\x03\x04\x11\x12\x13\x14\x15\x16\x17\x18\
                       \x21\x22\x23\x24\x25\x26\x27\x28";
        let said = Answer {
            beat: ASKED,
            seen: 0x2122_2324_2526_2728,
        };
        assert_eq!(said.octets(), *answer);
        assert_eq!(Frame::read(answer), Ok(Frame::Answer(said)));
    }

    #[test]
    fn what_is_told_is_what_is_read() {
        let notice = Notice {
            answer: Answer {
                beat: ASKED,
                seen: 7,
            },
            resolution: 1000,
            received: 9,
        };
        let octets = notice.octets();
        assert_eq!(Notice::read(&octets), Some(notice));
        for cut in 0..octets.len() {
            assert_eq!(Notice::read(&octets[..cut]), None);
        }
        assert_eq!(Notice::read(&[&octets[..], b"x"].concat()), None);
    }
}
