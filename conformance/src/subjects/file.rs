//! The TOML of a subjects file, as it is written. What it means is checked in
//! [`library`](super::library).

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};

use cloverleaf_reports::{CloseVerdict, Role, Verdict};
use schemars::JsonSchema;
use serde::Deserialize;

/// Implementations of WebSocket that `cloverleaf check --subjects FILE` judges.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Subjects of cloverleaf check")]
pub(super) struct File {
    /// One entry an implementation.
    pub(super) subject: Vec<Entry>,
}

/// An implementation: a server, a client, or both.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// The name to report under.
    pub(super) name: String,
    /// Its version, for the report.
    pub(super) version: Option<String>,
    /// The language it is written in, or for.
    pub(super) language: Option<String>,
    /// Where to read about it.
    pub(super) homepage: Option<String>,
    /// What to install, once, before it is started.
    pub(super) install: Option<Install>,
    /// The working folder, relative to that of this file, which is the default.
    pub(super) folder: Option<String>,
    /// Environment variables. Placeholders are replaced in the values.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// How many seconds it may take to be ready, and to be silent beyond the time of its cases.
    pub(super) patience: Option<NonZeroU64>,
    /// The implementation as an echo server.
    pub(super) server: Option<Server>,
    /// The implementation as an echo client that walks the cases of a fuzzing server.
    pub(super) client: Option<Client>,
    /// What is known to be otherwise than it should, and accepted.
    #[serde(default)]
    pub(super) deviation: Vec<Deviation>,
}

/// An echo server.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// The program to start. Without it the server at `url` runs already.
    pub(super) command: Option<Command>,
    /// How it shows that it is ready.
    pub(super) ready: Option<Ready>,
    /// Where it listens: `ws://` or `wss://`.
    pub(super) url: Option<String>,
    /// At most so many cases run at a time.
    pub(super) jobs: Option<NonZeroUsize>,
}

/// An echo client: a program, or a browser.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    /// The program to start, with `{url}` for the address of the fuzzing server and `{agent}` for
    /// the name to report under.
    pub(super) command: Option<Command>,
    /// The browser to start, instead of a program.
    pub(super) browser: Option<Browser>,
    /// At most so many of it run at a time; of a browser, so many cases in its page.
    pub(super) jobs: Option<NonZeroUsize>,
}

/// A program and its arguments, which no shell reads, or a line for the shell.
#[derive(Deserialize, JsonSchema, Debug, Clone)]
#[serde(
    untagged,
    expecting = "expected a list of words, or one line for the shell"
)]
pub(super) enum Command {
    /// A line for `/bin/sh`.
    Line(String),
    /// The program, then its arguments.
    Words(Vec<String>),
}

/// How a server shows that it is ready.
#[derive(Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ready {
    /// It prints a line `listening on ws://ADDRESS`.
    #[default]
    Line,
    /// The host and port of `url` accept a TCP connection.
    Port,
}

/// A browser that can be driven.
#[derive(Deserialize, JsonSchema, Debug, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Browser {
    /// Chromium, or Chrome, from the path.
    Chromium,
}

/// What to install into the cache: packages of one registry, or a Cargo package.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Install {
    /// Packages from PyPI with their versions, `name==1.2.3`, into a virtual environment: `{python}`.
    pub(super) pypi: Option<Vec<String>>,
    /// The least version of Python 3 for them, such as `3.11`.
    pub(super) python: Option<String>,
    /// Packages from npm with their versions, `name@1.2.3`. Their programs must be among `files`.
    pub(super) npm: Option<Vec<String>>,
    /// The folder of a Cargo package with a lock file, relative to this file: `{bin}` is where its
    /// programs are put.
    pub(super) cargo: Option<String>,
    /// Features of the Cargo package to switch on.
    #[serde(default)]
    pub(super) features: Vec<String>,
    /// The programs of the Cargo package to build; without them all.
    #[serde(default)]
    pub(super) bins: Vec<String>,
    /// Files to copy beside the packages, relative to this file: `{installed}/NAME`.
    #[serde(default)]
    pub(super) files: Vec<String>,
}

/// Cases whose result is otherwise than it should be, and accepted.
#[derive(Deserialize, JsonSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Deviation {
    /// In this role; without it in each that the subject has.
    #[schemars(with = "Option<RoleName>")]
    pub(super) role: Option<Role>,
    /// Ids, or patterns such as `6.4.*`.
    pub(super) cases: Vec<String>,
    /// The verdict on the behaviour: NON-STRICT, UNIMPLEMENTED, FAILED, …
    #[schemars(with = "String")]
    pub(super) verdict: Verdict,
    /// The verdicts on the closing that go with it; without them OK.
    #[serde(default = "closed_well")]
    #[schemars(with = "Vec<String>")]
    pub(super) close: Vec<CloseVerdict>,
    /// It does not always show: it is no mistake of the list if it does not.
    #[serde(default)]
    pub(super) sometimes: bool,
    /// Why it is so, in a sentence for the readers of the report.
    pub(super) reason: String,
}

fn closed_well() -> Vec<CloseVerdict> {
    vec![CloseVerdict::Ok]
}

/// The role of a subject.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "stands for a type of another crate in the schema")]
enum RoleName {
    Server,
    Client,
}
