//! What is recorded, and how much of it.

/// What is recorded, and how much of it.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) limit: u64,
    pub(crate) snap: usize,
    pub(crate) payloads: bool,
    pub(crate) credentials: bool,
    /// In lower case.
    pub(crate) redacted: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        let redacted = [
            "authorization",
            "cookie",
            "proxy-authorization",
            "set-cookie",
        ];
        Self {
            limit: u64::MAX,
            snap: usize::MAX,
            payloads: true,
            credentials: false,
            redacted: redacted.map(str::to_owned).into(),
        }
    }
}

impl Options {
    /// Everything but credentials, without end.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The file shall not have more octets than this. The frame that would cross the limit is left
    /// out, a comment on a last packet says so, and nothing more is recorded. Default: no limit.
    #[must_use]
    pub const fn limit(mut self, octets: u64) -> Self {
        self.limit = octets;
        self
    }

    /// Of each frame's payload only so many octets are kept. What is cut is missing from the packets,
    /// which say how long they were, as after a capture with a snapshot length. Default: all.
    #[must_use]
    pub const fn snap(mut self, octets: usize) -> Self {
        self.snap = octets;
        self
    }

    /// Zeros in place of every payload, but for the code in a close frame. What is compressed then
    /// cannot be inflated. Default: payloads are recorded.
    #[must_use]
    pub const fn without_payloads(mut self) -> Self {
        self.payloads = false;
        self
    }

    /// Leaves the value of one more header field out of the heads, such as one in which a token
    /// stands. Default: `Authorization`, `Proxy-Authorization`, `Cookie` and `Set-Cookie`.
    #[must_use]
    pub fn redact(mut self, field: &str) -> Self {
        self.redacted.push(field.to_ascii_lowercase());
        self
    }

    /// Records the heads as they are, credentials, cookies and the query of the target too. What
    /// [`redact`](Self::redact) says does not count then.
    #[must_use]
    pub const fn keep_credentials(mut self) -> Self {
        self.credentials = true;
        self
    }
}
