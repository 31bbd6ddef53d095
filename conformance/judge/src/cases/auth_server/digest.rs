//! Digest (RFC 7616), to servers that offer it: what a response is computed of, and its parameters.

use cloverleaf_reports::Verdict;

use super::guarded;
use crate::authentication::{Algorithm, Hash, Inputs, elements, quoted};
use crate::case::{Case, Compose, Guarded, Known, Scheme, Wants, Written};
use crate::http::Head;

const RIGHT: &str = "MUST: the server opens the connection and echoes.";
const WRONG: &str = "MUST: the server refuses, with 401 or another error of the class 4xx.";
const PARAMETERS: &str = "RFC 7616 §3.4";

fn opens(sends: Compose) -> Guarded {
    Guarded::new(Scheme::Digest).visit(sends, Wants::Opens)
}

fn refuses(sends: Compose) -> Guarded {
    Guarded::new(Scheme::Digest).visit(sends, Wants::RefusesForGood)
}

/// Nothing is changed.
fn right(known: &Known<'_>) -> Vec<String> {
    known.digest(|_| (), |_, _| ())
}

pub(super) fn algorithms() -> Vec<Case> {
    let section = "RFC 7616 §3.4.1";
    let mut cases: Vec<_> = Algorithm::ALL
        .into_iter()
        .map(|algorithm| {
            guarded(
                &format!("The right response, by {}", algorithm.name()),
                Guarded::new(Scheme::DigestWith(algorithm)).visit(right, Wants::Opens),
                RIGHT,
                section,
            )
        })
        .collect();
    cases.extend(Algorithm::ALL.map(|algorithm| {
        guarded(
            &format!("The response of a wrong password, by {}", algorithm.name()),
            Guarded::new(Scheme::DigestWith(algorithm)).visit(
                |known| known.digest(|inputs| inputs.password.push('x'), |_, _| ()),
                Wants::RefusesForGood,
            ),
            WRONG,
            section,
        )
    }));
    cases.extend([
        guarded(
            "SHA-512 cut off, as RFC 7616 has it in an example by mistake",
            Guarded::new(Scheme::DigestWith(Algorithm::SHA_512_256)).visit(
                |known| known.digest(|inputs| inputs.algorithm.hash = Hash::CutSha512, |_, _| ()),
                Wants::RefusesForGood,
            ),
            "MUST: SHA-512/256 has an initial value of its own; the server refuses.",
            "RFC 7616 §3.2, erratum 4897",
        ),
        guarded(
            "The right response with qop=auth-int: the body is empty",
            Guarded::new(Scheme::DigestWithAuthInt).visit(
                |known| known.digest(|inputs| set_qop(inputs, "auth-int"), |_, _| ()),
                Wants::Opens,
            ),
            RIGHT,
            "RFC 7616 §3.4.3",
        ),
        guarded(
            "qop=auth-int with the response for auth",
            Guarded::new(Scheme::DigestWithAuthInt).visit(
                |known| known.digest(|_| (), |written, _| written.set("qop", "auth-int")),
                Wants::RefusesForGood,
            ),
            WRONG,
            "RFC 7616 §3.4.3",
        ),
        guarded(
            "The hash of the name in its place",
            Guarded::new(Scheme::DigestWithUserhash)
                .visit(|known| known.digest(|_| (), hash_the_name), Wants::Opens),
            RIGHT,
            "RFC 7616 §3.4.4",
        ),
        guarded(
            "The hash of another name in its place",
            Guarded::new(Scheme::DigestWithUserhash).visit(
                |known| {
                    known.digest(
                        |_| (),
                        |written, inputs| {
                            let mut other = inputs.clone();
                            other.user.push('x');
                            hash_the_name(written, &other);
                        },
                    )
                },
                Wants::RefusesForGood,
            ),
            WRONG,
            "RFC 7616 §3.4.4",
        ),
        guarded(
            "An unknown name with the right password",
            refuses(|known| known.digest(|inputs| inputs.user.push('x'), |_, _| ())),
            WRONG,
            section,
        ),
        guarded(
            "The response in capital letters",
            opens(|known| {
                known.digest(
                    |_| (),
                    |written, inputs| {
                        written.set("response", quoted(&inputs.response().to_ascii_uppercase()));
                    },
                )
            })
            .otherwise(Verdict::Informational),
            "Open: the digits are small by the grammar; servers mostly take both.",
            PARAMETERS,
        ),
        guarded(
            "A response of which the last digit is wrong",
            refuses(|known| {
                respond(known, |response| {
                    let last = if response.ends_with('0') { "1" } else { "0" };
                    format!("{}{last}", &response[..response.len() - 1])
                })
            }),
            WRONG,
            section,
        ),
        guarded(
            "A response that lacks its last digit",
            refuses(|known| respond(known, |response| response[..response.len() - 1].to_owned())),
            WRONG,
            section,
        ),
        guarded(
            "An empty response",
            refuses(|known| respond(known, |_| String::new())),
            WRONG,
            section,
        ),
        guarded(
            "The response for another method",
            refuses(|known| {
                known.digest(|inputs| "POST".clone_into(&mut inputs.method), |_, _| ())
            }),
            WRONG,
            section,
        ),
        guarded(
            "The proof of the server, if it gives one",
            opens(right).check(rspauth),
            "MUST: if Authentication-Info has rspauth, it is right, with cnonce and nc as sent.",
            "RFC 7616 §3.5",
        ),
        guarded(
            "A wrong response, then the right one",
            Guarded::new(Scheme::Digest)
                .visit(
                    |known| known.digest(|inputs| inputs.password.push('x'), |_, _| ()),
                    Wants::RefusesForGood,
                )
                .visit(right, Wants::Opens),
            RIGHT,
            section,
        ),
    ]);
    cases
}

pub(super) fn parameters() -> Vec<Case> {
    let section = PARAMETERS;
    let mut cases = vec![
        guarded(
            "uri is another path",
            refuses(|known| known.digest(|inputs| inputs.uri = "/elsewhere".to_owned(), |_, _| ())),
            "MUST: a response for another place is refused.",
            "RFC 7616 §3.4.6",
        ),
        guarded(
            "uri has a query more",
            refuses(|known| known.digest(|inputs| inputs.uri.push_str("?a=b"), |_, _| ())),
            "MUST: a response for another place is refused.",
            "RFC 7616 §3.4.6",
        ),
        guarded(
            "The response is of another uri than the one that is sent",
            refuses(|known| {
                known.digest(
                    |inputs| inputs.uri = "/elsewhere".to_owned(),
                    |written, _| written.set("uri", quoted(known.target)),
                )
            }),
            WRONG,
            "RFC 7616 §3.4.1",
        ),
        guarded(
            "Another realm",
            refuses(|known| known.digest(|inputs| inputs.realm.push('x'), |_, _| ())),
            WRONG,
            section,
        ),
        guarded(
            "opaque altered",
            refuses(|known| known.digest(|_| (), |written, _| written.set("opaque", quoted("x"))))
                .otherwise(Verdict::Informational),
            "Open: a client must return opaque as it was; what a server makes of another is left open.",
            section,
        ),
        guarded(
            "An algorithm that was not offered, with its right response",
            refuses(|known| {
                let offered = |algorithm: &Algorithm| {
                    known.challenges.iter().any(|challenge| {
                        let name = challenge.value("algorithm").unwrap_or("MD5");
                        challenge.is("Digest") && Algorithm::named(name) == Some(*algorithm)
                    })
                };
                let other = Algorithm::ALL
                    .into_iter()
                    .find(|algorithm| !offered(algorithm));
                match other {
                    Some(other) => known.digest(
                        |inputs| inputs.algorithm = other,
                        |written, _| written.set("algorithm", other.name()),
                    ),
                    // All were: then the response is of another one than the name.
                    None => known.digest(
                        |_| (),
                        |written, inputs| {
                            let other = match inputs.algorithm {
                                Algorithm::MD5 => Algorithm::SHA_256,
                                _ => Algorithm::MD5,
                            };
                            written.set("algorithm", other.name());
                        },
                    ),
                }
            }),
            "MUST: the algorithm is the one of the challenge.",
            section,
        ),
        guarded(
            "An algorithm that nobody knows",
            refuses(|known| known.digest(|_| (), |written, _| written.set("algorithm", "MD6"))),
            WRONG,
            section,
        ),
        guarded(
            "The response without qop, as in RFC 2069",
            refuses(|known| known.digest(|inputs| inputs.qop = None, |_, _| ())),
            "MUST: where qop was offered, it is used; without, responses are weaker.",
            section,
        ),
        guarded(
            "qop=foo",
            refuses(|known| known.digest(|inputs| set_qop(inputs, "foo"), |_, _| ())),
            WRONG,
            section,
        ),
    ];
    for name in [
        "username", "realm", "nonce", "uri", "response", "cnonce", "nc",
    ] {
        cases.push(guarded(
            &format!("Without {name}"),
            refuses(without(name)),
            WRONG,
            section,
        ));
    }
    for name in ["username", "realm", "nonce", "uri", "response", "nc"] {
        cases.push(guarded(
            &format!("{name} twice"),
            refuses(twice(name)),
            "MUST: a parameter comes once; which one would count?",
            "RFC 9110 §11.2",
        ));
    }
    cases.extend([
        guarded(
            "nc, qop and algorithm quoted, as old clients do",
            opens(|known| {
                known.digest(
                    |_| (),
                    |written, _| {
                        for name in ["nc", "qop", "algorithm"] {
                            let value = written.get(name);
                            if !value.is_empty() {
                                written.set(name, quoted(&value));
                            }
                        }
                    },
                )
            })
            .otherwise(Verdict::NonStrict),
            "SHOULD: recipients take both forms of a parameter.",
            "RFC 9110 §11.2",
        ),
        guarded(
            "Names of parameters and the scheme in other cases of letters",
            opens(|known| {
                known
                    .digest(
                        |_| (),
                        |written, _| {
                            written.rename("username", "UserName");
                            written.rename("realm", "REALM");
                        },
                    )
                    .iter()
                    .map(|value| value.replacen("Digest", "dIGEST", 1))
                    .collect()
            }),
            RIGHT,
            "RFC 9110 §11.1, §11.2",
        ),
        guarded(
            "Spaces, tabs and empty elements where they may be",
            opens(|known| {
                let value = right(known).concat();
                vec![value.replace(", ", " ,\t, ").replace("realm=", "realm = ")]
            }),
            RIGHT,
            "RFC 9110 §5.6.1, §11.2",
        ),
        guarded(
            "An unknown parameter",
            opens(|known| known.digest(|_| (), |written, _| written.add("x-new", quoted("a, b")))),
            "MUST: what is not known is ignored.",
            section,
        ),
        guarded(
            "A character of the name escaped that needs no escape",
            opens(|known| {
                known.digest(
                    |_| (),
                    |written, inputs| {
                        written.set("username", format!("\"\\{}\"", inputs.user));
                    },
                )
            }),
            "MUST: what is hashed is the value without quotes and escapes.",
            "RFC 9110 §5.6.4",
        ),
        guarded(
            "username* for the name",
            opens(|known| {
                known.digest(
                    |_| (),
                    |written, inputs| {
                        written.set("username", format!("UTF-8''{}", percent(&inputs.user)));
                        written.rename("username", "username*");
                    },
                )
            })
            .otherwise(Verdict::NonStrict),
            "SHOULD: the server knows the form for names with any character.",
            section,
        ),
        guarded(
            "username and username*",
            refuses(|known| {
                known.digest(
                    |_| (),
                    |written, inputs| {
                        written.add("username*", format!("UTF-8''{}", percent(&inputs.user)));
                    },
                )
            })
            .otherwise(Verdict::NonStrict),
            "SHOULD: there is one name.",
            section,
        ),
    ]);
    for (title, damage) in DAMAGES {
        cases.push(guarded(title, refuses(*damage), WRONG, "RFC 9110 §11.4"));
    }
    cases.extend([
        guarded(
            "The right credentials, and the same again in a second field",
            refuses(|known| vec![right(known).concat(); 2]),
            WRONG,
            "RFC 9110 §5.3",
        ),
        guarded(
            "The right credentials behind wrong ones, in a second field",
            refuses(|known| {
                let mut values = known.digest(|inputs| inputs.password.push('x'), |_, _| ());
                values.extend(right(known));
                values
            }),
            WRONG,
            "RFC 9110 §5.3",
        ),
    ]);
    cases
}

/// Fields that are no credentials of Digest; parsers have fallen over each of them.
const DAMAGES: &[(&str, Compose)] = &[
    ("The scheme alone", |_| vec!["Digest".to_owned()]),
    ("A name of a parameter that is not ASCII", |known| {
        vec![
            right(known)
                .concat()
                .replacen("Digest ", "Digest \u{e9}\u{e9}\u{e9}=\"a\", ", 1),
        ]
    }),
    ("A value that is not ASCII, and the quote missing", |_| {
        vec!["Digest username=\"\u{20ac}\u{20ac}\u{20ac}".to_owned()]
    }),
    ("A lone quote", |_| vec!["Digest \"".to_owned()]),
    ("A parameter without a value", |known| {
        vec![right(known).concat() + ", stray"]
    }),
    ("The last quote missing", |known| {
        let value = known
            .digest(|_| (), |written, _| written.add("last", quoted("x")))
            .concat();
        vec![value[..value.len() - 1].to_owned()]
    }),
    ("A value of 4 KiB in the place of the response", |known| {
        respond(known, |_| "a".repeat(4 << 10))
    }),
    ("A name of 4 KiB", |known| {
        known.digest(|inputs| inputs.user = "a".repeat(4 << 10), |_, _| ())
    }),
    ("Parameters without commas", |known| {
        vec![right(known).concat().replace(", ", " ")]
    }),
    ("Basic and Digest in one field", |known| {
        vec![format!("Basic Og==, {}", right(known).concat())]
    }),
];

fn without(name: &'static str) -> Compose {
    // A pointer to a function knows nothing of its surroundings.
    match name {
        "username" => |known| known.digest(|_| (), |written, _| written.without("username")),
        "realm" => |known| known.digest(|_| (), |written, _| written.without("realm")),
        "nonce" => |known| known.digest(|_| (), |written, _| written.without("nonce")),
        "uri" => |known| known.digest(|_| (), |written, _| written.without("uri")),
        "response" => |known| known.digest(|_| (), |written, _| written.without("response")),
        "cnonce" => |known| known.digest(|_| (), |written, _| written.without("cnonce")),
        _ => |known| known.digest(|_| (), |written, _| written.without("nc")),
    }
}

fn twice(name: &'static str) -> Compose {
    match name {
        "username" => |known| known.digest(|_| (), |written, _| again(written, "username")),
        "realm" => |known| known.digest(|_| (), |written, _| again(written, "realm")),
        "nonce" => |known| known.digest(|_| (), |written, _| again(written, "nonce")),
        "uri" => |known| known.digest(|_| (), |written, _| again(written, "uri")),
        "response" => |known| known.digest(|_| (), |written, _| again(written, "response")),
        _ => |known| known.digest(|_| (), |written, _| again(written, "nc")),
    }
}

fn again(written: &mut Written, name: &str) {
    let value = written.get(name);
    written.add(name, value);
}

fn respond(known: &Known<'_>, alter: fn(&str) -> String) -> Vec<String> {
    known.digest(
        |_| (),
        |written, inputs| written.set("response", quoted(&alter(&inputs.response()))),
    )
}

fn set_qop(inputs: &mut Inputs, qop: &str) {
    inputs.qop = Some(qop.to_owned());
}

fn hash_the_name(written: &mut Written, inputs: &Inputs) {
    written.set("username", quoted(&inputs.userhash()));
    written.set("userhash", "true");
}

/// Every octet but letters and digits as RFC 8187 §3.2.1 has it.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|octet| match octet.is_ascii_alphanumeric() {
            true => char::from(octet).to_string(),
            false => format!("%{octet:02X}"),
        })
        .collect()
}

/// RFC 7616 §3.5
fn rspauth(known: &Known<'_>, head: &Head) -> Result<(), String> {
    let Some(value) = head.value("Authentication-Info") else {
        return Ok(());
    };
    // The field has parameters, and no scheme in front.
    let list = elements(&format!("Info {value}"))?;
    let [info] = &list[..] else {
        return Err("Authentication-Info is not one list".to_owned());
    };
    let Some(sent) = info.value("rspauth") else {
        return Ok(());
    };
    let inputs = known.inputs();
    if sent != inputs.rspauth() {
        return Err("rspauth is not right".to_owned());
    }
    for (name, expected) in [
        ("cnonce", Some(inputs.cnonce.as_str())),
        ("nc", Some(inputs.nc.as_str())),
        ("qop", inputs.qop.as_deref()),
    ] {
        if info.value(name) != expected {
            return Err(format!("{name} is not as it was sent"));
        }
    }
    Ok(())
}
