//! Bearer (RFC 6750), to servers that offer it.

use super::guarded;
use crate::case::{Case, Compose, Guarded, Known, Scheme, Wants};

pub(super) fn cases() -> Vec<Case> {
    let opens = |sends: Compose| Guarded::new(Scheme::Bearer).visit(sends, Wants::Opens);
    let refuses = |sends: Compose| Guarded::new(Scheme::Bearer).visit(sends, Wants::Refuses);
    let section = "RFC 6750 §2.1";
    let right = "MUST: the server opens the connection and echoes.";
    let wrong = "MUST: the server refuses.";
    vec![
        guarded(
            "The right token",
            opens(|known| vec![format!("Bearer {}", token(known))]),
            right,
            section,
        ),
        guarded(
            "The same with the scheme in small letters",
            opens(|known| vec![format!("bearer {}", token(known))]),
            right,
            "RFC 9110 §11.1",
        ),
        guarded(
            "Another token",
            refuses(|known| vec![format!("Bearer {}x", token(known))]),
            wrong,
            section,
        ),
        guarded(
            "The beginning of the token",
            refuses(|known| {
                let mut token = token(known);
                token.pop();
                vec![format!("Bearer {token}")]
            }),
            wrong,
            section,
        ),
        guarded(
            "No token",
            refuses(|_| vec!["Bearer".to_owned()]),
            wrong,
            section,
        ),
        guarded(
            "The right token as a parameter",
            refuses(|known| vec![format!("Bearer token=\"{}\"", token(known))]),
            wrong,
            section,
        ),
        guarded(
            "The right token behind a wrong one, in a second field",
            refuses(|known| vec!["Bearer x".to_owned(), format!("Bearer {}", token(known))]),
            wrong,
            "RFC 9110 §5.3",
        ),
    ]
}

fn token(known: &Known<'_>) -> String {
    known.credentials.token.clone().unwrap_or_default()
}
