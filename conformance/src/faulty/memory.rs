//! Faulty subjects judged in process, over a pipe in memory: with a paused clock, every wait of a
//! case takes no time.

use std::io;
use std::sync::Arc;

use cloverleaf_judge::authentication::Credentials;
use cloverleaf_judge::case::{Case, Challenging, Plan};
use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{self, Dial, Place};
use cloverleaf_judge::session::Options;
use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{Fault, Guard, echo, serve, visit};

/// As much as a TCP connection holds between two processes.
const PIPE: usize = 256 << 10;

/// What subjects with credentials have, or take.
pub fn credentials() -> Credentials {
    Credentials::login("user", "pass word").with_token("c2VjcmV0.-_~")
}

/// Judges an echo endpoint with this fault, or an honest one, by one case.
pub async fn judge(role: Role, case: &Case, fault: Option<Fault>, options: &Options) -> CaseResult {
    let random = Random::seeded(1);
    let place = Place::new("localhost", "/");
    match (role, &case.plan) {
        (Role::Server, Plan::Guarded(plan)) => {
            let dial = Dialing {
                guard: Arc::new(Guard::new(&credentials())),
                fault,
            };
            let known = credentials();
            let judged = run::judge_guard(&dial, case, plan, &place, &known, options, random).await;
            judged.0
        }
        (Role::Client, Plan::Challenging(plan)) => {
            let (sender, mut visits) = unbounded_channel();
            let client = tokio::spawn(async move {
                let dial = || {
                    let (ours, theirs) = duplex(PIPE);
                    // The judge may have gone.
                    let sent = sender.send(ours);
                    async move { sent.map(|()| theirs).map_err(io::Error::other) }
                };
                let target = "/runCase?case=1&agent=us";
                visit(dial, "localhost", target, &credentials(), fault).await;
            });
            let result = challenged(&mut visits, case, plan, options, random).await;
            client.abort();
            result
        }
        (Role::Server, _) => {
            let (ours, theirs) = duplex(PIPE);
            let server = tokio::spawn(async move { serve(theirs, None, fault).await });
            let (result, _) = run::judge_server(ours, case, &place, options, random).await;
            server.abort();
            result
        }
        (Role::Client, _) => {
            let (mut ours, theirs) = duplex(PIPE);
            let client = tokio::spawn(async move {
                echo(theirs, "localhost", "/runCase?case=1&agent=us", fault).await;
            });
            let result = match run::read_head(&mut ours, options.opening_timeout).await {
                Ok(request) => run::judge_client(ours, request, case, &[13], options, random).await,
                Err(_) => nothing(case),
            };
            client.abort();
            result
        }
    }
}

/// There was nothing to judge.
fn nothing(case: &Case) -> CaseResult {
    CaseResult::new(case.id.clone(), Verdict::Failed, CloseVerdict::Failed)
}

/// Judges a client that opens connections as it likes.
async fn challenged(
    connections: &mut UnboundedReceiver<DuplexStream>,
    case: &Case,
    plan: &Challenging,
    options: &Options,
    random: Random,
) -> CaseResult {
    let Some(mut stream) = connections.recv().await else {
        return nothing(case);
    };
    let Ok(request) = run::read_head(&mut stream, options.opening_timeout).await else {
        return nothing(case);
    };
    let (sender, mut visits) = unbounded_channel();
    let known = credentials();
    let judging = run::judge_challenged(
        stream,
        request,
        &mut visits,
        case,
        plan,
        &known,
        &[13],
        options,
        random,
    );
    let bringing = async {
        while let Some(mut stream) = connections.recv().await {
            if let Ok(request) = run::read_head(&mut stream, options.opening_timeout).await {
                // The judge may be done.
                let _ = sender.send((stream, request));
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = judging => result,
        () = bringing => nothing(case),
    }
}

/// Opens connections to a server with a guard.
struct Dialing {
    guard: Arc<Guard>,
    fault: Option<Fault>,
}

impl Dial for Dialing {
    type Stream = DuplexStream;

    async fn dial(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = duplex(PIPE);
        let (guard, fault) = (Arc::clone(&self.guard), self.fault);
        // It ends with the judge's end of the pipe.
        tokio::spawn(async move { serve(theirs, Some(&guard), fault).await });
        Ok(ours)
    }
}
