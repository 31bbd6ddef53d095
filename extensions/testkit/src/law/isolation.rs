//! Connections know nothing of each other.

use core::fmt;

use cloverleaf_proto::Role;

use crate::pair::{Cut, Pair, Settings, side};
use crate::random::Random;
use crate::sample::Sample;
use crate::subject::{ROLES, Subject, guard, negotiate};
use crate::trial::{Call, Step, Talk, shortest};

/// Meetings of several connections, per offer.
const MEETINGS: u64 = 24;

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    for pairing in subject.pairings()? {
        for number in 0..MEETINGS {
            subject.trial(String::new());
            let mut random = Random::new(subject.seed ^ 0x150 ^ number);
            let mut steps = vec![
                (
                    0,
                    Step::send(Role::Client, Sample::text("Hello Hello Hello")),
                ),
                (
                    1,
                    Step::send(Role::Client, Sample::text("another connection")),
                ),
                (
                    0,
                    Step::send(Role::Client, Sample::text("Hello Hello Hello")),
                ),
            ];
            if number > 0 {
                steps = (0..4 + random.below(8))
                    .map(|_| (random.below(2), Step::random(&mut random, 300)))
                    .collect();
            }
            let meeting = Meeting {
                pairing,
                steps,
                seed: random.next(),
                shared: if number % 4 < 2 {
                    Role::Server
                } else {
                    Role::Client
                },
                crash: number % 2 == 1,
            };
            let run = |meeting: &Meeting| guard(|| meeting.run(subject)).and_then(|went| went);
            if let Err(first) = run(&meeting) {
                let (meeting, went) = shortest(meeting, first, Meeting::simpler, run);
                return Err(format!("{meeting}\n  {went}"));
            }
        }
    }
    Ok(())
}

/// Two connections at once, which have one end's configuration in common.
#[derive(Clone)]
struct Meeting {
    pairing: usize,
    steps: Vec<(usize, Step)>,
    /// How the calls of the two are interleaved.
    seed: u64,
    /// The end that they have in common; at the other end each has its own.
    shared: Role,
    /// A third connection ends in garbage, in the middle of a message.
    crash: bool,
}

impl fmt::Display for Meeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shared = side(self.shared);
        if self.steps.is_empty() {
            write!(f, "  connections of one {shared}, one behind the other:")?;
        } else {
            write!(f, "  two connections of one {shared}, at once:")?;
        }
        for (number, step) in &self.steps {
            write!(f, "\n  connection {}: {step}", number + 1)?;
        }
        if self.crash {
            write!(f, "\n  and a third one that ends in garbage")?;
        }
        Ok(())
    }
}

impl Meeting {
    fn run(&self, subject: &Subject) -> Result<(), String> {
        let shared = subject.side(self.shared)?;
        let name = subject.name()?;
        let open = || {
            let other = subject.side(self.shared.peer())?;
            let (client, server) = match self.shared {
                Role::Client => (&shared, &other),
                Role::Server => (&other, &shared),
            };
            let negotiated = negotiate(client, server, &name, self.pairing)?;
            Ok::<_, String>(Talk::new(Pair::new(
                negotiated,
                Settings::default(),
                Cut::Whole,
            )))
        };
        let mut talks = [open()?, open()?];
        // The calls of each connection stay in order, and those of both are shuffled.
        let mut calls: [Vec<(&Step, Call)>; 2] = Default::default();
        for (number, step) in self.steps.iter().rev() {
            calls[*number].extend(step.calls().into_iter().rev().map(|call| (step, call)));
        }
        let mut random = Random::new(self.seed);
        let mut crash = self.crash;
        while calls.iter().any(|calls| !calls.is_empty()) {
            let number = random.below(2);
            let Some((step, call)) = calls[number].pop() else {
                continue;
            };
            talks[number]
                .call(step, call, false)
                .map_err(|went| format!("connection {}: {went}", number + 1))?;
            if core::mem::take(&mut crash) {
                let mut third = open()?;
                // Whether the first part arrives does not matter, nor what becomes of the rest.
                let from = self.shared.peer();
                let step = Step::send(from, Sample::text("never finished")).in_parts(vec![5]);
                if let Some(call) = step.calls().into_iter().next() {
                    let _ = third.call(&step, call, false);
                }
                third.pair.garble(self.shared, &random.octets(40));
            }
        }
        // What they leave behind must not trouble those that come later.
        drop(talks);
        for number in 1..=2 {
            let mut later = open()?;
            for from in ROLES {
                let step = Step::send(from, Sample::text("Hello Hello Hello"));
                later.step(&step, false).map_err(|went| {
                    format!("later connection {number}, in which {step}: {went}")
                })?;
            }
        }
        Ok(())
    }

    fn simpler(&self) -> Vec<Self> {
        let mut all = Vec::new();
        if self.crash {
            all.push(Self {
                crash: false,
                ..self.clone()
            });
        }
        for i in 0..self.steps.len() {
            let mut simpler = self.clone();
            simpler.steps.remove(i);
            all.push(simpler);
        }
        all
    }
}
