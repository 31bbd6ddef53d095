//! Methods, targets and versions.

use super::{
    FIELDS, does_not_open, either, head_with, opens, refuses_anyhow, request, should_open,
    should_refuse,
};
use crate::case::Case;

const LINE: &str = "RFC 9112 §3, §2.2";
const TARGET: &str = "RFC 9112 §3.2";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = methods_and_versions();
    cases.extend(targets());
    cases
}

fn methods_and_versions() -> Vec<Case> {
    let two_spaces = head_with("").replace("GET {target} ", "GET  {target}  ");
    vec![
        request(
            "An ordinary request",
            opens(),
            "Nothing is wrong with it.",
            "RFC 6455 §4.2.2",
        ),
        request(
            "The method is POST",
            does_not_open()
                .line("POST {target} HTTP/1.1")
                .with("Content-Length", "0"),
            "The opening handshake is a GET request.",
            "RFC 6455 §4.2.1",
        ),
        request(
            "The method is HEAD",
            does_not_open().line("HEAD {target} HTTP/1.1"),
            "The opening handshake is a GET request.",
            "RFC 6455 §4.2.1",
        ),
        request(
            "The method is get in small letters",
            does_not_open().line("get {target} HTTP/1.1"),
            "Methods are compared with their case: this is not GET.",
            "RFC 9110 §9.1",
        ),
        request(
            "The version is HTTP/1.0",
            does_not_open().line("GET {target} HTTP/1.0"),
            "In a request of HTTP/1.0 a server ignores Upgrade.",
            "RFC 9110 §7.8",
        ),
        request(
            "The version is HTTP/1.2",
            should_open().line("GET {target} HTTP/1.2"),
            "A higher minor version is treated as the highest that is known.",
            "RFC 9110 §2.5",
        ),
        request(
            "The version is HTTP/2.0, in the syntax of HTTP/1.1",
            should_refuse().line("GET {target} HTTP/2.0"),
            "This major version is not written in this way.",
            "RFC 9110 §15.6.6",
        ),
        request(
            "The version is http/1.1 in small letters",
            should_refuse().line("GET {target} http/1.1"),
            "The name of HTTP is compared with its case.",
            "RFC 9112 §2.3",
        ),
        request(
            "There is no version",
            refuses_anyhow().line("GET {target}"),
            "The opening handshake needs HTTP/1.1 or higher.",
            "RFC 6455 §4.2.1",
        ),
        request(
            "Two spaces stand between the parts of the request line",
            either().raw(two_spaces),
            "A recipient may split the line at any whitespace.",
            LINE,
        ),
        request(
            "An empty line comes before the request line",
            should_open().raw(format!("\r\n{}", head_with(""))),
            "A server should skip at least one.",
            LINE,
        ),
    ]
}

fn targets() -> Vec<Case> {
    let mut octet_ff = b"GET {target}?\xFF HTTP/1.1\r\n".to_vec();
    octet_ff.extend_from_slice(FIELDS.as_bytes());
    octet_ff.extend_from_slice(b"\r\n");
    let long = format!("GET {{target}}?{} HTTP/1.1", "a".repeat(7_900));
    vec![
        request(
            "The target is a whole http URI",
            opens().line("GET http://{host}{target} HTTP/1.1"),
            "A server accepts the absolute form in every request.",
            "RFC 6455 §4.2.1, RFC 9112 §3.2.2",
        ),
        request(
            "The target is a whole http URI, and Host names another host",
            should_open()
                .line("GET http://{host}{target} HTTP/1.1")
                .set("Host", "other.example"),
            "The target counts, and Host is ignored.",
            "RFC 9112 §3.2.2",
        ),
        request(
            "The target is a whole ws URI",
            either().line("GET ws://{host}{target} HTTP/1.1"),
            "RFC 6455 speaks of http and https URIs here.",
            "RFC 6455 §4.2.1",
        ),
        request(
            "The target is *",
            should_refuse().line("GET * HTTP/1.1"),
            "This form is for OPTIONS only.",
            "RFC 9112 §3.2.4",
        ),
        request(
            "The target is host and port",
            should_refuse().line("GET {host} HTTP/1.1"),
            "This form is for CONNECT only.",
            "RFC 9112 §3.2.3",
        ),
        request(
            "The target has a fragment",
            should_refuse().line("GET {target}#fragment HTTP/1.1"),
            "The grammar of targets has no fragment.",
            "RFC 6455 §3, RFC 9112 §3.2",
        ),
        request(
            "The target has a space in it",
            should_refuse().line("GET {target}?a b HTTP/1.1"),
            "The request line has four parts.",
            TARGET,
        ),
        request(
            "The target has the octet FF in it",
            should_refuse().raw(octet_ff),
            "URIs are ASCII.",
            TARGET,
        ),
        request(
            "The request line has about 7,900 octets",
            should_open().line(long),
            "Up to 8,000 octets are recommended to be supported.",
            LINE,
        ),
    ]
}
