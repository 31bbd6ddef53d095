//! What is measured against a network that is known.

use std::time::Duration;

use cloverleaf_heartbeat::{Figures, Latency, Resolution};

use crate::{End, both_ways, ends};

/// One beat at `now`, so many microseconds there and back; the other clock is `ahead`.
fn beat(asker: &mut End, other: &mut End, now: u64, there: u64, back: u64, ahead: i64) -> Latency {
    asker.clock.set(now);
    asker.send_beat();
    let seen = (now + there).checked_add_signed(ahead);
    other
        .clock
        .set(seen.expect("the test keeps to times there are"));
    other.input(&asker.output());
    asker.clock.set(now + there + back);
    let events = asker.input(&other.output());
    asker.beats.measure(&events[0]).expect("it is an answer")
}

fn micros(time: Duration) -> u128 {
    time.as_micros()
}

#[test]
fn the_shortest_round_trip_gives_the_offset_and_jitter_is_the_mean_step() {
    both_ways(|_, mut asker, mut other| {
        assert_eq!(asker.beats.figures(), None);
        let ahead = 3_000_000;
        for (n, (there, back)) in [(500, 500), (9500, 500), (400, 400), (400, 2000)]
            .into_iter()
            .enumerate()
        {
            let now = 1_000_000 * (1 + n as u64);
            beat(&mut asker, &mut other, now, there, back, ahead);
        }
        let figures = asker.beats.figures().expect("four answers");
        let Figures {
            answers,
            last,
            shortest,
            longest,
            jitter,
            offset,
            ..
        } = figures;
        assert_eq!(answers, 4);
        let all = [last, shortest, longest, jitter].map(micros);
        assert_eq!(all, [2400, 800, 10_000, (9000 + 9200 + 1600) / 3]);
        assert_eq!(offset.micros(), ahead, "ways alike: no error");
        assert_eq!(micros(offset.error()), 400);
        assert_eq!(
            figures.to_string(),
            "round trip 2.400 ms (shortest 0.800 ms, longest 10.000 ms, jitter 6.600 ms, \
             4 answers), offset +3000.000 ms \u{b1} 0.400 ms"
        );
    });
}

#[test]
fn figures_are_of_the_last_eight_answers() {
    both_ways(|_, mut asker, mut other| {
        beat(&mut asker, &mut other, 1_000_000, 1, 1, 0);
        for n in 2..10 {
            beat(&mut asker, &mut other, n * 1_000_000, 50, 50, -7);
        }
        let figures = asker.beats.figures().expect("nine answers");
        assert_eq!((figures.answers, micros(figures.shortest)), (8, 100));
        assert!(figures.jitter.is_zero());
        assert_eq!(figures.offset.micros(), -7);
        assert_eq!(figures.offset.to_string(), "-0.007 ms \u{b1} 0.050 ms");
    });
}

#[test]
fn the_true_offset_is_always_within_the_error() {
    let mut state = 7_u64;
    let mut below = |end: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % end
    };
    let kinds = [Resolution::Microseconds, Resolution::Milliseconds];
    for (ours, theirs) in kinds.into_iter().flat_map(|a| kinds.map(|b| (a, b))) {
        let [mut client, mut server] = ends([ours, theirs]);
        let mut now = 10_000_000;
        for _ in 0..500 {
            now += below(1_000_000);
            let (there, back) = (below(5000), below(5000));
            let ahead = below(8_000_000) as i64 - 4_000_000;
            let latency = beat(&mut client, &mut server, now, there, back, ahead);
            // The round trip is exact, however coarse the times on the wire are.
            assert_eq!(micros(latency.round_trip()), u128::from(there + back));
            let off = latency.offset().micros().abs_diff(ahead);
            let error = micros(latency.offset().error());
            assert!(u128::from(off) <= error, "{off} and {error}: {latency:?}");
            let hidden = if theirs == Resolution::Milliseconds {
                999
            } else {
                0
            };
            assert_eq!(error, u128::from(there + back + hidden).div_ceil(2));
        }
    }
}

#[test]
fn an_answer_gives_up_the_beats_before_it() {
    both_ways(|_, mut asker, mut other| {
        asker.send_beat();
        let lost = asker.output();
        asker.send_beat();
        other.input(&asker.output());
        let events = asker.input(&other.output());
        let latency = asker.beats.measure(&events[0]).expect("it is an answer");
        assert_eq!((latency.sequence(), asker.beats.unanswered()), (1, 0));
        other.input(&lost);
        assert_eq!(asker.input(&other.output()), [], "it comes too late");
    });
}
