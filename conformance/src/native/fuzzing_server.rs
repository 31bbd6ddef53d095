//! Judges clients: they connect and say by the URL what they want. Browsers get a page that does.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cloverleaf_judge::authentication::Credentials;
use cloverleaf_judge::case::{Case, Challenging, Plan, Program};
use cloverleaf_judge::opening;
use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{self, Received};
use cloverleaf_reports::{CaseId, CaseResult, Role};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::direct::Talk;
use super::settings::judge_options;
use super::transport::{ByteStream, ServerTls};
use super::{Page, Results};
use crate::spec::control::CaseRef;
use crate::spec::{AgentExclusions, Control, Options};

/// Connections at a time, unless the options say otherwise: more than any client opens.
const MAX_CONNECTIONS: usize = 1024;

/// What the server judges by.
#[derive(Debug)]
#[non_exhaustive]
pub struct FuzzingServer {
    listener: TcpListener,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    cases: Vec<Case>,
    ids: Vec<CaseId>,
    page: Page,
    exclusions: AgentExclusions,
    options: Options,
    tls: Option<ServerTls>,
    credentials: Credentials,
    visits: Visits,
    outdir: Option<PathBuf>,
    results: Arc<Results>,
    news: Option<mpsc::UnboundedSender<News>>,
    stop: watch::Sender<bool>,
}

type Visit = (Box<dyn ByteStream>, Received);

/// The cases in which a client may come again, on another connection, by agent.
#[derive(Debug, Default)]
struct Visits(Mutex<HashMap<(String, CaseId), mpsc::UnboundedSender<Visit>>>);

impl Visits {
    fn lock(&self) -> MutexGuard<'_, HashMap<(String, CaseId), mpsc::UnboundedSender<Visit>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a connection to the case that waits for it; if none does, returns it with what the
    /// case is told of those that follow.
    fn bring(
        &self,
        place: &(String, CaseId),
        visit: Visit,
    ) -> Option<(Visit, mpsc::UnboundedReceiver<Visit>)> {
        let mut open = self.lock();
        let visit = match open.get(place) {
            None => visit,
            Some(sender) => match sender.send(visit) {
                Ok(()) => return None,
                Err(unsent) => unsent.0,
            },
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        open.insert(place.clone(), sender);
        Some((visit, receiver))
    }

    fn end(&self, place: &(String, CaseId)) {
        self.lock().remove(place);
    }
}

/// What happens while clients are judged.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum News {
    /// A case has begun for this agent.
    Running(String, CaseId),
    /// A case was judged.
    Judged(String, Box<CaseResult>),
    /// The reports were written, or why they could not be.
    Reports(Result<(), String>),
    /// A request that could not be followed, and why.
    Refused(String),
}

impl FuzzingServer {
    /// Listens on `address`. Cases that can only judge servers are left out.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub async fn bind(address: SocketAddr, cases: Vec<Case>) -> io::Result<Self> {
        let cases: Vec<_> = cases
            .into_iter()
            .filter(|case| case.subjects.include(Role::Client))
            .collect();
        let shared = Shared {
            ids: cases.iter().map(|case| case.id.clone()).collect(),
            page: Page::new(&cases, None),
            cases,
            exclusions: AgentExclusions::default(),
            options: Options::default(),
            tls: None,
            credentials: Credentials::default(),
            visits: Visits::default(),
            outdir: None,
            results: Arc::new(Results::new(Role::Client)),
            news: None,
            stop: watch::Sender::new(false),
        };
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            shared: Arc::new(shared),
        })
    }

    fn change(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            change(shared);
        }
        self
    }

    /// With these options.
    #[must_use]
    pub fn options(self, options: Options) -> Self {
        self.change(|shared| shared.options = options)
    }

    /// Without some cases for some agents.
    #[must_use]
    pub fn exclusions(self, exclusions: AgentExclusions) -> Self {
        self.change(|shared| shared.exclusions = exclusions)
    }

    /// With TLS.
    #[must_use]
    pub fn tls(self, tls: Option<ServerTls>) -> Self {
        self.change(|shared| shared.tls = tls)
    }

    /// What the clients have, if anything; the cases that need credentials run only then.
    #[must_use]
    pub fn credentials(self, credentials: Credentials) -> Self {
        self.change(|shared| shared.credentials = credentials)
    }

    /// Reports go into this folder when a client asks for them.
    #[must_use]
    pub fn outdir(self, outdir: PathBuf) -> Self {
        self.change(|shared| shared.outdir = Some(outdir))
    }

    /// What happens is told here.
    #[must_use]
    pub fn news(self, news: mpsc::UnboundedSender<News>) -> Self {
        self.change(|shared| shared.news = Some(news))
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// If the operating system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The page for browsers, to be served at another port. At its own, this server has it at `/`.
    ///
    /// # Errors
    ///
    /// If the operating system does not say where this server listens.
    pub fn page_elsewhere(&self) -> io::Result<Page> {
        let port = self.address()?.port();
        let secure = self.shared.tls.is_some();
        Ok(Page::new(&self.shared.cases, Some((secure, port))))
    }

    /// Serves until a client stops the server, or `stop` is ready; returns what was measured.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) -> Arc<Results> {
        let shared = self.shared;
        let most = shared
            .options
            .max_connections
            .and_then(|most| usize::try_from(most).ok());
        let places = Arc::new(Semaphore::new(most.unwrap_or(MAX_CONNECTIONS)));
        let mut stopped = shared.stop.subscribe();
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => break,
                // The sender lives as long as we do.
                () = async { drop(stopped.wait_for(|stop| *stop).await) } => break,
                accepted = self.listener.accept() => {
                    // No more descriptors, say: the next one may do better.
                    let Ok((tcp, _)) = accepted else {
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                        continue;
                    };
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        continue;
                    };
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        shared.serve(tcp).await;
                        drop(place);
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
        connections.shutdown().await;
        Arc::clone(&shared.results)
    }
}

impl Shared {
    fn tell(&self, news: News) {
        if let Some(sender) = &self.news {
            // Whoever listened may have gone.
            let _ = sender.send(news);
        }
    }

    async fn serve(&self, tcp: TcpStream) {
        // A connection that breaks this early is the client's affair.
        let _ = tcp.set_nodelay(self.options.tcp_no_delay);
        let stream: Box<dyn ByteStream> = match &self.tls {
            None => Box::new(tcp),
            Some(tls) => match tls.accept(tcp).await {
                Ok(stream) => stream,
                Err(error) => {
                    return self.tell(News::Refused(format!("TLS handshake: {error}")));
                }
            },
        };
        self.follow(stream).await;
    }

    /// Reads a request and does what it asks for.
    async fn follow(&self, mut stream: Box<dyn ByteStream>) {
        let limit = judge_options(&self.options).opening_timeout;
        let request = match run::read_head(&mut stream, limit).await {
            Ok(request) => request,
            Err(error) => return self.tell(News::Refused(error.to_string())),
        };
        if let Some(answer) = self.page.answer(&request.head) {
            // The browser may be gone already.
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
            return;
        }
        let target = request.head.target().unwrap_or("/").to_owned();
        let control = match Control::parse(&target) {
            Ok(control) => control,
            Err(error) => return self.refuse(stream, 500, &error.to_string()).await,
        };
        let origin = request.head.value("Origin").unwrap_or_default();
        if !self.options.allows_origin(origin) {
            return self.refuse(stream, 400, "this origin is not let in").await;
        }
        match control {
            Control::RunCase { case, agent } => self.run_case(stream, request, &case, &agent).await,
            Control::CaseCount => {
                self.talk(
                    stream,
                    request,
                    Talk::Say(Some(self.cases.len().to_string())),
                )
                .await;
            }
            Control::CaseInfo { case } => match self.find(&case) {
                Ok(case) => {
                    let info = json!({ "id": case.id, "description": case.title });
                    self.talk(stream, request, Talk::Say(Some(info.to_string())))
                        .await;
                }
                Err(error) => self.refuse(stream, 500, &error).await,
            },
            Control::CaseStatus { case, agent } => match self.find(&case) {
                Ok(case) => {
                    // The connection is opened at once; what it says waits for the verdict.
                    let status = async {
                        let verdict = self.results.verdict(&agent, &case.id).await;
                        Talk::Say(Some(json!({ "behavior": verdict }).to_string()))
                    };
                    self.talk_later(stream, request, status).await;
                }
                Err(error) => self.refuse(stream, 500, &error).await,
            },
            Control::UpdateReports { shutdown, .. } => {
                if let Some(outdir) = &self.outdir {
                    let written = self
                        .results
                        .write(outdir, &[])
                        .map_err(|error| error.to_string());
                    self.tell(News::Reports(written));
                }
                self.talk(stream, request, Talk::Say(None)).await;
                if shutdown {
                    self.stop.send_replace(true);
                }
            }
            Control::StopServer => {
                self.talk(stream, request, Talk::Say(None)).await;
                self.stop.send_replace(true);
            }
            Control::Direct => self.talk(stream, request, Talk::Obey).await,
        }
    }

    fn find(&self, case: &CaseRef) -> Result<&Case, String> {
        let (number, _) = case.find(&self.ids).map_err(|error| error.to_string())?;
        let at = usize::try_from(number)
            .unwrap_or(usize::MAX)
            .wrapping_sub(1);
        self.cases
            .get(at)
            .ok_or_else(|| "there is no such case".to_owned())
    }

    async fn run_case(
        &self,
        stream: Box<dyn ByteStream>,
        request: Received,
        case: &CaseRef,
        agent: &str,
    ) {
        let case = match self.find(case) {
            Ok(case) => case,
            Err(error) => return self.refuse(stream, 500, &error).await,
        };
        if self.exclusions.excludes(agent, &case.id) {
            // As the original does: opened and closed at once, and no entry in the report.
            return self.talk(stream, request, Talk::Say(None)).await;
        }
        if let Plan::Challenging(plan) = &case.plan
            && !self.credentials.are_none()
        {
            return self.challenge((stream, request), case, plan, agent).await;
        }
        self.results.begin(agent, &case.id);
        self.tell(News::Running(agent.to_owned(), case.id.clone()));
        let options = judge_options(&self.options);
        let versions = &self.options.versions;
        let result =
            run::judge_client(stream, request, case, versions, &options, Random::new()).await;
        self.results.insert(agent, result.clone());
        self.tell(News::Judged(agent.to_owned(), Box::new(result)));
    }

    /// Runs a case in which the client may come again.
    async fn challenge(&self, visit: Visit, case: &Case, plan: &Challenging, agent: &str) {
        let place = (agent.to_owned(), case.id.clone());
        let Some(((stream, request), mut visits)) = self.visits.bring(&place, visit) else {
            return;
        };
        self.results.begin(agent, &case.id);
        self.tell(News::Running(agent.to_owned(), case.id.clone()));
        let options = judge_options(&self.options);
        let judging = run::judge_challenged(
            stream,
            request,
            &mut visits,
            case,
            plan,
            &self.credentials,
            &self.options.versions,
            &options,
            Random::new(),
        );
        let result = judging.await;
        self.visits.end(&place);
        self.results.insert(agent, result.clone());
        self.tell(News::Judged(agent.to_owned(), Box::new(result)));
    }

    /// Opens a connection that runs no case.
    async fn talk(&self, stream: Box<dyn ByteStream>, request: Received, talk: Talk) {
        self.talk_later(stream, request, std::future::ready(talk))
            .await;
    }

    /// The same, if it takes time to know what to say.
    async fn talk_later(
        &self,
        stream: Box<dyn ByteStream>,
        request: Received,
        talk: impl Future<Output = Talk>,
    ) {
        let program = async { Box::new(talk.await) as Box<dyn Program> };
        let options = judge_options(&self.options);
        run::talk_to_client(stream, request, program, &self.options.versions, &options).await;
    }

    async fn refuse(&self, mut stream: Box<dyn ByteStream>, status: u16, reason: &str) {
        self.tell(News::Refused(reason.to_owned()));
        let text = opening::refusal(&(status, reason.to_owned()));
        // The client may be gone already.
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }
}
