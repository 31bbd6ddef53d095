//! `cloverleaf fuzzingclient` and `cloverleaf fuzzingserver` as a person runs them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use cloverleaf_reports::autobahn;
use cloverleaf_reports::{Role, Verdict};
use tokio::net::TcpStream;

use crate::raw::{ask, ask_over, dying_after, nobody};
use crate::servers::{certificate, echo};

/// The program, in this folder.
fn cloverleaf(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloverleaf"));
    command.current_dir(folder).args(arguments);
    command
}

/// Runs it to its end. The servers that it judges live in this test's runtime, so it must not
/// block that.
async fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = cloverleaf(folder, arguments);
    let Output {
        status,
        stdout,
        stderr,
    } = tokio::task::spawn_blocking(move || command.output().expect("starts"))
        .await
        .expect("runs");
    let text = |octets| String::from_utf8(octets).expect("text");
    (status.code(), text(stdout), text(stderr))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
}

#[tokio::test]
async fn a_server_is_judged_and_reported_and_the_exit_code_says_so() {
    let folder = folder();
    let url = echo(None).await;
    let spec = format!(
        r#"{{"servers": [{{"url": "{url}", "agent": "Echo"}}], "outdir": "out/servers",
            "cases": ["1.1.1", "7.1.6"], "webport": 8080}}"#
    );
    write(folder.path(), "fuzzingclient.json", &spec);
    // Without -s, the file of this name is used.
    let (code, out, error) = run(folder.path(), &["fuzzingclient"]).await;
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(
        error.contains("`webport` at the top is not known"),
        "{error}"
    );
    assert!(out.contains("Echo 1.1.1: OK / OK"), "{out}");
    assert!(out.contains("Echo 7.1.6: INFORMATIONAL / "), "{out}");
    assert!(out.contains("out/servers/index.html"), "{out}");
    let run = autobahn::read_dir(&folder.path().join("out/servers"), Role::Server);
    let run = run.expect("reports");
    assert_eq!(run.subject("Echo").expect("Echo").results.len(), 2);
}

#[tokio::test]
async fn a_server_that_fails_makes_the_exit_code_1() {
    let folder = folder();
    let address = crate::raw::answering(b"HTTP/1.1 200 OK\r\n\r\n").await;
    write(
        folder.path(),
        "spec.json",
        r#"{"servers": [], "cases": ["1.1.1"], "outdir": "o"}"#,
    );
    let url = format!("ws://{address}");
    let (code, out, error) = run(
        folder.path(),
        &["fuzzingclient", "-s", "spec.json", "-w", &url],
    )
    .await;
    assert_eq!(code, Some(1), "{out}{error}");
    assert!(
        out.contains("UnknownServer 1.1.1: FAILED / FAILED"),
        "{out}"
    );
    assert!(
        folder
            .path()
            .join("o/unknownserver_case_1_1_1.json")
            .is_file()
    );
}

#[tokio::test]
async fn what_was_measured_before_a_server_died_is_reported_with_exit_code_3() {
    let folder = folder();
    let back = echo(None).await;
    let back = back
        .trim_start_matches("ws://")
        .parse()
        .expect("an address");
    let (front, gone) = (dying_after(1, back).await, nobody().await);
    let spec = format!(
        r#"{{"servers": [{{"url": "ws://{gone}", "agent": "gone"}},
            {{"url": "ws://{front}", "agent": "mortal"}}], "cases": ["1.1.1", "1.1.2", "1.1.3"]}}"#
    );
    write(folder.path(), "spec.json", &spec);
    let arguments = ["fuzzingclient", "-s", "spec.json", "-o", "out"];
    let (code, out, error) = run(folder.path(), &arguments).await;
    assert_eq!(code, Some(3), "{out}{error}");
    for address in [gone, front] {
        let trouble = format!("ws://{address} cannot be reached: ");
        assert!(error.contains(&trouble), "{error}");
        assert!(out.contains(&format!("INCOMPLETE: {trouble}")), "{out}");
    }
    let run = autobahn::read_dir(&folder.path().join("out"), Role::Server).expect("reports");
    let mortal = run.subject("mortal").expect("measured");
    let first = mortal.results.values().next().expect("a result");
    assert_eq!((first.id.as_str(), &first.verdict), ("1.1.1", &Verdict::Ok));
}

#[tokio::test]
async fn mistakes_are_refused_with_advice_before_anything_runs() {
    let folder = folder();
    let server = r#""servers": [{"url": "ws://127.0.0.1:1"}]"#;
    for (mode, spec, advice) in [
        ("fuzzingclient", "{".to_owned(), "not JSON at line 1"),
        (
            "fuzzingclient",
            format!(r#"{{{server}, "cases": ["9.1"]}}"#),
            "for all cases below it write `9.1.*`",
        ),
        (
            "fuzzingclient",
            r#"{"servers": [], "cases": ["*"]}"#.to_owned(),
            "name one with -w URL",
        ),
        (
            "fuzzingserver",
            r#"{"url": "wss://h:1", "cases": ["*"]}"#.to_owned(),
            "or with -k and -c",
        ),
        (
            "fuzzingserver",
            r#"{"url": "wss://h:1", "cases": ["*"], "key": "no.pem", "cert": "no.pem"}"#.to_owned(),
            "no.pem",
        ),
        (
            "fuzzingserver",
            r#"{"cases": ["*"]}"#.to_owned(),
            "`url` is missing",
        ),
    ] {
        write(folder.path(), "bad.json", &spec);
        let (code, _, error) = run(folder.path(), &[mode, "-s", "bad.json"]).await;
        assert_eq!(code, Some(2), "{spec}: {error}");
        assert!(error.contains(advice), "{spec}: {error}");
    }
    let (code, _, error) = run(folder.path(), &["fuzzingclient", "-s", "none.json"]).await;
    assert_eq!(code, Some(2));
    assert!(
        error.contains("none.json: there is no such file"),
        "{error}"
    );
    assert!(!folder.path().join("reports").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named_with_a_way_out() {
    let folder = folder();
    write(folder.path(), "file", "");
    write(
        folder.path(),
        "spec.json",
        r#"{"servers": [{"url": "ws://127.0.0.1:1"}], "cases": ["1.1.1"], "outdir": "file/x"}"#,
    );
    let (code, _, error) = run(folder.path(), &["fuzzingclient", "-s", "spec.json"]).await;
    assert_eq!(code, Some(2));
    assert!(error.contains("cannot use file/x: "), "{error}");
    assert!(
        error.contains("(--outdir DIR takes another folder)"),
        "{error}"
    );
}

/// A running `cloverleaf fuzzingserver`.
struct Running {
    child: Child,
    output: BufReader<ChildStdout>,
    line: String,
    address: SocketAddr,
}

/// Writes a spec with a port that is free now in place of PORT.
async fn write_spec(folder: &Path, name: &str, spec: &str) {
    let port = nobody().await.port().to_string();
    write(folder, name, &spec.replace("PORT", &port));
}

/// Starts it, and waits until it listens.
fn start(folder: &Path, arguments: &[&str]) -> Running {
    let mut child = cloverleaf(folder, arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.starts_with("listening on ") {
        line.clear();
        assert!(
            output.read_line(&mut line).expect("a line") > 0,
            "no address"
        );
    }
    let (_, address) = line.trim().split_once("://").expect("a URL");
    let address = address.parse().expect("an address");
    Running {
        child,
        output,
        line,
        address,
    }
}

impl Running {
    /// What it has printed and its exit code, once it has ended.
    fn end(mut self) -> (Option<i32>, String, String) {
        let (mut out, mut error) = (String::new(), String::new());
        self.output.read_to_string(&mut out).expect("text");
        let mut stderr = self.child.stderr.take().expect("piped");
        stderr.read_to_string(&mut error).expect("text");
        (self.child.wait().expect("ended").code(), out, error)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed must not leave it behind; one that passed has seen it end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SPEC: &str = r#"{"url": "ws://localhost:PORT", "outdir": "clients", "cases": ["1.1.1", "2.1"],
    "webport": 8080, "exclude-agent-cases": {"a": ["2.1"]}}"#;

#[tokio::test]
async fn a_client_is_judged_until_it_stops_the_server() {
    let folder = folder();
    write_spec(folder.path(), "fuzzingserver.json", SPEC).await;
    let running = start(folder.path(), &["fuzzingserver"]);
    assert!(running.line.starts_with("listening on ws://127.0.0.1:"));
    let config = cloverleaf_conformance::profile::config(true).expect("a configuration");
    for case in 1..=2 {
        let url = format!("ws://{}/runCase?case={case}&agent=a", running.address);
        let mut socket = cloverleaf::Client::new(config.clone())
            .connect(&url)
            .await
            .expect("opened");
        while let Ok(Some(message)) = socket.recv().await {
            socket.send(message).await.expect("sent");
        }
    }
    let (head, raw) = ask(running.address, "/runCase?case=3&agent=a").await;
    assert!(head.starts_with("HTTP/1.1 500 "), "{head}");
    raw.rest().await;
    let target = "/updateReports?agent=a&shutdownOnComplete=true";
    let (_, raw) = ask(running.address, target).await;
    raw.closed_without_code().await;
    let (code, out, error) = tokio::task::spawn_blocking(|| running.end())
        .await
        .expect("ended");
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(error.contains("`webport` at the top"), "{error}");
    assert!(error.contains("refused: "), "{error}");
    assert!(out.contains("a 1.1.1: OK / OK"), "{out}");
    assert!(!out.contains("a 2.1"), "{out}");
    assert!(out.contains("reports written"), "{out}");
    let reports = autobahn::read_dir(&folder.path().join("clients"), Role::Client);
    assert_eq!(reports.expect("reports").subjects.len(), 1);
}

#[tokio::test]
async fn with_a_key_and_a_certificate_clients_come_over_tls() {
    let folder = folder();
    let (chain, key) = certificate();
    write(folder.path(), "cert.pem", &chain);
    write(folder.path(), "key.pem", &key);
    write_spec(
        folder.path(),
        "spec.json",
        r#"{"url": "wss://localhost:PORT", "cases": ["*"], "key": "missing.pem", "cert": "cert.pem"}"#,
    )
    .await;
    // The flag comes before the field.
    let arguments = ["fuzzingserver", "-s", "spec.json", "-k", "key.pem"];
    let running = start(folder.path(), &arguments);
    assert!(running.line.starts_with("listening on wss://"));
    let tls = cloverleaf::ClientTls::from_pem(chain.as_bytes()).expect("TLS");
    let url = format!("wss://localhost:{}/getCaseCount", running.address.port());
    let mut socket = cloverleaf::Client::new(cloverleaf::config())
        .tls(tls)
        .connect(&url)
        .await
        .expect("opened");
    let count = socket.recv().await.expect("received").expect("a message");
    assert_eq!(count, cloverleaf::Message::text("517"));
    // Plain HTTP at that port is no connection, and no harm.
    let tcp = TcpStream::connect(running.address)
        .await
        .expect("reachable");
    let asking = tokio::spawn(ask_over(tcp, "/getCaseCount"));
    assert!(asking.await.is_err(), "TLS was expected");
    let mut stop = cloverleaf::Client::new(cloverleaf::config())
        .tls(cloverleaf::ClientTls::from_pem(chain.as_bytes()).expect("TLS"))
        .connect(&format!(
            "wss://localhost:{}/stopServer",
            running.address.port()
        ))
        .await
        .expect("opened");
    while let Ok(Some(_)) = stop.recv().await {}
    let (code, out, error) = tokio::task::spawn_blocking(|| running.end())
        .await
        .expect("ended");
    assert_eq!(code, Some(0), "{out}{error}");
    assert!(error.contains("TLS handshake"), "{error}");
}

#[tokio::test]
async fn two_runs_do_not_share_a_folder_at_a_time() {
    let folder = folder();
    write_spec(folder.path(), "spec.json", SPEC).await;
    let arguments = ["fuzzingserver", "-s", "spec.json"];
    let running = start(folder.path(), &arguments);
    let (code, _, error) = run(folder.path(), &arguments).await;
    assert_eq!(code, Some(2), "{error}");
    assert!(
        error.contains("cannot use clients: another run is writing there"),
        "{error}"
    );
    let (_, raw) = ask(running.address, "/stopServer").await;
    raw.closed_without_code().await;
    let (code, _, _) = tokio::task::spawn_blocking(|| running.end())
        .await
        .expect("ended");
    assert_eq!(code, Some(0));
    // The folder is free again.
    drop(start(folder.path(), &arguments));
}
