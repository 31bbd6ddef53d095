//! What a server answers to a request without credentials.

use cloverleaf_reports::Verdict;

use super::guarded;
use crate::authentication::{Algorithm, Element, Hash};
use crate::case::{Case, Challenged, Guarded, Scheme, Wants};

type Checked = Result<(), (Verdict, String)>;

pub(super) fn cases() -> Vec<Case> {
    let look = |check| Guarded::new(Scheme::Any).look(check);
    let digest = |check| Guarded::new(Scheme::Digest).look(check);
    let section = "RFC 7616 §3.3";
    vec![
        guarded(
            "A request without credentials",
            look(realms),
            "MUST: 401 with a challenge of each scheme; those of Basic, Digest and Bearer that \
             name a realm name it once.",
            "RFC 9110 §11.6.1, §15.5.2",
        ),
        guarded(
            "Where the 401 ends",
            look(framing),
            "MUST: the 401 has a Content-Length or Transfer-Encoding, or TCP ends behind it.",
            "RFC 9112 §6.3",
        ),
        guarded(
            "The connection behind the 401",
            look(persistence),
            "MUST: a server that says Connection: close ends TCP; one that does not say so keeps \
             the connection for the next try.",
            "RFC 9112 §9.3, §9.6",
        ),
        guarded(
            "What a challenge of Digest has",
            digest(whole),
            "MUST: a realm, a nonce and a qop with auth or auth-int.",
            section,
        ),
        guarded(
            "What is quoted in a challenge of Digest, and what is not",
            digest(quotes),
            "MUST: realm, domain, nonce, opaque and qop are quoted, stale and algorithm are not.",
            section,
        ),
        guarded(
            "The order of several challenges of Digest",
            digest(order),
            "SHOULD: the algorithm that is preferred comes first, and MD5 is the last choice.",
            "RFC 7616 §3.7",
        ),
        guarded(
            "Several challenges of Digest have different algorithms",
            digest(different),
            "MUST: no algorithm comes twice.",
            "RFC 7616 §3.7",
        ),
        guarded(
            "Nonces are not used again",
            digest(fresh),
            "SHOULD: two requests get different nonces.",
            section,
        ),
        guarded(
            "Nonces are long enough not to be guessed",
            digest(long),
            "SHOULD: a nonce has 16 characters at least.",
            "RFC 7616 §5.12",
        ),
        guarded(
            "Without credentials no nonce is stale",
            digest(not_stale),
            "SHOULD: the challenge does not say stale=true.",
            section,
        ),
        guarded(
            "An unknown scheme",
            Guarded::new(Scheme::Any)
                .visit(|_| vec!["Sesame open".to_owned()], Wants::RefusesForGood),
            "MUST: the request is refused.",
            "RFC 9110 §11.4",
        ),
        guarded(
            "An empty Authorization",
            Guarded::new(Scheme::Any).visit(|_| vec![String::new()], Wants::RefusesForGood),
            "MUST: the request is refused.",
            "RFC 9110 §11.6.2",
        ),
    ]
}

fn digests(challenges: &[Element]) -> impl Iterator<Item = &Element> {
    challenges.iter().filter(|challenge| challenge.is("Digest"))
}

fn failed(reason: impl Into<String>) -> Checked {
    Err((Verdict::Failed, reason.into()))
}

fn better(reason: impl Into<String>) -> Checked {
    Err((Verdict::NonStrict, reason.into()))
}

fn realms(seen: &Challenged) -> Checked {
    for challenge in &seen.challenges {
        let needs = challenge.is("Basic") || challenge.is("Digest");
        if needs && challenge.value("realm").is_none() {
            return failed(format!("{} has no realm", challenge.scheme));
        }
    }
    Ok(())
}

fn framing(seen: &Challenged) -> Checked {
    let mut told = ["Content-Length", "Transfer-Encoding"]
        .into_iter()
        .filter(|name| seen.head.values(name).next().is_some());
    match told.next().is_some() || seen.ended {
        true => Ok(()),
        false => failed("nobody can tell where the 401 ends"),
    }
}

fn persistence(seen: &Challenged) -> Checked {
    let closes = seen.head.lists("Connection", "close");
    match (closes, seen.ended) {
        (true, false) => failed("the server says that it closes, and does not"),
        (false, true) => failed("the server ends TCP without having said so"),
        _ => Ok(()),
    }
}

fn whole(seen: &Challenged) -> Checked {
    for challenge in digests(&seen.challenges) {
        for name in ["realm", "nonce"] {
            if challenge.value(name).is_none_or(str::is_empty) && name == "nonce"
                || challenge.value(name).is_none()
            {
                return failed(format!("a challenge of Digest has no {name}"));
            }
        }
        if !challenge.lists("qop", "auth") && !challenge.lists("qop", "auth-int") {
            return failed("a challenge of Digest has no qop that is known");
        }
    }
    Ok(())
}

fn quotes(seen: &Challenged) -> Checked {
    for challenge in digests(&seen.challenges) {
        for parameter in &challenge.parameters {
            let name = parameter.name.as_str();
            let right = match name {
                "realm" | "domain" | "nonce" | "opaque" | "qop" => parameter.quoted,
                "stale" | "algorithm" => !parameter.quoted,
                _ => true,
            };
            if !right {
                let not = if parameter.quoted { " not" } else { "" };
                return failed(format!("{name} must{not} be quoted"));
            }
        }
    }
    Ok(())
}

fn algorithm(challenge: &Element) -> Option<Algorithm> {
    match challenge.value("algorithm") {
        Some(name) => Algorithm::named(name),
        None => Some(Algorithm::MD5),
    }
}

fn order(seen: &Challenged) -> Checked {
    let known: Vec<_> = digests(&seen.challenges).filter_map(algorithm).collect();
    let weak = known
        .iter()
        .position(|algorithm| algorithm.hash == Hash::Md5);
    let strong = known
        .iter()
        .rposition(|algorithm| algorithm.hash != Hash::Md5);
    match (weak, strong) {
        (Some(weak), Some(strong)) if weak < strong => {
            better("MD5 comes before an algorithm that is stronger")
        }
        _ => Ok(()),
    }
}

fn different(seen: &Challenged) -> Checked {
    let mut names: Vec<_> = digests(&seen.challenges)
        .map(|challenge| {
            let realm = challenge.value("realm").unwrap_or_default();
            let name = challenge.value("algorithm").unwrap_or("MD5");
            (realm, name.to_ascii_uppercase())
        })
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => failed(format!("{} comes twice for one realm", pair[0].1)),
        None => Ok(()),
    }
}

fn fresh(seen: &Challenged) -> Checked {
    let nonces = |challenges| -> Vec<String> {
        digests(challenges)
            .filter_map(|challenge| challenge.value("nonce").map(str::to_owned))
            .collect()
    };
    let again = nonces(&seen.challenges_again);
    match nonces(&seen.challenges)
        .iter()
        .find(|nonce| again.contains(nonce))
    {
        Some(nonce) => better(format!("the nonce {nonce:?} is given out twice")),
        None => Ok(()),
    }
}

fn long(seen: &Challenged) -> Checked {
    let mut nonces = digests(&seen.challenges).filter_map(|challenge| challenge.value("nonce"));
    match nonces.find(|nonce| nonce.len() < 16) {
        Some(nonce) => better(format!("the nonce {nonce:?} is short")),
        None => Ok(()),
    }
}

fn not_stale(seen: &Challenged) -> Checked {
    match digests(&seen.challenges).any(|challenge| challenge.lists("stale", "true")) {
        true => better("the challenge says stale=true, and there was no nonce"),
        false => Ok(()),
    }
}
