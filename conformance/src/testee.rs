//! The echo client that walks the cases of a fuzzing server: our subject in the role of a
//! client.
//!
//! The server is told what to do by the URL: `/getCaseCount` answers with a number,
//! `/runCase?case=N&agent=A` runs the Nth of its cases, `/updateReports?agent=A` makes it
//! write its reports. Where the server accepts `mux`, a case has as many channels as it gives slots
//! for.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use cloverleaf::proto::Config;
use cloverleaf::{Client, Error, Message};

use crate::channels;

/// A fuzzing server, and the name to report under.
#[derive(Debug)]
pub struct Testee {
    client: Client,
    url: String,
    agent: String,
}

impl Testee {
    /// A testee for the fuzzing server at `url`, such as `ws://127.0.0.1:9001`.
    pub fn new(url: &str, agent: &str, config: Config) -> Self {
        Self {
            client: Client::new(config),
            url: url.trim_end_matches('/').to_owned(),
            agent: percent_encoded(agent),
        }
    }

    /// How many cases the server has.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached; `Ok(None)` if it answers with something else than a
    /// number.
    pub async fn case_count(&self) -> Result<Option<u32>, Error> {
        let mut socket = self
            .client
            .connect(&format!("{}/getCaseCount", self.url))
            .await?;
        let answer = socket.recv().await?;
        // The answer is there; how the connection ends does not matter.
        let _ = socket.recv().await;
        Ok(match answer {
            Some(Message::Text(text)) => text.trim().parse().ok(),
            _ => None,
        })
    }

    /// Runs cases one after the other, echoing every message. Most of them end in an error by
    /// design, so `on_end` is told how each ended, and the next one follows.
    pub async fn run(
        &self,
        cases: RangeInclusive<u32>,
        mut on_end: impl FnMut(u32, Result<(), Error>),
    ) {
        for case in cases {
            on_end(case, self.run_case(case).await);
        }
    }

    async fn run_case(&self, case: u32) -> Result<(), Error> {
        let url = format!("{}/runCase?case={case}&agent={}", self.url, self.agent);
        let request = cloverleaf::request(&url)?;
        let (socket, multiplexer) = self.client.multiplex(request).await?;
        channels::echo(socket, multiplexer, &url).await
    }

    /// Makes the server write its reports.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached. How it ends the connection does not matter: kosoku
    /// drops it.
    pub async fn update_reports(&self) -> Result<(), Error> {
        let url = format!("{}/updateReports?agent={}", self.url, self.agent);
        let mut socket = self.client.connect(&url).await?;
        while let Ok(Some(_)) = socket.recv().await {}
        Ok(())
    }
}

/// The text as the value of a query parameter (RFC 3986 section 2).
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("writing to a String does not fail");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_name_survives_the_query() {
        for (name, encoded) in [
            ("Cloverleaf", "Cloverleaf"),
            ("a b&c=d", "a%20b%26c%3Dd"),
            ("naïve/1.0", "na%C3%AFve%2F1.0"),
            ("", ""),
        ] {
            assert_eq!(percent_encoded(name), encoded);
        }
    }
}
