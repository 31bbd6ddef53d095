//! Judges servers: a connection per case, many at a time.

use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use cloverleaf_judge::authentication::Credentials;
use cloverleaf_judge::case::{Case, Plan};
use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{self, Dial, Place};
use cloverleaf_reports::{CaseResult, Role};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::settings::judge_options;
use super::transport::connect;
use crate::spec::client::JudgedServer;
use crate::spec::{AgentExclusions, Options, WsUrl};

/// A server that refuses a connection is tried again after these pauses: it may have a full
/// backlog, or be starting anew after a crash.
const RETRIES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(500),
    Duration::from_secs(2),
];

/// A server to judge.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Where it listens.
    pub url: WsUrl,
    /// The name to report under; if there is none, the server's own.
    pub agent: Option<String>,
    /// The host name for TLS, if it is not the URL's.
    pub hostname: Option<String>,
    /// `Origin`, if one is to be sent.
    pub origin: Option<String>,
    /// Subprotocols to offer.
    pub protocols: Vec<String>,
    /// What it takes, if it wants credentials; the cases that need some run only then.
    pub credentials: Credentials,
    /// How the judge behaves.
    pub options: Options,
}

impl Target {
    /// The server at this URL under the default options.
    pub fn new(url: WsUrl) -> Self {
        Self {
            url,
            agent: None,
            hostname: None,
            origin: None,
            protocols: Vec::new(),
            credentials: Credentials::default(),
            options: Options::default(),
        }
    }
}

impl From<JudgedServer> for Target {
    fn from(server: JudgedServer) -> Self {
        Self {
            url: server.url,
            agent: server.agent,
            hostname: server.hostname,
            origin: server.origin,
            protocols: server.protocols,
            credentials: Credentials::default(),
            options: server.options,
        }
    }
}

/// What happens while a server is judged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum News {
    /// A case was judged, under this agent's name.
    Judged(String, Box<CaseResult>),
    /// The server cannot be reached any more; the cases that are left will not run.
    Unreachable(String),
}

/// The fuzzing client.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FuzzingClient {
    /// What to run.
    pub cases: Arc<[Case]>,
    /// Cases that are left out for some agents.
    pub exclusions: Arc<AgentExclusions>,
    /// How many cases run at a time.
    pub jobs: NonZeroUsize,
    /// Places that others want too; each case takes one.
    places: Option<Arc<Semaphore>>,
}

impl FuzzingClient {
    /// Runs these cases, so many at a time.
    pub fn new(cases: impl Into<Arc<[Case]>>, jobs: NonZeroUsize) -> Self {
        Self {
            cases: cases.into(),
            exclusions: Arc::default(),
            jobs,
            places: None,
        }
    }

    /// A case runs only when it gets one of these places.
    pub(crate) fn sharing(mut self, places: Arc<Semaphore>) -> Self {
        self.places = Some(places);
        self
    }

    /// Judges a server. Results come through the channel; it closes when all cases have run or
    /// the server is gone.
    pub fn judge(&self, target: Target) -> UnboundedReceiver<News> {
        let (sender, receiver) = unbounded_channel();
        let client = self.clone();
        tokio::spawn(async move {
            let shared = Arc::new(Shared {
                next: AtomicUsize::new(0),
                gone: AtomicBool::new(false),
                target,
                agent: tokio::sync::OnceCell::new(),
            });
            let mut workers = JoinSet::new();
            for _ in 0..client.jobs.get().min(client.cases.len()) {
                let (client, shared) = (client.clone(), Arc::clone(&shared));
                let sender = sender.clone();
                workers.spawn(async move {
                    loop {
                        let _place = match &client.places {
                            // The semaphore is never closed.
                            Some(places) => Some(places.acquire().await),
                            None => None,
                        };
                        let Some(case) = shared.next(&client.cases) else {
                            return;
                        };
                        let news = client.run(case, &shared).await;
                        let ended = sender.is_closed();
                        if let Some(news) = news {
                            // Whoever listened may have gone.
                            let _ = sender.send(news);
                        }
                        if ended {
                            return;
                        }
                    }
                });
            }
            // If whoever listens goes away, so do the connections.
            tokio::select! {
                () = sender.closed() => {}
                () = async { while workers.join_next().await.is_some() {} } => {}
            }
        });
        receiver
    }

    async fn run(&self, case: &Case, shared: &Shared) -> Option<News> {
        let target = &shared.target;
        if let Some(agent) = &target.agent
            && self.exclusions.excludes(agent, &case.id)
        {
            return None;
        }
        let first = match reach(target).await {
            Ok(stream) => stream,
            Err(error) => {
                let first = !shared.gone.swap(true, Ordering::Relaxed);
                let url = target.url.as_str();
                return first
                    .then(|| News::Unreachable(format!("{url} cannot be reached: {error}")));
            }
        };
        let mut place = Place::new(authority(&target.url), target.url.target());
        place.origin.clone_from(&target.origin);
        place.protocols.clone_from(&target.protocols);
        place.version = target.options.draft.header();
        let options = judge_options(&target.options);
        let random = Random::new();
        let (result, named) = match &case.plan {
            Plan::Guarded(plan) if !target.credentials.are_none() => {
                // Such a case opens its connections itself.
                drop(first);
                let (dial, known) = (Dialing { target }, &target.credentials);
                run::judge_guard(&dial, case, plan, &place, known, &options, random).await
            }
            _ => run::judge_server(first, case, &place, &options, random).await,
        };
        let agent = match &target.agent {
            Some(agent) => agent.clone(),
            None => shared.name(named).await,
        };
        if self.exclusions.excludes(&agent, &case.id) {
            return None;
        }
        Some(News::Judged(agent, Box::new(result)))
    }
}

/// Opens connections to a server, one after the other.
struct Dialing<'a> {
    target: &'a Target,
}

impl Dial for Dialing<'_> {
    type Stream = Box<dyn super::transport::ByteStream>;

    async fn dial(&self) -> io::Result<Self::Stream> {
        reach(self.target).await
    }
}

/// What the workers of one server share.
struct Shared {
    next: AtomicUsize,
    gone: AtomicBool,
    target: Target,
    agent: tokio::sync::OnceCell<String>,
}

impl Shared {
    fn next<'a>(&self, cases: &'a [Case]) -> Option<&'a Case> {
        loop {
            if self.gone.load(Ordering::Relaxed) {
                return None;
            }
            let case = cases.get(self.next.fetch_add(1, Ordering::Relaxed))?;
            if case.subjects.include(Role::Server) {
                return Some(case);
            }
        }
    }

    /// The server's name: what it first called itself.
    async fn name(&self, named: Option<String>) -> String {
        let name = || async { named.unwrap_or_else(|| "UnknownServer".to_owned()) };
        self.agent.get_or_init(name).await.clone()
    }
}

async fn reach(target: &Target) -> io::Result<Box<dyn super::transport::ByteStream>> {
    let hostname = target.hostname.as_deref();
    for pause in RETRIES {
        match connect(&target.url, hostname, target.options.tcp_no_delay).await {
            Ok(stream) => return Ok(stream),
            Err(_) => sleep(pause).await,
        }
    }
    connect(&target.url, hostname, target.options.tcp_no_delay).await
}

/// Host and port as the `Host` field has them (RFC 6455 §4.1).
fn authority(url: &WsUrl) -> String {
    let host = url.host();
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let usual = if url.is_secure() { 443 } else { 80 };
    if url.port() == usual {
        host
    } else {
        format!("{host}:{}", url.port())
    }
}
