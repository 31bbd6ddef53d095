//! A conversation between two ends, what must come of it, and the shortest one that goes wrong.

use core::fmt;

use bytes::Bytes;
use cloverleaf_proto::Role;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::message::{Kind, Message};

use crate::pair::{Cut, Pair, Settings, side};
use crate::random::Random;
use crate::sample::{Octets, Sample, short};
use crate::subject::{ROLES, Subject, guard, negotiate};

/// One thing an application does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: Role,
    pub(crate) sample: Sample,
    pub(crate) hints: Hints,
    /// Sent in parts of these lengths and one with the rest.
    pub(crate) parts: Option<Vec<usize>>,
}

impl Step {
    pub(crate) fn send(from: Role, sample: Sample) -> Self {
        Self {
            from,
            sample,
            hints: Hints::new(),
            parts: None,
        }
    }

    pub(crate) fn in_parts(self, parts: Vec<usize>) -> Self {
        Self {
            parts: Some(parts),
            ..self
        }
    }

    pub(crate) fn with_hints(self, hints: Hints) -> Self {
        Self { hints, ..self }
    }

    pub(crate) fn random(random: &mut Random, most: usize) -> Self {
        let from = *random.pick(&ROLES);
        let sample = match random.below(4) {
            0 => random.pick(&short()).clone(),
            _ => {
                let n = random.below(most);
                Sample::random(random, n)
            }
        };
        let mut step = Self::send(from, sample);
        step.hints = any_hints(random);
        if random.one_in(3) {
            let n = step.sample.payload.len();
            let parts = (0..1 + random.below(4)).map(|_| random.below(n / 2 + 2));
            step.parts = Some(parts.collect());
        }
        step
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} sends {}", side(self.from), self.sample)?;
        if let Some(parts) = &self.parts {
            write!(f, " in parts of {parts:?} octets and the rest")?;
        }
        f.write_str(&wishes(self.hints))
    }
}

/// No wishes most often.
pub(crate) fn any_hints(random: &mut Random) -> Hints {
    let hints = match random.below(3) {
        0 => Hints::new().do_not_compress(),
        _ => Hints::new(),
    };
    match random.below(16) {
        number @ 0..4 => hints.flag(number as u8),
        _ => hints,
    }
}

/// What was wished for a message, behind it in a story.
pub(crate) fn wishes(hints: Hints) -> String {
    let mut said = String::new();
    if !hints.may_compress() {
        said.push_str(", not to be compressed");
    }
    for number in (0..4).filter(|number| hints.has_flag(*number)) {
        said.push_str(&format!(", with flag {number}"));
    }
    said
}

/// A whole conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    /// Which of the own offers was agreed on.
    pub(crate) pairing: usize,
    pub(crate) script: Vec<Step>,
    /// The largest fragment; `None`: not fragmented.
    pub(crate) fragment: Option<usize>,
    pub(crate) cut: Cut,
    /// Pings between the fragments.
    pub(crate) pings: bool,
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.script {
            writeln!(f, "  {step}")?;
        }
        if let Some(size) = self.fragment {
            writeln!(f, "  in fragments of {size}")?;
        }
        if self.pings {
            writeln!(f, "  with pings between the frames")?;
        }
        write!(f, "  {}", self.cut)?;
        if self.pairing > 0 {
            write!(f, "\n  agreed on offer {}", self.pairing + 1)?;
        }
        Ok(())
    }
}

/// At most so many pings behind one step.
const PINGS: u8 = 12;

/// Two connections at work, and what was said in them so far.
pub(crate) struct Talk {
    pub(crate) pair: Pair,
    said: [Vec<(Kind, Bytes)>; 2],
    pinged: [Vec<Bytes>; 2],
}

/// One call of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Whole,
    Part { payload: Bytes, fin: bool },
}

impl Step {
    /// The calls that make the step.
    pub(crate) fn calls(&self) -> Vec<Call> {
        let Some(parts) = &self.parts else {
            return vec![Call::Whole];
        };
        let mut rest = self.sample.payload.clone();
        let mut calls = Vec::new();
        for part in parts {
            let payload = rest.split_to((*part).min(rest.len()));
            calls.push(Call::Part {
                payload,
                fin: false,
            });
        }
        calls.push(Call::Part {
            payload: rest,
            fin: true,
        });
        calls
    }
}

impl Talk {
    pub(crate) fn new(pair: Pair) -> Self {
        Self {
            pair,
            said: Default::default(),
            pinged: Default::default(),
        }
    }

    /// Does one step and compares what was heard with what was said.
    pub(crate) fn step(&mut self, step: &Step, pings: bool) -> Result<(), String> {
        for call in step.calls() {
            self.call(step, call, pings)?;
        }
        Ok(())
    }

    /// One call of a step. Behind the last one, compares.
    pub(crate) fn call(&mut self, step: &Step, call: Call, pings: bool) -> Result<(), String> {
        let Step {
            from,
            sample,
            hints,
            ..
        } = step;
        let connection = &mut self.pair.end(*from).connection;
        let (sent, ended) = match call {
            Call::Whole => {
                let message = match sample.kind {
                    Kind::Text => Message::text(
                        core::str::from_utf8(&sample.payload).map_err(|error| error.to_string())?,
                    ),
                    Kind::Binary => Message::binary(sample.payload.clone()),
                };
                (connection.send(message, *hints), true)
            }
            Call::Part { payload, fin } => {
                (connection.send_part(sample.kind, payload, fin, *hints), fin)
            }
        };
        sent.map_err(|error| format!("the {} cannot send: {error}", side(*from)))?;
        let number = usize::from(*from == Role::Server);
        let pings = self.pair.settle(*from, if pings { PINGS } else { 0 })?;
        self.pinged[number].extend(pings);
        if ended {
            self.said[number].push((sample.kind, sample.payload.clone()));
        }
        self.look(*from)
    }

    /// Compares what was said by this end with what was heard of it.
    pub(crate) fn look(&mut self, from: Role) -> Result<(), String> {
        if let Some(trouble) = self.pair.trouble() {
            return Err(trouble);
        }
        let number = usize::from(from == Role::Server);
        let heard = &self.pair.end(from.peer()).heard;
        compare(from, &self.said[number], &heard.messages)?;
        let pinged = &self.pinged[number];
        if heard.pings != *pinged {
            let (sent, came) = (pinged.len(), heard.pings.len());
            return Err(format!(
                "of {sent} pings of the {}, {came} came, or not as they were sent",
                side(from)
            ));
        }
        Ok(())
    }
}

fn compare(from: Role, said: &[(Kind, Bytes)], heard: &[(Kind, Bytes)]) -> Result<(), String> {
    for (i, (said, heard)) in said.iter().zip(heard).enumerate() {
        if said != heard {
            return Err(format!(
                "message {} of the {} was {} and came as {}{}",
                i + 1,
                side(from),
                Octets(&said.1),
                Octets(&heard.1),
                difference(&said.1, &heard.1),
            ));
        }
    }
    if said.len() == heard.len() {
        return Ok(());
    }
    let (sent, came) = (said.len(), heard.len());
    Err(format!(
        "of {sent} messages of the {}, {came} came",
        side(from)
    ))
}

/// Where two payloads begin to differ.
pub(crate) fn difference(said: &[u8], heard: &[u8]) -> String {
    let same = said.iter().zip(heard).take_while(|(a, b)| a == b).count();
    let (n, m) = (said.len(), heard.len());
    format!(" (lengths {n} and {m}; they differ from octet {same} on)")
}

impl Trial {
    /// A script of one step, as it was written, in one piece.
    pub(crate) fn of(pairing: usize, script: Vec<Step>) -> Self {
        Self {
            pairing,
            script,
            fragment: None,
            cut: Cut::Whole,
            pings: false,
        }
    }

    /// Any conversation, of messages up to `most` octets.
    pub(crate) fn random(pairing: usize, random: &mut Random, most: usize) -> Self {
        let steps = 2 + random.below(10);
        let fragment = match random.below(3) {
            0 => None,
            1 => Some(1 + random.below(20) + most / 50),
            _ => Some(1 + random.below(most)),
        };
        let cut = match random.below(3) {
            0 => Cut::Whole,
            1 => Cut::Octets,
            _ => Cut::Random {
                seed: random.next(),
                most: 1 + random.below(most),
            },
        };
        Self {
            pairing,
            script: (0..steps).map(|_| Step::random(random, most)).collect(),
            fragment,
            cut,
            pings: random.one_in(2),
        }
    }

    /// Holds it on two fresh connections.
    pub(crate) fn run(&self, subject: &Subject) -> Result<(), String> {
        guard(|| {
            let (client, server) = (subject.side(Role::Client)?, subject.side(Role::Server)?);
            let name = subject.name()?;
            let negotiated = negotiate(&client, &server, &name, self.pairing)?;
            let mut settings = Settings::default();
            if let Some(size) = self.fragment {
                settings.out_fragment = size;
            }
            let mut talk = Talk::new(Pair::new(negotiated, settings, self.cut.clone()));
            self.script
                .iter()
                .try_for_each(|step| talk.step(step, self.pings))
        })
        .and_then(|result| result)
    }

    /// Runs it as a trial of the subject. If it goes wrong, the story is that of the simplest
    /// conversation that does.
    pub(crate) fn check(&self, subject: &Subject) -> Result<(), String> {
        subject.trial(String::new());
        let Err(first) = self.run(subject) else {
            return Ok(());
        };
        let (trial, went) = shortest(self.clone(), first, simpler, |trial| trial.run(subject));
        Err(format!("{trial}\n  {went}"))
    }
}

/// At most so many attempts to make a story shorter.
const ATTEMPTS: usize = 300;

/// The simplest case, step by step, that still goes wrong.
pub(crate) fn shortest<T>(
    mut case: T,
    mut went: String,
    simpler: impl Fn(&T) -> Vec<T>,
    run: impl Fn(&T) -> Result<(), String>,
) -> (T, String) {
    let mut attempts = 0;
    'again: loop {
        for candidate in simpler(&case) {
            attempts += 1;
            if attempts > ATTEMPTS {
                return (case, went);
            }
            if let Err(story) = run(&candidate) {
                (case, went) = (candidate, story);
                continue 'again;
            }
        }
        return (case, went);
    }
}

/// Conversations a step simpler than this one, the boldest first.
fn simpler(trial: &Trial) -> Vec<Trial> {
    let mut all = Vec::new();
    let n = trial.script.len();
    if n > 2 {
        let (front, back) = trial.script.split_at(n / 2);
        for script in [front, back] {
            all.push(Trial {
                script: script.to_vec(),
                ..trial.clone()
            });
        }
    }
    for i in 0..if n > 1 { n } else { 0 } {
        let mut simpler = trial.clone();
        simpler.script.remove(i);
        all.push(simpler);
    }
    if trial.pings {
        all.push(Trial {
            pings: false,
            ..trial.clone()
        });
    }
    if trial.fragment.is_some() {
        all.push(Trial {
            fragment: None,
            ..trial.clone()
        });
    }
    if trial.cut != Cut::Whole {
        all.push(Trial {
            cut: Cut::Whole,
            ..trial.clone()
        });
    }
    for (i, step) in trial.script.iter().enumerate() {
        let mut with = |step: Step| {
            let mut simpler = trial.clone();
            simpler.script[i] = step;
            all.push(simpler);
        };
        if let Some(half) = step.sample.half() {
            with(Step {
                sample: half,
                ..step.clone()
            });
        }
        if let Some(parts) = &step.parts {
            with(Step {
                parts: None,
                ..step.clone()
            });
            if parts.len() > 1 {
                with(step.clone().in_parts(parts[1..].to_vec()));
            }
        }
        if step.hints != Hints::new() {
            with(step.clone().with_hints(Hints::new()));
        }
    }
    all
}
