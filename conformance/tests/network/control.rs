//! The URLs by which test clients steer the fuzzing server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use cloverleaf_conformance::native::fuzzing_server::News;
use cloverleaf_conformance::native::{FuzzingServer, Results};
use cloverleaf_conformance::spec::ServerSpec;
use cloverleaf_judge::cases;
use cloverleaf_reports::autobahn;
use cloverleaf_reports::{Role, Verdict};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use crate::raw::ask;

/// A fuzzing server for these cases; what it tells; what it has measured, once it has ended.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    news: UnboundedReceiver<News>,
    done: JoinHandle<Arc<Results>>,
}

/// Serves as this spec says. An `outdir` of the spec is not looked at.
pub(crate) async fn serve(spec: &str, outdir: &Path) -> Serving {
    let known = cloverleaf_conformance::catalog::known();
    let spec = ServerSpec::parse(spec, known).expect("a spec");
    let selected = cases::all()
        .into_iter()
        .filter(|case| spec.cases.contains(&case.id))
        .collect();
    let (sender, news) = unbounded_channel();
    let server = FuzzingServer::bind(([127, 0, 0, 1], 0).into(), selected)
        .await
        .expect("a port")
        .options(spec.options)
        .exclusions(spec.exclusions)
        .outdir(outdir.to_owned())
        .news(sender);
    let address = server.address().expect("an address");
    let done = tokio::spawn(server.serve_until(std::future::pending()));
    Serving {
        address,
        news,
        done,
    }
}

impl Serving {
    /// Runs a case as an honest echo client does.
    pub(crate) async fn run_case(&self, target: &str) {
        let url = format!("ws://{}{target}", self.address);
        let Ok(mut socket) = cloverleaf::Client::new(cloverleaf::config())
            .connect(&url)
            .await
        else {
            return;
        };
        // Many cases end in an error by design.
        while let Ok(Some(message)) = socket.recv().await {
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }

    async fn judged(&mut self) -> String {
        loop {
            match self.news.recv().await.expect("the server is there") {
                News::Judged(agent, result) => {
                    return format!(
                        "{agent} {}: {} / {}",
                        result.id, result.verdict, result.close_verdict
                    );
                }
                _ => continue,
            }
        }
    }
}

const THREE: &str = r#"{"url": "ws://h:1", "cases": ["1.1.1", "1.1.2", "2.1"]}"#;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[tokio::test]
async fn the_case_count_is_a_text_and_a_close_without_code() {
    let folder = folder();
    let serving = serve(THREE, folder.path()).await;
    let (head, mut raw) = ask(serving.address, "/getCaseCount").await;
    assert!(
        head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
        "{head}"
    );
    // The answer to the key of RFC 6455 §1.3.
    assert!(
        head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        "{head}"
    );
    raw.expect(&[0x81, 0x01, b'3']).await;
    raw.closed_without_code().await;
}

#[tokio::test]
async fn the_whole_suite_has_517_cases_for_old_spec_files() {
    let folder = folder();
    let serving = serve(r#"{"url": "ws://h:1", "cases": ["*"]}"#, folder.path()).await;
    let (_, raw) = ask(serving.address, "/getCaseCount?agent=ignored").await;
    assert_eq!(raw.said().await, "517");
}

#[tokio::test]
async fn case_info_has_id_and_description_by_number_and_by_id() {
    let folder = folder();
    let serving = serve(THREE, folder.path()).await;
    for target in ["/getCaseInfo?case=3", "/getCaseInfo?casetuple=2.1"] {
        let (_, raw) = ask(serving.address, target).await;
        let info: serde_json::Value = serde_json::from_str(&raw.said().await).expect("JSON");
        let info = info.as_object().expect("an object");
        let names: Vec<_> = info.keys().map(String::as_str).collect();
        assert_eq!(names, ["description", "id"], "{target}");
        assert_eq!(info["id"], "2.1", "{target}");
        let title = cases::all()
            .into_iter()
            .find(|case| case.id.as_str() == "2.1")
            .map(|case| case.title);
        assert_eq!(info["description"].as_str(), title.as_deref(), "{target}");
    }
}

#[tokio::test]
async fn a_case_runs_by_number_and_by_id_and_is_reported_under_the_agent() {
    let folder = folder();
    let mut serving = serve(THREE, folder.path()).await;
    serving.run_case("/runCase?case=3&agent=A%20B").await;
    assert_eq!(serving.judged().await, "A B 2.1: OK / OK");
    serving.run_case("/runCase?casetuple=1.1.2&agent=c+d").await;
    assert_eq!(serving.judged().await, "c d 1.1.2: OK / OK");
}

#[tokio::test]
async fn the_status_of_a_case_is_held_back_until_there_is_one() {
    let folder = folder();
    let serving = serve(THREE, folder.path()).await;
    let (head, mut raw) = ask(serving.address, "/getCaseStatus?case=1&agent=a").await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    {
        let text = raw.text();
        tokio::pin!(text);
        // Another agent's result, and another case, are not waited for.
        for target in ["/runCase?case=1&agent=b", "/runCase?case=2&agent=a"] {
            tokio::select! {
                text = &mut text => panic!("too early: {text}"),
                () = serving.run_case(target) => {}
            }
        }
        serving.run_case("/runCase?case=1&agent=a").await;
        assert_eq!(text.await, r#"{"behavior":"OK"}"#);
    }
    raw.closed_without_code().await;
    // And one that is there already comes at once.
    let (_, raw) = ask(serving.address, "/getCaseStatus?casetuple=1.1.1&agent=b").await;
    assert_eq!(raw.said().await, r#"{"behavior":"OK"}"#);
}

#[tokio::test]
async fn a_case_that_runs_again_has_no_verdict_until_it_is_over() {
    let folder = folder();
    let serving = serve(THREE, folder.path()).await;
    serving.run_case("/runCase?case=1&agent=a").await;
    let (_, raw) = ask(serving.address, "/getCaseStatus?case=1&agent=a").await;
    assert_eq!(raw.said().await, r#"{"behavior":"OK"}"#);

    let (_, mut again) = ask(serving.address, "/runCase?case=1&agent=a").await;
    // The judge has begun; a text frame without payload is its first.
    again.expect(&[0x81, 0x00]).await;
    let (_, status) = ask(serving.address, "/getCaseStatus?case=1&agent=a").await;
    drop(again);
    assert_eq!(status.said().await, r#"{"behavior":"FAILED"}"#);
}

#[tokio::test]
async fn reports_are_written_as_often_as_asked_for_and_the_server_goes_on() {
    let folder = folder();
    let serving = serve(THREE, folder.path()).await;
    for (case, count) in [("1.1.1", 1), ("2.1", 2)] {
        let target = format!("/runCase?casetuple={case}&agent=a");
        serving.run_case(&target).await;
        // The verdict may come a moment after the client has seen the end.
        let (_, raw) = ask(
            serving.address,
            &format!("/getCaseStatus?casetuple={case}&agent=a"),
        )
        .await;
        raw.said().await;
        let (head, raw) = ask(serving.address, "/updateReports?agent=a").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw.closed_without_code().await;
        let run = autobahn::read_dir(folder.path(), Role::Client).expect("reports");
        let subject = run.subject("a").expect("reported");
        assert_eq!(subject.results.len(), count);
        assert!(
            subject
                .results
                .values()
                .all(|result| result.verdict == Verdict::Ok)
        );
        assert!(folder.path().join("index.html").is_file());
    }
}

#[tokio::test]
async fn the_server_ends_after_its_reports_when_told_to() {
    for (parameter, ends) in [("true", true), ("YES", true), ("false", false)] {
        let folder = folder();
        let serving = serve(THREE, folder.path()).await;
        let target = format!("/updateReports?agent=a&shutdownOnComplete={parameter}");
        let (_, raw) = ask(serving.address, &target).await;
        raw.closed_without_code().await;
        assert!(folder.path().join("index.json").is_file(), "{parameter}");
        if ends {
            let results = serving.done.await.expect("ends");
            assert!(results.run().subjects.is_empty());
        } else {
            let (_, raw) = ask(serving.address, "/getCaseCount").await;
            assert_eq!(raw.said().await, "3");
        }
    }
}

#[tokio::test]
async fn stop_server_ends_it_with_what_it_has_measured() {
    let folder = folder();
    let mut serving = serve(THREE, folder.path()).await;
    serving.run_case("/runCase?case=1&agent=a").await;
    serving.judged().await;
    let (_, raw) = ask(serving.address, "/stopServer").await;
    raw.closed_without_code().await;
    let run = serving.done.await.expect("ends").run();
    assert_eq!(run.subject("a").expect("measured").results.len(), 1);
}

#[tokio::test]
async fn an_excluded_case_is_opened_and_closed_at_once_and_not_reported() {
    let folder = folder();
    let spec = r#"{"url": "ws://h:1", "cases": ["1.1.*"],
        "exclude-agent-cases": {"Mozilla*": ["1.1.1", "1.1.3*"]}}"#;
    let mut serving = serve(spec, folder.path()).await;
    for case in ["1", "3"] {
        let target = format!("/runCase?case={case}&agent=Mozilla/5.0");
        let (head, raw) = ask(serving.address, &target).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        raw.closed_without_code().await;
    }
    serving
        .run_case("/runCase?case=2&agent=Mozilla%2F5.0")
        .await;
    assert_eq!(serving.judged().await, "Mozilla/5.0 1.1.2: OK / OK");
    serving.run_case("/runCase?case=1&agent=other").await;
    assert_eq!(serving.judged().await, "other 1.1.1: OK / OK");
    let (_, raw) = ask(serving.address, "/stopServer").await;
    raw.closed_without_code().await;
    let run = serving.done.await.expect("ends").run();
    let ids: Vec<_> = run
        .subject("Mozilla/5.0")
        .expect("one")
        .results
        .keys()
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

#[tokio::test]
async fn what_cannot_be_followed_is_answered_with_500_and_harms_nothing() {
    let folder = folder();
    let serving = serve(THREE, folder.path()).await;
    for target in [
        "/runCase?case=0&agent=a",
        "/runCase?case=4&agent=a",
        "/runCase?case=-1&agent=a",
        "/runCase?case=99999999999999999999&agent=a",
        "/runCase?case=one&agent=a",
        "/runCase?casetuple=1.1.3&agent=a",
        "/runCase?casetuple=1.1&agent=a",
        "/runCase?agent=a",
        "/runCase?case=1",
        "/runCase?case=1&agent=",
        "/runCase?case=1&case=1&agent=a",
        "/runCase?case=1&agent=a&agent=a",
        "/runCase",
        "/getCaseInfo",
        "/getCaseInfo?case=4",
        "/getCaseStatus?case=1",
        "/getCaseStatus?case=4&agent=a",
        "/updateReports",
        "/getCaseCount?case=x",
        "/updateReports?agent=a&shutdownOnComplete=true&shutdownOnComplete=true",
    ] {
        let (head, raw) = ask(serving.address, target).await;
        assert!(head.starts_with("HTTP/1.1 500 "), "{target}: {head}");
        raw.rest().await;
    }
    // The original cannot write reports any more after a case without an agent.
    let (_, raw) = ask(serving.address, "/updateReports?agent=a").await;
    raw.closed_without_code().await;
    let run = autobahn::read_dir(folder.path(), Role::Client).expect("reports");
    assert!(run.subjects.is_empty());
}
