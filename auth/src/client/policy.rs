//! What a client lends its credentials to.

use crate::digest::{self, Hash, Qop};
use crate::header;

use super::credentials::Kind;

/// Which challenges are answered.
///
/// Default: Digest with any hash, Basic and Bearer over TLS; over a connection that anyone on the
/// way can read and change, Digest with SHA-256 or SHA-512/256 alone. There, somebody on the way
/// could ask for less than the server does, and so get the password itself (Basic) or something
/// from which it can be guessed at leisure (MD5).
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy {
    basic_in_clear: bool,
    bearer_in_clear: bool,
    md5_in_clear: bool,
    no_md5: bool,
}

/// What to answer with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Digest(Box<digest::Challenge>),
    Basic,
    Bearer,
}

impl Policy {
    /// The default.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            basic_in_clear: false,
            bearer_in_clear: false,
            md5_in_clear: false,
            no_md5: false,
        }
    }

    /// Sends the password by Basic where everyone on the way can read it.
    #[must_use]
    pub const fn allow_basic_in_clear(mut self) -> Self {
        self.basic_in_clear = true;
        self
    }

    /// Sends the token where everyone on the way can read it.
    #[must_use]
    pub const fn allow_bearer_in_clear(mut self) -> Self {
        self.bearer_in_clear = true;
        self
    }

    /// Answers Digest with MD5 without TLS too.
    #[must_use]
    pub const fn allow_md5_in_clear(mut self) -> Self {
        self.md5_in_clear = true;
        self
    }

    /// Answers Digest with MD5 nowhere, not even over TLS.
    #[must_use]
    pub const fn refuse_md5(mut self) -> Self {
        self.no_md5 = true;
        self
    }

    /// The strongest of what is asked for and may be answered; of those that are as strong as each
    /// other, the first (RFC 9110 §11.6.1, RFC 7616 §3.7).
    pub(super) fn choose(
        self,
        challenges: &[header::Challenge],
        kind: &Kind,
        is_secure: bool,
    ) -> Option<Choice> {
        let mut best: Option<(Strength, Choice)> = None;
        for challenge in challenges {
            let found = self.judge(challenge, kind, is_secure);
            if let Some(found) = found
                && best
                    .as_ref()
                    .is_none_or(|(strength, _)| found.0 > *strength)
            {
                best = Some(found);
            }
        }
        best.map(|(_, choice)| choice)
    }

    fn judge(
        self,
        challenge: &header::Challenge,
        kind: &Kind,
        is_secure: bool,
    ) -> Option<(Strength, Choice)> {
        match kind {
            Kind::Token(_) => (challenge.is("Bearer") && self.takes_bearer(is_secure))
                .then_some((Strength::Plain, Choice::Bearer)),
            Kind::Password(_) if challenge.is(crate::basic::SCHEME) => self
                .takes_basic(is_secure)
                .then_some((Strength::Plain, Choice::Basic)),
            Kind::Password(_) => {
                let challenge = digest::Challenge::parse(challenge).ok()?;
                let strength = match challenge.algorithm.hash {
                    Hash::Md5 => Strength::Md5,
                    _ => Strength::Sha,
                };
                // Without qop there is no nonce of the client, and no proof of the server: RFC 7616
                // §3.3 requires it, and who leaves it out might be on the way.
                let is_taken = !challenge.qop.is_empty()
                    && (strength == Strength::Sha || self.takes_md5(is_secure));
                is_taken.then(|| (strength, Choice::Digest(Box::new(challenge))))
            }
        }
    }

    pub(super) const fn takes_basic(self, is_secure: bool) -> bool {
        is_secure || self.basic_in_clear
    }

    pub(super) const fn takes_bearer(self, is_secure: bool) -> bool {
        is_secure || self.bearer_in_clear
    }

    const fn takes_md5(self, is_secure: bool) -> bool {
        !self.no_md5 && (is_secure || self.md5_in_clear)
    }
}

/// SHA-256 and SHA-512/256 count the same: neither can be inverted, and the server's order says
/// which it would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Strength {
    Plain,
    Md5,
    Sha,
}

/// The one to protect with: an opening handshake has no content to protect.
pub(super) fn qop_of(challenge: &digest::Challenge) -> Qop {
    if challenge.qop.contains(&Qop::Auth) {
        Qop::Auth
    } else {
        Qop::AuthInt
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::client::Credentials;
    use crate::header::parse_challenges;

    const SHA: &str = r#"Digest realm="a", nonce="256", qop="auth", algorithm=SHA-256"#;
    const SHA_512: &str = r#"Digest realm="a", nonce="512", qop="auth", algorithm=SHA-512-256"#;
    const MD5: &str = r#"Digest realm="a", nonce="md5", qop="auth", algorithm=MD5"#;
    const NO_NAME: &str = r#"Digest realm="a", nonce="md5", qop="auth""#;
    const NO_QOP: &str = r#"Digest realm="a", nonce="old", algorithm=SHA-256"#;
    const BASIC: &str = r#"Basic realm="a""#;
    const BEARER: &str = r#"Bearer realm="a""#;

    /// Policy, credentials, challenges; what is chosen over TLS, and without.
    type Case<'a> = (Policy, &'a Kind, &'a [&'a str], [Option<&'a str>; 2]);

    /// The nonce or the scheme that is chosen.
    fn chosen(policy: Policy, kind: &Kind, lines: &[&str], is_secure: bool) -> Option<String> {
        let lines: Vec<_> = lines
            .iter()
            .map(|line| HeaderValue::from_str(line).expect("a line"))
            .collect();
        let choice = policy.choose(&parse_challenges(&lines), kind, is_secure)?;
        Some(match choice {
            Choice::Digest(challenge) => challenge.nonce,
            Choice::Basic => "basic".to_owned(),
            Choice::Bearer => "bearer".to_owned(),
        })
    }

    // A17, A19; conformance cases 51, 52, 53 and 62.
    #[test]
    fn the_strongest_that_may_be_answered_is_chosen() {
        let password = Credentials::new("a", "b").expect("credentials").0;
        let token = Credentials::bearer("abc").expect("a token").0;
        let default = Policy::new();
        let joined = [BASIC, MD5, SHA].join(", ");
        let odd = r#"negotiate abc==, dIGEST realm="a", nonce="odd", qop="auth,auth-conf", algorithm="sha-256""#;
        let unknown = r#"Digest realm="a", nonce="x", qop="auth", algorithm=SHA-3"#;
        let twice = r#"Digest realm="a", nonce="x", nonce="y", qop="auth", algorithm=SHA-256"#;
        let cases: [Case<'_>; 22] = [
            (default, &password, &[SHA], [Some("256"), Some("256")]),
            (
                default,
                &password,
                &[BASIC, MD5, SHA],
                [Some("256"), Some("256")],
            ),
            (default, &password, &[&joined], [Some("256"), Some("256")]),
            (
                default,
                &password,
                &[SHA, SHA_512],
                [Some("256"), Some("256")],
            ),
            (
                default,
                &password,
                &[SHA_512, SHA],
                [Some("512"), Some("512")],
            ),
            (default, &password, &[BASIC, MD5], [Some("md5"), None]),
            (default, &password, &[BASIC, NO_NAME], [Some("md5"), None]),
            (default, &password, &[BASIC], [Some("basic"), None]),
            (default, &password, &[BASIC, NO_QOP], [Some("basic"), None]),
            (default, &password, &[NO_QOP], [None, None]),
            (default, &password, &[odd], [Some("odd"), Some("odd")]),
            (
                default,
                &password,
                &[unknown, SHA],
                [Some("256"), Some("256")],
            ),
            (default, &password, &[twice, MD5], [Some("md5"), None]),
            (default, &password, &[], [None, None]),
            (default, &password, &[BEARER, "NTLM"], [None, None]),
            (default, &token, &[BEARER, SHA], [Some("bearer"), None]),
            (default, &token, &[BASIC, SHA], [None, None]),
            (
                default.allow_basic_in_clear(),
                &password,
                &[BASIC, MD5],
                [Some("md5"), Some("basic")],
            ),
            (
                default.allow_md5_in_clear(),
                &password,
                &[BASIC, MD5],
                [Some("md5"), Some("md5")],
            ),
            (
                default.refuse_md5(),
                &password,
                &[BASIC, MD5],
                [Some("basic"), None],
            ),
            (
                default.refuse_md5().allow_md5_in_clear(),
                &password,
                &[MD5],
                [None, None],
            ),
            (
                default.allow_bearer_in_clear(),
                &token,
                &[BEARER],
                [Some("bearer"), Some("bearer")],
            ),
        ];
        for (policy, kind, lines, expected) in cases {
            let got = [true, false].map(|is_secure| chosen(policy, kind, lines, is_secure));
            let expected = expected.map(|name| name.map(str::to_owned));
            assert_eq!(got, expected, "{lines:?} {policy:?}");
        }
    }
}
