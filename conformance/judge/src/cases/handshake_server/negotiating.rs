//! Subprotocols and extensions: lists from which a server chooses.

use super::{either, opens, request, should_open, should_refuse};
use crate::case::{Case, RequestPlan};

const PROTOCOL: &str = "Sec-WebSocket-Protocol";
const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

pub(super) fn subprotocols() -> Vec<Case> {
    let section = "RFC 6455 §4.2.2, §11.3.4";
    let grammar = "RFC 6455 §4.1, §4.3";
    let choice = "A server chooses one of them or none, and says nothing else.";
    let broken = "The list breaks its grammar; a server without subprotocols may not look at it.";
    let offer = |plan: RequestPlan, list: &str| plan.set(PROTOCOL, list);
    vec![
        request(
            "Two subprotocols that hardly any server knows",
            offer(should_open(), "a.cloverleaf.example, b.cloverleaf.example"),
            choice,
            section,
        ),
        request(
            "The same in two lines",
            offer(should_open(), "a.cloverleaf.example").with(PROTOCOL, "b.cloverleaf.example"),
            choice,
            section,
        ),
        request(
            "A subprotocol with every character that a token may have",
            offer(should_open(), "!#$%&'*+-.^_`|~09azAZ"),
            choice,
            grammar,
        ),
        request(
            "The list has empty elements",
            offer(either(), ",a ,, b,"),
            choice,
            grammar,
        ),
        request(
            "The list is empty",
            offer(should_refuse(), ""),
            broken,
            grammar,
        ),
        request(
            "A subprotocol has a space in it",
            offer(should_refuse(), "a b"),
            broken,
            grammar,
        ),
        request(
            "A subprotocol has a slash in it",
            offer(should_refuse(), "a/b"),
            broken,
            grammar,
        ),
        request(
            "A subprotocol is in quotes",
            offer(should_refuse(), "\"a\""),
            broken,
            grammar,
        ),
        request(
            "A subprotocol comes twice",
            offer(should_refuse(), "a, b, a"),
            broken,
            grammar,
        ),
    ]
}

pub(super) fn extensions() -> Vec<Case> {
    let section = "RFC 6455 §9.1";
    let unknown = "A server ignores extensions that it does not know.";
    let offer = |plan: RequestPlan, list: &str| plan.set(EXTENSIONS, list);
    let many = vec!["x-unknown; a=1"; 40].join(", ");
    let mut cases = vec![
        request(
            "An unknown extension",
            offer(opens(), "x-unknown; a=1; b"),
            unknown,
            section,
        ),
        request(
            "An unknown extension with a value in quotes",
            offer(opens(), "x-unknown; a=\"1\""),
            unknown,
            section,
        ),
        request(
            "An unknown extension with an escaped character in quotes",
            offer(opens(), "x-unknown; a=\"b\\c\""),
            unknown,
            section,
        ),
        request(
            "Two unknown extensions in two lines",
            offer(opens(), "x-unknown").with(EXTENSIONS, "x-other; a"),
            unknown,
            "RFC 6455 §11.3.2",
        ),
        request(
            "Spaces around every delimiter",
            offer(should_open(), "x-unknown ; a = 1 , x-other"),
            "The grammar is that of RFC 2616, which allows them.",
            section,
        ),
        request(
            "The list has empty elements",
            offer(should_open(), ", x-unknown ,,"),
            "A recipient skips a reasonable number of empty elements.",
            "RFC 9110 §5.6.1",
        ),
        request(
            "40 unknown extensions",
            offer(should_open(), &many),
            unknown,
            section,
        ),
        request(
            "The list is empty",
            offer(either(), ""),
            "This breaks the grammar, yet names nothing.",
            section,
        ),
    ];
    for (title, list) in [
        ("A parameter is missing behind a semicolon", "x-unknown;"),
        ("A parameter is missing between semicolons", "x-unknown;; a"),
        ("A value is missing", "x-unknown; a="),
        ("A value in quotes is no token", "x-unknown; a=\"b c\""),
        ("A value in quotes is empty", "x-unknown; a=\"\""),
        ("A quote is not closed", "x-unknown; a=\"b"),
        ("A name has a space in it", "x unknown"),
        ("A parameter has no extension", "; a=1"),
        ("A parameter has no name", "x-unknown; =1"),
    ] {
        cases.push(request(
            title,
            offer(should_refuse(), list),
            "The list breaks its grammar and should fail the connection; a server without \
             extensions may not look at it, and must not agree to any.",
            section,
        ));
    }
    cases
}
