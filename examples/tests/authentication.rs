//! The examples that want to know who you are.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use bytes::Bytes;
use cloverleaf::{Client, ClientTls, ErrorKind, config, entropy, request};
use cloverleaf_auth::client::{Credentials, Responder};
use cloverleaf_auth::digest::Hash;
use cloverleaf_auth::store::Htdigest;
use cloverleaf_proto::handshake::{Authenticator as _, ClientRequest};
use http::header::{AUTHORIZATION, ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use tempfile::TempDir;

/// A program that serves, killed at the end of the test.
struct Served {
    process: Child,
    said: BufReader<ChildStdout>,
}

impl Served {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut process = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let said = BufReader::new(process.stdout.take().expect("it is piped"));
        Self { process, said }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).expect("it says something");
        line.trim_end().to_owned()
    }

    fn hang_up(&self) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A certificate of its own authority, and the users of a realm.
fn write(folder: &Path, users: &[(&str, &str)]) -> ClientTls {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let pem = made.cert.pem();
    fs::write(folder.join("chain.pem"), &pem).expect("written");
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("written");
    let lines = users.iter().map(|(user, password)| {
        let line = Htdigest::line(user, "meadow", &(*password).into(), Hash::Sha256);
        format!("{}\n", line.expect("a name"))
    });
    fs::write(folder.join("users"), lines.collect::<String>()).expect("written");
    ClientTls::from_pem(pem.as_bytes()).expect("a certificate")
}

fn who(user: &str, password: &str) -> Responder {
    let credentials = Credentials::new(user, password).expect("credentials");
    Responder::new(entropy())
        .credentials(credentials)
        .require_proof()
}

#[tokio::test]
async fn secure_chat_knows_its_members_and_changes_users_and_certificate_while_they_talk() {
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let old = write(folder.path(), &[("ada", "clover")]);
    let (chain, key, users) = (at("chain.pem"), at("key.pem"), at("users"));
    let mut served = Served::start(
        env!("CARGO_BIN_EXE_secure_chat"),
        &[
            "--listen",
            "127.0.0.1:0",
            "--certificate",
            &chain,
            "--key",
            &key,
            "--htdigest",
            &users,
            "--realm",
            "meadow",
            "--origin",
            "https://meadow.example",
        ],
    );
    let line = served.line();
    let port = line.rsplit(':').next().expect("a port");
    let url = format!("wss://localhost:{port}/rooms/clover");
    let client = |tls: &ClientTls, user: &str, password: &str| {
        Client::new(config())
            .tls(tls.clone())
            .authenticate(who(user, password))
    };

    let mut ada = client(&old, "ada", "clover").connect(&url).await.unwrap();
    ada.send("hello").await.unwrap();
    assert_eq!(ada.recv().await.unwrap(), Some("ada: hello".into()));
    for (user, password) in [("ada", "moor"), ("bob", "moor")] {
        let error = client(&old, user, password)
            .connect(&url)
            .await
            .unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{user}");
    }
    let elsewhere = HeaderValue::from_static("https://elsewhere.example");
    let foreign = request(&url).unwrap().header(ORIGIN, elsewhere).unwrap();
    let error = client(&old, "ada", "clover")
        .request(foreign)
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));

    let new = write(folder.path(), &[("ada", "clover"), ("bob", "moor")]);
    served.hang_up();
    assert_eq!(served.line(), "2 users, 0 bad lines");
    assert_eq!(served.line(), "a new certificate");
    let mut bob = client(&new, "bob", "moor").connect(&url).await.unwrap();
    let error = client(&old, "bob", "moor").connect(&url).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
    // Who was there before is still there.
    bob.send("here I am").await.unwrap();
    assert_eq!(ada.recv().await.unwrap(), Some("bob: here I am".into()));
}

/// A whole answer to a GET, on a connection of its own or on this one.
fn get(stream: &mut TcpStream, authorization: Option<&str>) -> (String, String) {
    let credentials = authorization.map(|value| format!("Authorization: {value}\r\n"));
    let credentials = credentials.unwrap_or_default();
    write!(
        stream,
        "GET /ticket HTTP/1.1\r\nHost: a\r\n{credentials}\r\n"
    )
    .expect("an answer of text");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet).expect("an answer of text");
        head.push(octet[0]);
    }
    let head = String::from_utf8(head).expect("an answer of text");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |length| length.parse().expect("an answer of text"));
    let mut content = vec![0; length];
    stream.read_exact(&mut content).expect("an answer of text");
    (head, String::from_utf8(content).expect("an answer of text"))
}

#[tokio::test]
async fn ticket_auth_gives_a_ticket_to_who_has_the_password_and_takes_it_once() {
    let mut served = Served::start(env!("CARGO_BIN_EXE_ticket_auth"), &["127.0.0.1:0"]);
    let line = served.line();
    let address = line
        .strip_prefix("open http://")
        .and_then(|line| line.strip_suffix('/'))
        .expect("where it is")
        .to_owned();

    let mut stream = TcpStream::connect(&address).unwrap();
    let (head, _) = get(&mut stream, None);
    assert!(head.starts_with("HTTP/1.1 401"), "{head}");
    let mut refused = Response::builder().status(StatusCode::UNAUTHORIZED);
    for line in head.lines() {
        if let Some(challenge) = line.strip_prefix("WWW-Authenticate: ") {
            refused = refused.header(WWW_AUTHENTICATE, challenge);
        }
    }
    let refused = refused.body(Bytes::new()).unwrap();
    let asked = ClientRequest::new(&format!("ws://{address}/ticket")).unwrap();
    let mut handler = who("ada", "clover").begin(&asked);
    let headers = handler
        .retry(&asked.to_http(), &refused)
        .expect("an answer");
    let (head, ticket) = get(&mut stream, Some(headers[AUTHORIZATION].to_str().unwrap()));
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");

    let url = format!("ws://{address}/chat?ticket={ticket}");
    let mut socket = cloverleaf::connect(&url).await.unwrap();
    assert_eq!(socket.recv().await.unwrap(), Some("hello, ada".into()));
    for url in [
        url,
        format!("ws://{address}/chat"),
        format!("ws://{address}/chat?ticket=x"),
    ] {
        let error = cloverleaf::connect(&url).await.unwrap_err();
        assert_eq!(error.status(), Some(StatusCode::FORBIDDEN), "{url}");
    }
}
