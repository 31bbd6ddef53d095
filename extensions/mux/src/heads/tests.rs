use super::*;
use crate::testing::octets;

const PHYSICAL: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; q=\"a, mux\"\r\n\
    Sec-WebSocket-Extensions: mux; quota=8192, late\r\n\
    Cookie: a=1\r\n\
    Cookie: b=2\r\n\r\n";

fn base() -> Base {
    Base::physical(PHYSICAL.as_bytes(), NOT_IN_REQUESTS, "mux").expect("a head")
}

fn expanded(delta: &str) -> Result<String, BadHead> {
    let head = base().expand(delta.as_bytes())?;
    Ok(String::from_utf8(head).expect("it was text"))
}

#[test]
fn the_smallest_difference_takes_everything_over_but_what_belongs_to_the_physical_connection() {
    assert_eq!(
        expanded("GET /echo HTTP/1.1\r\n\r\n").as_deref(),
        Ok("GET /echo HTTP/1.1\r\n\
            host: server.example.com\r\n\
            connection: Upgrade\r\n\
            origin: http://example.com\r\n\
            cookie: a=1\r\n\
            cookie: b=2\r\n\
            sec-websocket-extensions: permessage-deflate; client_max_window_bits, x; q=\"a, mux\"\r\n\r\n")
    );
}

#[test]
fn a_field_takes_the_place_of_all_lines_of_its_name_and_an_empty_one_removes_them() {
    assert_eq!(
        expanded(
            "GET /echo HTTP/1.1\r\n\
             COOKIE: c=3\r\n\
             origin:\r\n\
             Sec-WebSocket-Extensions: \t\r\n\
             X-New: 1\r\n\r\n"
        )
        .as_deref(),
        Ok("GET /echo HTTP/1.1\r\n\
            host: server.example.com\r\n\
            connection: Upgrade\r\n\
            COOKIE: c=3\r\n\
            X-New: 1\r\n\r\n")
    );
}

#[test]
fn without_an_extension_in_front_of_mux_the_base_has_none() {
    let head = "GET / HTTP/1.1\r\nSec-WebSocket-Extensions: mux_DO_NOT_USE; quota=1, x\r\n\r\n";
    let base = Base::physical(head.as_bytes(), NOT_IN_REQUESTS, "mux_DO_NOT_USE");
    assert_eq!(base, Ok(Base::default()));
}

#[test]
fn what_is_no_head_is_refused() {
    for bad in [
        "",
        "GET /",
        "\r\n",
        "\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\r\n\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n\r\n\u{81}\u{5}hello\r\n",
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\r\nA: b\n\r\n",
        "GET / HTTP/1.1\r\nA: b\n\nC: d\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\rC: d\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n folded: c\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "GET / HTTP/1.1\r\n: b\r\n\r\n",
        "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    ] {
        assert_eq!(whole(bad.as_bytes()), Err(BadHead::Malformed), "{bad:?}");
        assert_eq!(expanded(bad), Err(BadHead::Malformed), "{bad:?}");
    }
}

#[test]
fn a_head_gets_its_final_empty_line_if_it_has_none() {
    let with = octets("'GET /echo HTTP/1.1' CRLF 'Host: a' CRLF CRLF");
    let without = octets("'GET /echo HTTP/1.1' CRLF 'Host: a' CRLF");
    assert_eq!(whole(&with).as_ref(), Ok(&with));
    assert_eq!(whole(&without).as_ref(), Ok(&with));
    assert_eq!(
        whole(b"GET / HTTP/1.1\r\n"),
        Ok(b"GET / HTTP/1.1\r\n\r\n".to_vec())
    );
}

#[test]
fn a_head_ends_at_16_kib_before_and_after_the_difference_is_applied() {
    let long = |octets: usize| format!("GET / HTTP/1.1\r\nA: {}\r\n\r\n", "a".repeat(octets - 23));
    assert_eq!(long(MAX_HEAD).len(), MAX_HEAD);
    assert!(whole(long(MAX_HEAD).as_bytes()).is_ok());
    assert_eq!(whole(long(MAX_HEAD + 1).as_bytes()), Err(BadHead::TooLong));
    // The base itself is short enough, and so is the difference.
    assert_eq!(expanded(&long(MAX_HEAD)), Err(BadHead::TooLong));
}

#[test]
fn a_difference_says_only_what_differs() {
    let head = "GET /echo HTTP/1.1\r\n\
        Host: server.example.com\r\n\
        Connection: Upgrade\r\n\
        Cookie: a=1\r\n\
        X-New: 1\r\n\r\n";
    let delta = base().difference(head.as_bytes()).expect("there is one");
    assert_eq!(
        String::from_utf8(delta).as_deref(),
        Ok("GET /echo HTTP/1.1\r\n\
            Cookie: a=1\r\n\
            X-New: 1\r\n\
            origin:\r\n\
            sec-websocket-extensions:\r\n\r\n")
    );
}

/// The fields of a head, sorted by name, in order within a name.
fn sorted(head: &[u8]) -> (String, Vec<(String, String)>) {
    let lines = Lines::read(head).expect("a head");
    let mut fields: Vec<(String, String)> = lines
        .fields
        .iter()
        .map(|field| (folded(field.name), field.value.to_owned()))
        .collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    (lines.start.to_owned(), fields)
}

#[test]
fn a_difference_applied_is_the_head_it_was_made_from() {
    let names = ["Host", "a", "A", "b", "Origin", "x-y"];
    // Every combination of six lines out of these, by number.
    let head = |number: u32| {
        let mut head = format!("GET /{number} HTTP/1.1\r\n");
        for at in 0..6 {
            match number >> (at * 2) & 3 {
                0 => {}
                value => head += &format!("{}: {value}\r\n", names[at as usize]),
            }
        }
        head + "\r\n"
    };
    for number in 0..4096_u32 {
        let old = head(number.wrapping_mul(2_654_435_761) >> 20);
        let new = head(number);
        let base = Base::new(old.as_bytes(), &[]).expect("a head");
        let delta = base.difference(new.as_bytes()).expect("no field is empty");
        let back = base.expand(&delta).expect("a difference");
        assert_eq!(sorted(&back), sorted(new.as_bytes()), "{old} {new}");
    }
}
