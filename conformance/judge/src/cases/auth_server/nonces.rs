//! Nonces of Digest, and how often each may be used.

use cloverleaf_reports::Verdict;

use super::guarded;
use crate::authentication::{Inputs, quoted};
use crate::case::{Case, Compose, Guarded, Known, Scheme, Wants};

const SECTION: &str = "RFC 7616 §3.4, §5.4, §5.5";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = forged();
    cases.extend(counts());
    cases.extend(replays());
    cases
}

fn nonce(known: &Known<'_>, alter: fn(&str) -> String) -> Vec<String> {
    known.digest(|inputs| inputs.nonce = alter(&inputs.nonce), |_, _| ())
}

fn forged() -> Vec<Case> {
    let forged = "MUST: a nonce that the server did not make is refused, and is not stale.";
    let forgeries: [(&str, Compose); 9] = [
        ("A nonce that was made up", |known| {
            nonce(known, |_| "dcd98b7102dd2f0e8b11d0f600bfb0c093".to_owned())
        }),
        ("An empty nonce", |known| nonce(known, |_| String::new())),
        ("The nonce without its last character", |known| {
            nonce(known, |nonce| nonce[..nonce.len() - 1].to_owned())
        }),
        ("The nonce with a character more", |known| {
            nonce(known, |nonce| format!("{nonce}A"))
        }),
        ("The nonce with its first character altered", |known| {
            nonce(known, |nonce| altered(nonce, 0))
        }),
        (
            "The nonce with a character in its middle altered",
            |known| nonce(known, |nonce| altered(nonce, nonce.len() / 2)),
        ),
        ("The nonce with a character near its end altered", |known| {
            nonce(known, |nonce| altered(nonce, nonce.len().saturating_sub(4)))
        }),
        ("A nonce of 4 KiB", |known| {
            nonce(known, |_| "A".repeat(4 << 10))
        }),
        ("A nonce with a quote and a backslash", |known| {
            nonce(known, |nonce| format!("{nonce}\"\\"))
        }),
    ];
    forgeries
        .into_iter()
        .map(|(title, sends)| {
            guarded(
                title,
                Guarded::new(Scheme::Digest).visit(sends, Wants::RefusesForGood),
                forged,
                SECTION,
            )
        })
        .collect()
}

/// The nonce with another character there; it stays base 64 or hexadecimal.
fn altered(nonce: &str, at: usize) -> String {
    let mut chars: Vec<_> = nonce.chars().collect();
    if let Some(char) = chars.get_mut(at) {
        *char = if *char == '0' { '1' } else { '0' };
    }
    chars.into_iter().collect()
}

fn counts() -> Vec<Case> {
    let eight = "MUST: nc has eight hexadecimal digits.";
    let wrong: [(&str, Compose); 5] = [
        ("nc=1", |known| count(known, "1")),
        ("nc=+0000001", |known| count(known, "+0000001")),
        ("nc of nine digits", |known| count(known, "000000001")),
        ("nc is no number", |known| count(known, "zzzzzzzz")),
        ("nc=00000000", |known| count(known, "00000000")),
    ];
    let mut cases: Vec<_> = wrong
        .into_iter()
        .map(|(title, sends)| {
            let plan = Guarded::new(Scheme::Digest)
                .visit(sends, Wants::RefusesForGood)
                .otherwise(Verdict::NonStrict);
            guarded(title, plan, eight, "RFC 7616 §3.4")
        })
        .collect();
    cases.push(guarded(
        "nc in the response is another than the one that is sent",
        Guarded::new(Scheme::Digest).visit(
            |known| known.digest(|_| (), |written, _| written.set("nc", "00000002")),
            Wants::RefusesForGood,
        ),
        "MUST: the server refuses.",
        "RFC 7616 §3.4.1",
    ));
    cases.push(guarded(
        "nc=ffffffff, then nc=00000000 with the same nonce",
        Guarded::new(Scheme::Digest)
            .visit(|known| count(known, "ffffffff"), Wants::OpensOrRefuses)
            .visit_anew(
                |known| repeated(known, |inputs| inputs.nc = "00000000".to_owned()),
                Wants::Refuses,
            )
            .otherwise(Verdict::NonStrict),
        "SHOULD: a count that runs over is refused.",
        SECTION,
    ));
    cases
}

fn count(known: &Known<'_>, nc: &str) -> Vec<String> {
    known.digest(|inputs| nc.clone_into(&mut inputs.nc), |_, _| ())
}

fn replays() -> Vec<Case> {
    let once = "SHOULD: what was used is refused, with stale=true if the response was right.";
    let right: Compose = |known| known.digest(|_| (), |_, _| ());
    let again: Compose = |known| known.sent.first().cloned().unwrap_or_default();
    let first = |wants| Guarded::new(Scheme::Digest).visit(right, wants);
    let replay = |plan: Guarded, sends: Compose, wants| {
        plan.visit_anew(sends, wants).otherwise(Verdict::NonStrict)
    };
    vec![
        guarded(
            "The same credentials again, on another connection",
            replay(first(Wants::Opens), again, Wants::Stale),
            once,
            SECTION,
        ),
        guarded(
            "The same credentials a third time, on another connection",
            {
                let plan = replay(first(Wants::Opens), again, Wants::Refuses);
                replay(plan, again, Wants::Refuses)
            },
            once,
            SECTION,
        ),
        guarded(
            "The same nonce and nc with another cnonce and its right response",
            replay(
                first(Wants::Opens),
                |known| repeated(known, |inputs| inputs.cnonce = "ffffffff".to_owned()),
                Wants::Refuses,
            ),
            once,
            SECTION,
        ),
        guarded(
            "The same nonce with nc=00000002 and its right response",
            first(Wants::Opens)
                .visit_anew(
                    |known| repeated(known, |inputs| inputs.nc = "00000002".to_owned()),
                    Wants::Opens,
                )
                .otherwise(Verdict::Informational),
            "Open: a server may let a nonce be used once only.",
            SECTION,
        ),
        guarded(
            "The same nonce with nc=00000005, then 00000005 again",
            {
                let five: Compose = |known| count(known, "00000005");
                let plan = Guarded::new(Scheme::Digest).visit(five, Wants::OpensOrRefuses);
                replay(plan, again, Wants::Refuses)
            },
            once,
            SECTION,
        ),
        guarded(
            "nc=00000003, then 00000001 twice, with the same nonce",
            {
                let three: Compose = |known| count(known, "00000003");
                let one: Compose =
                    |known| repeated(known, |inputs| inputs.nc = "00000001".to_owned());
                let plan = Guarded::new(Scheme::Digest)
                    .visit(three, Wants::OpensOrRefuses)
                    .visit_anew(one, Wants::OpensOrRefuses);
                replay(plan, one, Wants::Refuses)
            },
            once,
            SECTION,
        ),
        guarded(
            "A wrong response does not use a nonce up",
            Guarded::new(Scheme::Digest)
                .visit(
                    |known| known.digest(|_| (), |written, _| written.set("response", quoted("0"))),
                    Wants::RefusesForGood,
                )
                .visit_anew(
                    |known| {
                        // The challenge is a new one; the credentials are for the first.
                        let before = known.sent.first().map(|values| values.concat());
                        let nonce = before.as_deref().and_then(nonce_of).unwrap_or_default();
                        known.digest(|inputs| inputs.nonce = nonce, |_, _| ())
                    },
                    Wants::Opens,
                )
                .otherwise(Verdict::Informational),
            "Open: a server may give a new nonce for each try.",
            SECTION,
        ),
        guarded(
            "The nonce of a used challenge with a wrong response",
            replay(
                first(Wants::Opens),
                |known| repeated(known, |inputs| inputs.password.push('x')),
                Wants::RefusesForGood,
            )
            .otherwise(Verdict::Failed),
            "MUST: the server refuses; SHOULD: it does not say stale=true, since more is wrong.",
            "RFC 7616 §3.3",
        ),
    ]
}

/// Credentials for the nonce of the first visit, of which something is another.
fn repeated(known: &Known<'_>, change: fn(&mut Inputs)) -> Vec<String> {
    let before = known.sent.first().map(|values| values.concat());
    let nonce = before.as_deref().and_then(nonce_of).unwrap_or_default();
    known.digest(
        |inputs| {
            inputs.nonce = nonce;
            change(inputs);
        },
        |_, _| (),
    )
}

fn nonce_of(credentials: &str) -> Option<String> {
    let all = crate::authentication::elements(credentials).ok()?;
    all.first()?.value("nonce").map(str::to_owned)
}
