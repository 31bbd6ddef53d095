//! The client that walks a fuzzing server's cases, against a small one of our own.

use std::sync::{Arc, Mutex};

use cloverleaf::proto::Config;
use cloverleaf::{Error, Message, Server, Transport, WebSocket};
use cloverleaf_conformance::profile;
use cloverleaf_conformance::testee::Testee;
use tokio::task::JoinHandle;

/// What the fuzzing server saw, in order.
type Log = Arc<Mutex<Vec<String>>>;

fn note(log: &Log, line: String) {
    log.lock().expect("nobody panicked").push(line);
}

/// A fuzzing server with three cases: a text echo, one that ends at once, and a binary
/// echo. It has no channels, as a fuzzing server has none outside of their cases. Returns its URL.
async fn fuzzing_server(log: Log) -> (String, JoinHandle<Result<(), Error>>) {
    let server = Server::bind("127.0.0.1:0")
        .await
        .expect("a free port")
        .config(cloverleaf::config());
    let url = format!("ws://{}", server.local_addr().expect("bound"));
    let handler = move |socket| serve(socket, Arc::clone(&log));
    (url, tokio::spawn(server.serve(handler)))
}

fn config() -> Config {
    profile::config(true).expect("the profile is valid")
}

async fn serve(mut socket: WebSocket<Transport>, log: Log) -> Result<(), Error> {
    let target = socket.opening().handshake.request().uri().to_string();
    note(&log, target.clone());
    let case = target
        .strip_prefix("/runCase?")
        .and_then(|query| query.split('&').next());
    match case {
        _ if target == "/getCaseCount" => socket.send("3").await?,
        Some("case=2") => return Ok(()),
        Some(case) => {
            let sent = if case == "case=1" {
                Message::text("héllo")
            } else {
                Message::binary(vec![7; 100_000])
            };
            socket.send(sent.clone()).await?;
            let same = socket.recv().await? == Some(sent);
            note(&log, format!("{case} echoed: {same}"));
        }
        None => {}
    }
    socket.close().await
}

#[tokio::test]
async fn every_case_is_run_in_order_whatever_becomes_of_the_one_before() {
    let log = Log::default();
    let (url, server) = fuzzing_server(Arc::clone(&log)).await;
    // A slash at the end of the address makes no difference.
    let testee = Testee::new(&format!("{url}/"), "Us & them", config());

    let count = testee
        .case_count()
        .await
        .expect("reached")
        .expect("a number");
    assert_eq!(count, 3);
    let mut ended = Vec::new();
    testee.run(1..=count, |case, _| ended.push(case)).await;
    assert_eq!(ended, [1, 2, 3]);
    testee.update_reports().await.expect("reached");
    server.abort();

    assert_eq!(
        *log.lock().expect("nobody panicked"),
        [
            "/getCaseCount",
            "/runCase?case=1&agent=Us%20%26%20them",
            "case=1 echoed: true",
            "/runCase?case=2&agent=Us%20%26%20them",
            "/runCase?case=3&agent=Us%20%26%20them",
            "case=3 echoed: true",
            "/updateReports?agent=Us%20%26%20them",
        ]
    );
}

#[tokio::test]
async fn an_answer_that_is_no_number_is_no_case_count() {
    let server = Server::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("ws://{}", server.local_addr().expect("bound"));
    let server = tokio::spawn(server.serve(|mut socket| async move {
        socket.send("many").await?;
        socket.close().await
    }));
    let testee = Testee::new(&url, "Us", config());
    assert_eq!(testee.case_count().await.expect("reached"), None);
    server.abort();
}
