//! Other extensions may stand before and behind.

use cloverleaf_proto::Role;
use cloverleaf_proto::extension::{
    Conflict, Extension, Extensions, Hints, Negotiated, Offer, Order, Params, Refused, Stage, Why,
};
use cloverleaf_proto::frame::Rsv;

use crate::pair::{Cut, Pair, Settings};
use crate::probe::Probe;
use crate::random::Random;
use crate::sample::{Sample, prose, short};
use crate::subject::{ROLES, Subject, guard, negotiate};
use crate::trial::{Step, Talk};

/// Others before and behind the extension under test.
struct Stack {
    before: Vec<Probe>,
    behind: Vec<Probe>,
    /// One that is never negotiated, at the application's side.
    local: bool,
}

pub(super) fn check(subject: &Subject) -> Result<(), String> {
    let stage = subject.claims()?.stage();
    let bits = subject.claims()?.bits();
    let name = subject.name()?;
    let free: Vec<Rsv> = [Rsv::RSV1, Rsv::RSV2, Rsv::RSV3]
        .into_iter()
        .filter(|bit| !bits.contains(*bit))
        .collect();
    // The first two get bits of their own where there are any left.
    let bit = |i: usize| free.get(i).copied().unwrap_or(Rsv::NONE);
    let probe = |name, stage, i, mark| Probe {
        name,
        stage,
        bit: bit(i),
        mark,
    };
    let first = probe("x-probe-first", Stage::Message, 0, b'1');
    let last = probe("x-probe-last", Stage::Frame, 1, b'2');
    let message = probe("x-probe-message", Stage::Message, 2, b'3');
    let frame = probe("x-probe-frame", Stage::Frame, 2, b'4');
    let stack = |before: &[Probe], behind: &[Probe]| Stack {
        before: before.to_vec(),
        behind: behind.to_vec(),
        local: false,
    };
    let local = Stack {
        local: true,
        ..stack(&[], &[])
    };
    let stacks = match stage {
        Stage::Message => vec![
            stack(&[first], &[]),
            stack(&[], &[message]),
            stack(&[], &[last]),
            stack(&[first], &[message, last]),
        ],
        Stage::Frame => vec![
            stack(&[first], &[]),
            stack(&[frame], &[]),
            stack(&[], &[last]),
            stack(&[first, frame], &[last]),
        ],
        Stage::Carrier => vec![stack(&[first], &[])],
    };
    for pairing in subject.pairings()? {
        for stack in stacks.iter().chain([&local]) {
            talk(subject, &name, pairing, [stack, stack], Order::Client)?;
        }
        // The order of the answer counts, whoever chose it.
        let one = match stage {
            Stage::Frame => Some(frame),
            Stage::Message => Some(first),
            Stage::Carrier => None,
        };
        if let Some(one) = one {
            let sides = [&stack(&[one], &[]), &stack(&[], &[one])];
            for order in [Order::Client, Order::Server] {
                talk(subject, &name, pairing, sides, order)?;
            }
        }
    }
    if stage != Stage::Frame {
        refused(subject, &name, frame, Conflict::Order)?;
    }
    if !bits.is_empty() {
        let rival = Probe { bit: bits, ..first };
        refused(subject, &name, rival, Conflict::ReservedBit(bits))?;
    }
    Ok(())
}

fn shown(stack: &Stack, name: &str) -> Vec<String> {
    let names = |probes: &[Probe]| probes.iter().map(|probe| probe.name.to_owned()).collect();
    let before: Vec<String> = names(&stack.before);
    let behind: Vec<String> = names(&stack.behind);
    [before, vec![name.to_owned()], behind].concat()
}

/// What one end registers.
fn endpoint(subject: &Subject, role: Role, stack: &Stack) -> Result<Extensions, String> {
    let all = subject.stack(role, &stack.before, &stack.behind)?;
    if !stack.local {
        return Ok(all);
    }
    all.with_local(LOCAL.name, || {
        LOCAL
            .accept(&Params::new())
            .expect("a probe accepts an offer without parameters")
    })
    .map_err(|error| error.to_string())
}

const LOCAL: Probe = Probe {
    name: "x-probe-local",
    stage: Stage::Message,
    bit: Rsv::NONE,
    mark: b'0',
};

/// A conversation in such company.
fn talk(
    subject: &Subject,
    name: &str,
    pairing: usize,
    [client, server]: [&Stack; 2],
    order: Order,
) -> Result<(), String> {
    let expected = match order {
        Order::Client => shown(client, name),
        Order::Server => shown(server, name),
    };
    let beside = if client.local {
        ", beside a local codec"
    } else {
        ""
    };
    let what = format!("agreed on {}{beside}", expected.join(", "));
    let mut random = Random::new(subject.seed ^ 0xC0);
    let mut script: Vec<Step> = Vec::new();
    for from in ROLES {
        for sample in short() {
            script.push(Step::send(from, sample.clone()));
            script.push(Step::send(from, sample).in_parts(vec![1, 0, 2]));
        }
        let secret = Hints::new().do_not_compress();
        script.push(Step::send(from, Sample::text(prose(2000))).with_hints(secret));
        script.push(Step::send(from, Sample::text(prose(2000))));
        script.push(Step::send(from, Sample::binary(random.octets(3000))));
    }
    let cuts = [
        (Cut::Whole, None),
        (Cut::Octets, Some(100)),
        (
            Cut::Random {
                seed: random.next(),
                most: 300,
            },
            Some(7),
        ),
    ];
    for (cut, fragment) in cuts {
        subject.trial(&*what);
        let client = endpoint(subject, Role::Client, client)?;
        let server = endpoint(subject, Role::Server, server)?.order(order);
        let negotiated = negotiate(&client, &server, name, pairing)
            .map_err(|story| format!("{what}:\n  {story}"))?;
        let agreed: Vec<&str> = negotiated[1]
            .agreed()
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        if agreed != expected {
            return Err(format!(
                "{what} was expected, and it is {}",
                agreed.join(", ")
            ));
        }
        let mut settings = Settings::default();
        if let Some(size) = fragment {
            settings.out_fragment = size;
        }
        let mut talk = Talk::new(Pair::new(negotiated, settings, cut));
        for step in &script {
            guard(|| talk.step(step, fragment.is_some()))
                .and_then(|went| went)
                .map_err(|went| format!("{what}:\n  {step}\n  {went}"))?;
        }
    }
    Ok(())
}

/// Behind this one, the extension is refused for this reason, by either side.
fn refused(subject: &Subject, name: &str, before: Probe, why: Conflict) -> Result<(), String> {
    let what = format!("offered {}, {name}", before.name);
    subject.trial(&*what);
    let side = |role| subject.stack(role, &[before], &[]);
    let (client, server) = (side(Role::Client)?, side(Role::Server)?);
    let offers = Negotiated::offers(&client);
    let accepted = Negotiated::accept(&server, offers.clone());
    let conflict = accepted
        .skipped()
        .iter()
        .find(|skipped| skipped.offer.name == name)
        .map(|skipped| skipped.why.clone());
    if conflict != Some(Why::Conflict(why)) {
        return Err(format!(
            "{what}: refused for {why:?} was expected, and it is {conflict:?}"
        ));
    }
    match Negotiated::confirm(&client, answers(&client, &offers, name)) {
        Err(Refused::Conflict(refused, conflict)) if refused == name && conflict == why => Ok(()),
        other => Err(format!(
            "{what}: an answer with both is not refused for {why:?}: {other:?}"
        )),
    }
}

/// An answer that takes one of each.
fn answers(client: &Extensions, offers: &[Offer], name: &str) -> Vec<Offer> {
    let of = |name: &str| offers.iter().find(|offer| offer.name == name).cloned();
    client
        .iter()
        .map(|one| of(one.name()).unwrap_or_else(|| Offer::new(name, Params::new())))
        .collect()
}
