//! Our engine judged in process, over a pipe in memory: with a paused clock, every wait of a case
//! takes no time.

use crate::channels;
use cloverleaf::proto::Config;
use cloverleaf::{Acceptor, Client, Error, ServerOptions, WebSocket};
use cloverleaf_judge::case::Case;
use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{self, Place};
use cloverleaf_judge::session::Options;
use cloverleaf_reports::CaseResult;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};

/// As much as a TCP connection holds between two processes.
const PIPE: usize = 256 << 10;

/// Judges our echo server by one case.
pub async fn judge_our_server(case: &Case, config: Config, options: &Options) -> CaseResult {
    let (ours, theirs) = duplex(PIPE);
    let server = tokio::spawn(async move {
        let acceptor = Acceptor::new(config, ServerOptions::default());
        // Most cases end in an error by design.
        let _ = acceptor.serve(theirs, echo).await;
    });
    let place = Place::new("localhost", "/");
    let (result, _) = run::judge_server(ours, case, &place, options, Random::seeded(1)).await;
    server.abort();
    result
}

/// Judges our echo client by one case.
///
/// # Panics
///
/// If the client sends no request: then there is nothing to judge.
pub async fn judge_our_client(case: &Case, config: Config, options: &Options) -> CaseResult {
    let (mut ours, theirs) = duplex(PIPE);
    let client = tokio::spawn(open(theirs, config));
    let request = run::read_head(&mut ours, options.opening_timeout)
        .await
        .expect("our client sends a request");
    let random = Random::seeded(1);
    let result = run::judge_client(ours, request, case, &[13], options, random).await;
    client.abort();
    result
}

async fn open(stream: DuplexStream, config: Config) -> Result<(), Error> {
    let url = "ws://localhost/runCase?case=1&agent=us";
    let client = Client::new(config);
    let request = cloverleaf::request(url)?;
    let (socket, multiplexer) = client.multiplex_over(stream, request).await?;
    channels::echo(socket, multiplexer, url).await
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocket<S>) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
