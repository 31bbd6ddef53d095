//! The masking keys of a client (RFC 6455 §5.3: fresh for every frame, and not to be guessed).

use crate::case::{Act, Case, Dialogue, Expect};
use crate::frame::Frame;
use crate::session::Session;

/// As many keys as the looks below need; two of these are equal by chance in 1 of 130,000 runs.
const KEYS: usize = 256;

pub(super) fn cases() -> Vec<Case> {
    let echoes = |dialogue: Dialogue, payload: &str, count: usize| {
        (0..count).fold(dialogue, |dialogue, _| {
            dialogue.expect_within(5_000, Expect::text(payload))
        })
    };
    let flood = |frame: Frame| Dialogue::new().act(Act::Flood(frame, KEYS as u32));
    let in_turn = (0..KEYS).fold(Dialogue::new(), |dialogue, _| dialogue.echo("key?"));
    let pongs = (0..KEYS).fold(Dialogue::new(), |dialogue, _| {
        dialogue
            .send(Frame::ping("key?"))
            .expect(Expect::Pong(b"key?".to_vec()))
    });
    let table = [
        (
            "256 messages of four zeros, all at once",
            echoes(flood(Frame::text("\0\0\0\0")), "\0\0\0\0", KEYS),
        ),
        ("256 messages, each when the last was echoed", in_turn),
        ("256 pings, each when the last was answered", pongs),
        (
            "256 empty messages",
            echoes(flood(Frame::text("")), "", KEYS),
        ),
    ];
    (1..)
        .zip(table)
        .map(|(number, (title, dialogue))| {
            Case::new(
                format!("close.masking.{number}"),
                title,
                dialogue.check(cannot_be_guessed),
            )
            .expect(
                "The client masks each frame with a key of its own: never one key for all, \
                     no counter, no bit that is always the same.",
            )
            .section("RFC 6455 §5.3, §10.3")
            .for_clients()
        })
        .collect()
}

fn cannot_be_guessed(session: &Session) -> Result<(), String> {
    let keys = session.log.masking_keys();
    let keys: Vec<u32> = keys.iter().map(|key| u32::from_be_bytes(*key)).collect();
    finding(&keys).map_or(Ok(()), Err)
}

/// What is wrong with these keys, taken together.
fn finding(keys: &[u32]) -> Option<String> {
    let (&first, rest) = keys.split_first()?;
    if keys.len() < KEYS {
        return Some(format!("Only {} frames were masked.", keys.len()));
    }
    if rest.iter().all(|key| *key == first) {
        return Some(format!("All keys are {first:#010x}."));
    }
    let steps: Vec<u32> = keys
        .windows(2)
        .map(|two| two[1].wrapping_sub(two[0]))
        .collect();
    if steps.iter().all(|step| *step == steps[0]) {
        return Some("The keys count up or down.".to_owned());
    }
    let ones = keys.iter().fold(0, |ones, key| ones | key);
    let zeros = keys.iter().fold(0, |zeros, key| zeros | !key);
    if ones & zeros != u32::MAX {
        return Some(format!(
            "The bits {:#010x} are always the same.",
            !(ones & zeros)
        ));
    }
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    // One pair can be chance.
    let again = keys.len() - sorted.len();
    (again > 1).then(|| format!("{again} keys came before."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn keys_that_can_be_guessed_are_found_out() {
        let mut random = Random::seeded(5);
        let good: Vec<u32> = (0..KEYS).map(|_| random.number() as u32).collect();
        assert_eq!(finding(&good), None);
        let like = |key: fn(u32, u32) -> u32| {
            let keys: Vec<u32> = (0..).zip(&good).map(|(at, good)| key(at, *good)).collect();
            finding(&keys)
        };
        assert_eq!(like(|_, _| 0).as_deref(), Some("All keys are 0x00000000."));
        assert_eq!(like(|_, _| 9).as_deref(), Some("All keys are 0x00000009."));
        assert_eq!(
            like(|at, _| at * 3).as_deref(),
            Some("The keys count up or down.")
        );
        let fixed_bit = like(|_, good| good | 1 << 31);
        assert_eq!(
            fixed_bit.as_deref(),
            Some("The bits 0x80000000 are always the same.")
        );
        assert!(like(|at, _| (at % 16).wrapping_mul(0x9E37_79B9) ^ (at % 2 * u32::MAX)).is_some());
        assert_eq!(
            finding(&good[1..]).as_deref(),
            Some("Only 255 frames were masked.")
        );
    }
}
