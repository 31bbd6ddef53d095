//! Faulty subjects judged in process, over a pipe in memory: with a paused clock, every wait of a
//! case takes no time.

use cloverleaf_judge::case::Case;
use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{self, Place};
use cloverleaf_judge::session::Options;
use cloverleaf_reports::{CaseResult, CloseVerdict, Role, Verdict};
use tokio::io::duplex;

use super::{Fault, echo, serve};

/// As much as a TCP connection holds between two processes.
const PIPE: usize = 256 << 10;

/// Judges an echo endpoint with this fault, or an honest one, by one case.
pub async fn judge(role: Role, case: &Case, fault: Option<Fault>, options: &Options) -> CaseResult {
    let (mut ours, theirs) = duplex(PIPE);
    let random = Random::seeded(1);
    match role {
        Role::Server => {
            let server = tokio::spawn(serve(theirs, fault));
            let place = Place::new("localhost", "/");
            let (result, _) = run::judge_server(ours, case, &place, options, random).await;
            server.abort();
            result
        }
        Role::Client => {
            let client = tokio::spawn(async move {
                echo(theirs, "localhost", "/runCase?case=1&agent=us", fault).await;
            });
            let result = match run::read_head(&mut ours, options.opening_timeout).await {
                Ok(request) => run::judge_client(ours, request, case, &[13], options, random).await,
                // There was nothing to judge.
                Err(_) => CaseResult::new(case.id.clone(), Verdict::Failed, CloseVerdict::Failed),
            };
            client.abort();
            result
        }
    }
}
