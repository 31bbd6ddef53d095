//! Sec-WebSocket-Key and Sec-WebSocket-Version.

use super::{either, opens, refusal, refuses, request, should_refuse};
use crate::case::{Case, RequestPlan};

const KEY: &str = "Sec-WebSocket-Key";
const VERSION: &str = "Sec-WebSocket-Version";

pub(super) fn keys() -> Vec<Case> {
    let section = "RFC 6455 §4.2.1, §11.3.1";
    let accept = "RFC 6455 §4.2.2";
    let mut cases = Vec::new();
    for (title, key) in [
        (
            "The key is the example of the standard",
            "dGhlIHNhbXBsZSBub25jZQ==",
        ),
        ("The key is all plus signs", "+++++++++++++++++++++w=="),
        ("The key is all slashes", "/////////////////////w=="),
        ("The key is 16 octets of zero", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("The key has whitespace around it", " \t {key} \t "),
    ] {
        let why = "The answer is made of the text of the key, without whitespace around it.";
        cases.push(request(title, opens().set(KEY, key), why, accept));
    }
    for (title, plan) in [
        ("There is no key", refuses(&[400]).without(KEY)),
        ("The key is empty", refuses(&[400]).set(KEY, "")),
        (
            "There are two different keys",
            refuses(&[400]).with(KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        ),
        (
            "There is the same key twice",
            refuses(&[400]).with(KEY, "{key}"),
        ),
    ] {
        cases.push(request(
            title,
            plan,
            "There must be exactly one key.",
            section,
        ));
    }
    for (title, key) in [
        ("The key has 15 octets", "AQIDBAUGBwgJCgsMDQ4P"),
        ("The key has 17 octets", "AQIDBAUGBwgJCgsMDQ4PEBE="),
        (
            "The key has characters that base64 does not",
            "AQIDBAUGBwgJ!gsMDQ4PEA==",
        ),
        (
            "The key is written in the alphabet for URLs",
            "---------------------w==",
        ),
        ("The key lacks its padding", "AQIDBAUGBwgJCgsMDQ4PEA"),
        ("The key has a space in it", "AQIDBAUGBwgJ CgsMDQ4PEA=="),
    ] {
        let why = "This is not 16 octets in base64; but a server need not decode the key.";
        cases.push(request(title, should_refuse().set(KEY, key), why, section));
    }
    cases.push(request(
        "The unused bits of the key's last character are not zero",
        either().set(KEY, "AQIDBAUGBwgJCgsMDQ4PEC=="),
        "A decoder may reject such base64; the first print of RFC 6455 had it in an example.",
        "RFC 4648 §3.5, RFC 6455 erratum 3150",
    ));
    cases
}

pub(super) fn versions() -> Vec<Case> {
    let section = "RFC 6455 §4.2.2, §4.4";
    let once = "RFC 6455 §11.3.5";
    let statuses = [426, 400];
    let unknown = |version: &str| {
        RequestPlan::new(refusal(&statuses, Some((VERSION, "13")))).set(VERSION, version)
    };
    let mut cases = Vec::new();
    for version in ["0", "12", "14", "255"] {
        cases.push(request(
            &format!("The version is {version}"),
            unknown(version),
            "The refusal names the versions that are spoken, in Sec-WebSocket-Version.",
            section,
        ));
    }
    cases.push(request(
        "The version is 8",
        either().set(VERSION, "8"),
        "Some servers still speak this draft.",
        section,
    ));
    for (title, plan) in [
        ("There is no version", refuses(&statuses).without(VERSION)),
        ("The version is empty", refuses(&statuses).set(VERSION, "")),
        ("The version is 256", refuses(&statuses).set(VERSION, "256")),
        (
            "The version is a word",
            refuses(&statuses).set(VERSION, "thirteen"),
        ),
        (
            "The version is a list of 13 and 8",
            refuses(&statuses).set(VERSION, "13, 8"),
        ),
        (
            "The version is a list of 8 and 13",
            refuses(&statuses).set(VERSION, "8, 13"),
        ),
    ] {
        let why = "A request has one version, from 0 to 255.";
        cases.push(request(title, plan, why, section));
    }
    for (title, plan) in [
        (
            "There are the versions 13 and 8 in two lines",
            refuses(&statuses).with(VERSION, "8"),
        ),
        (
            "There is the version 13 twice",
            refuses(&statuses).with(VERSION, "13"),
        ),
    ] {
        cases.push(request(title, plan, "A request has one version.", once));
    }
    cases.push(request(
        "The version is 013",
        should_refuse().set(VERSION, "013"),
        "The grammar has no leading zeros; to read numbers in this way is common.",
        "RFC 6455 §4.3",
    ));
    cases
}
