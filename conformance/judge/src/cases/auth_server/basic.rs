//! Basic (RFC 7617), to servers that offer it.

use super::guarded;
use crate::authentication::{Login, basic};
use crate::case::{Case, Compose, Guarded, Scheme, Wants};

pub(super) fn cases() -> Vec<Case> {
    let opens = |sends: Compose| Guarded::new(Scheme::Basic).visit(sends, Wants::Opens);
    let refuses = |sends: Compose| Guarded::new(Scheme::Basic).visit(sends, Wants::RefusesForGood);
    let section = "RFC 7617 §2";
    let right = "MUST: the server opens the connection and echoes.";
    let wrong = "MUST: the server refuses, with 401 or another error of the class 4xx.";
    vec![
        guarded(
            "The right name and password",
            opens(|known| value(known.login(), |token| format!("Basic {token}"))),
            right,
            section,
        ),
        guarded(
            "The same with the scheme in small letters",
            opens(|known| value(known.login(), |token| format!("basic {token}"))),
            right,
            "RFC 9110 §11.1",
        ),
        guarded(
            "A wrong password",
            refuses(|known| {
                let Login { user, password } = known.login();
                vec![basic(&user, &format!("{password}x"))]
            }),
            wrong,
            section,
        ),
        guarded(
            "The beginning of the password",
            refuses(|known| {
                let Login { user, mut password } = known.login();
                password.pop();
                vec![basic(&user, &password)]
            }),
            wrong,
            section,
        ),
        guarded(
            "The password in the other case of letters",
            refuses(|known| {
                let Login { user, password } = known.login();
                let other: String = password.chars().map(other_case).collect();
                vec![basic(
                    &user,
                    &format!("{other}{}", if other == password { "x" } else { "" }),
                )]
            }),
            wrong,
            section,
        ),
        guarded(
            "An unknown name with the right password",
            refuses(|known| {
                let Login { user, password } = known.login();
                vec![basic(&format!("{user}x"), &password)]
            }),
            wrong,
            section,
        ),
        guarded(
            "An empty password",
            refuses(|known| vec![basic(&known.login().user, "")]),
            wrong,
            section,
        ),
        guarded(
            "An empty name and an empty password",
            refuses(|_| vec![basic("", "")]),
            wrong,
            section,
        ),
        guarded(
            "The scheme alone",
            refuses(|_| vec!["Basic".to_owned()]),
            wrong,
            section,
        ),
        guarded(
            "What is no base 64",
            refuses(|_| vec!["Basic !!!".to_owned()]),
            wrong,
            section,
        ),
        guarded(
            "Base 64 with digits behind its padding",
            refuses(|known| value(known.login(), |token| format!("Basic {token}=AAAA"))),
            wrong,
            "RFC 4648 §3.3",
        ),
        guarded(
            "Without a colon",
            refuses(|_| vec!["Basic dXNlcnBhc3M=".to_owned()]),
            wrong,
            section,
        ),
        guarded(
            "Octets that are no UTF-8",
            refuses(|_| vec!["Basic //79/Drw8PA=".to_owned()]),
            wrong,
            section,
        ),
        guarded(
            "A name with a NUL behind it",
            refuses(|known| {
                let Login { user, password } = known.login();
                vec![basic(&format!("{user}\0"), &password)]
            }),
            wrong,
            section,
        ),
        guarded(
            "A password of 6 KiB: 8 KiB in base 64",
            refuses(|known| vec![basic(&known.login().user, &"x".repeat(6 << 10))]),
            "MUST: the server refuses, with an error of the class 4xx or by ending TCP.",
            "RFC 9110 §5.4",
        ),
        guarded(
            "The right credentials behind wrong ones, in a second field",
            refuses(|known| {
                let Login { user, password } = known.login();
                vec![basic(&user, "x"), basic(&user, &password)]
            }),
            wrong,
            "RFC 9110 §5.3",
        ),
        guarded(
            "The right credentials, and the same again in a second field",
            refuses(|known| {
                let Login { user, password } = known.login();
                vec![basic(&user, &password); 2]
            }),
            wrong,
            "RFC 9110 §5.3",
        ),
        guarded(
            "A wrong password, then the right one on the same connection if there still is one",
            Guarded::new(Scheme::Basic)
                .visit(
                    |known| vec![basic(&known.login().user, "wrong")],
                    Wants::RefusesForGood,
                )
                .visit(
                    |known| value(known.login(), |token| format!("Basic {token}")),
                    Wants::Opens,
                ),
            right,
            section,
        ),
    ]
}

fn value(login: Login, write: fn(&str) -> String) -> Vec<String> {
    let value = basic(&login.user, &login.password);
    let token = value.trim_start_matches("Basic ");
    vec![write(token)]
}

fn other_case(char: char) -> char {
    match char.is_ascii_lowercase() {
        true => char.to_ascii_uppercase(),
        false => char.to_ascii_lowercase(),
    }
}
