//! The `cloverleaf` program, run as a person runs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

fn cloverleaf(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloverleaf"));
    command.args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_usage_error_exits_with_2_and_advice() {
    for (arguments, advice) in [
        (&["check", "--cases", "9.1"][..], "write `9.1.*`"),
        (
            &["check", "--cases", "1.1.1", "--exclude", "1.*"],
            "leave no case",
        ),
        (&["check", "--suite", "autobahn"], "wstest"),
        (&["check", "--subject", "nobody"], "tokio-tungstenite"),
        (&["check", "--subjects", "/no/such.toml"], "/no/such.toml"),
        (
            &["check", "--subject", "ws", "--server-command", "x"],
            "cannot be used with",
        ),
        (
            &["check", "--strict", "--allow", "1.*"],
            "cannot be used with",
        ),
        (
            &[
                "echo",
                "--tls-cert",
                "no-such.pem",
                "--tls-key",
                "no-such.pem",
            ],
            "no-such.pem",
        ),
        (&["testee"], "<URL>"),
        (
            &["testee", "http://127.0.0.1:9", "--range", "2-1"],
            "FIRST-LAST",
        ),
        (&[], "Usage"),
    ] {
        let output = cloverleaf(arguments).output().expect("starts");
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(error.contains(advice), "{arguments:?}: {error}");
    }
}

#[test]
fn the_echo_server_says_when_it_is_ready_and_ends_with_its_input() {
    let mut server = cloverleaf(&["echo", "--listen", "127.0.0.1:0", "--end-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut output = BufReader::new(server.stdout.take().expect("piped"));
    let mut line = String::new();
    output.read_line(&mut line).expect("a line");
    let address = line
        .strip_prefix("listening on ws://")
        .unwrap_or_else(|| panic!("unexpected: {line}"))
        .trim();

    let mut stream = TcpStream::connect(address).expect("reachable");
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    .expect("sent");
    let mut head = String::new();
    let mut stream = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") {
        assert!(
            stream.read_line(&mut head).expect("read") > 0,
            "cut short: {head}"
        );
    }
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.to_lowercase()
            .contains("sec-websocket-extensions: permessage-deflate"),
        "{head}"
    );

    // "Hello", masked with the key of RFC 6455 section 5.7, and the echo without a mask.
    let masked = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    stream.get_mut().write_all(&masked).expect("sent");
    let mut first = [0; 2];
    stream.read_exact(&mut first).expect("an echo");
    // RSV1 is set: the profile compresses even what does not shrink.
    assert_eq!(first[0], 0xc1);

    drop(server.stdin.take());
    assert!(server.wait().expect("ended").success());
}

#[test]
fn a_testee_without_a_server_exits_with_3() {
    // Port 9 (discard) has no listener on any machine that this is likely to run on.
    let output = cloverleaf(&["testee", "ws://127.0.0.1:9"])
        .output()
        .expect("starts");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
}

#[test]
fn a_check_by_the_native_suite_needs_nothing_else_and_exits_with_0() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let output = cloverleaf(&[
        "check", "--cases", "1.1.*", "5.1", "12.1.1", "--fast", "--out",
    ])
    .arg(folder.path())
    .output()
    .expect("starts");
    let (table, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{table}{error}");
    assert!(table.contains("All as expected."), "{table}");
    assert!(error.contains("server 10/10, client 10/10"), "{error}");
    assert!(folder.path().join("index.html").is_file());
}

#[test]
fn a_subject_with_a_fault_fails_a_check_of_a_server_that_runs_already() {
    let mut server = cloverleaf(&["echo", "--listen", "127.0.0.1:0", "--end-with-stdin"])
        .args(["--fault", "text-as-binary"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut line = String::new();
    let mut output = BufReader::new(server.stdout.take().expect("piped"));
    output.read_line(&mut line).expect("a line");
    let url = line.trim().strip_prefix("listening on ").expect("a URL");
    let folder = tempfile::tempdir().expect("temporary folder");
    let output = cloverleaf(&[
        "check", "--role", "server", "--cases", "1.1.1", "1.2.1", "--out",
    ])
    .arg(folder.path())
    .args(["--server-url", url])
    .output()
    .expect("starts");
    drop(server.stdin.take());
    assert!(server.wait().expect("ended").success());
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(table.contains("FAILED, close WRONG CODE: 1.1.1"), "{table}");
}

/// Runs a check with kosoku, which is quick to install, into a fresh folder. `None`, having
/// said why, where it cannot be installed.
fn check_with_kosoku(arguments: &[&str]) -> Option<(Output, tempfile::TempDir)> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let output = cloverleaf(&["check", "--suite", "kosoku", "--out"])
        .arg(folder.path())
        .args(arguments)
        .output()
        .expect("starts");
    let error = text(&output.stderr);
    if output.status.code() == Some(2)
        && (error.contains("kosoku needs Python") || error.contains("failed while"))
    {
        eprintln!("SKIPPED, kosoku cannot be installed here: {error}");
        return None;
    }
    Some((output, folder))
}

#[test]
fn a_check_of_our_server_and_client_exits_with_0() {
    let cases = ["--cases", "1.*", "2.*", "7.7.*", "12.1.1"];
    let Some((output, folder)) = check_with_kosoku(&cases) else {
        return;
    };
    let (table, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{table}{error}");
    assert!(table.contains("All as expected."), "{table}");
    assert!(error.contains("server 41/41, client 41/41"), "{error}");
    for file in [
        "servers/index.json",
        "clients/cloverleaf_case_7_7_13.json",
        "index.html",
    ] {
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

#[test]
fn a_check_of_a_server_that_refuses_connections_fails() {
    let server = "echo listening on ws://127.0.0.1:9; cat";
    let arguments = [
        "--role",
        "server",
        "--cases",
        "1.1.*",
        "--server-command",
        server,
    ];
    let Some((output, folder)) = check_with_kosoku(&arguments) else {
        return;
    };
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{table}");
    assert!(table.contains("NOT as expected."), "{table}");
    assert!(
        folder
            .path()
            .join("run/Cloverleaf-server/01/judge.log")
            .is_file()
    );
}

#[test]
fn a_check_of_a_program_that_is_no_server_exits_with_3() {
    let arguments = [
        "--role",
        "server",
        "--cases",
        "1.1.1",
        "--server-command",
        "false",
    ];
    let Some((output, _folder)) = check_with_kosoku(&arguments) else {
        return;
    };
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{error}");
    assert!(error.contains("ended before it said"), "{error}");
}

#[test]
fn a_check_that_is_told_to_end_leaves_a_report_that_says_so_and_no_child() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("subjects.toml");
    // Without compression the first case is not as expected, so that a line tells when it is over;
    // those of group 9 come behind it and take long.
    let subjects = "[[subject]]\nname = \"x\"\nserver.command = \"echo $$ > pid; exec '{cloverleaf}' \
                    echo --listen 127.0.0.1:0 --end-with-stdin --no-deflate\"\n";
    std::fs::write(&file, subjects).expect("written");
    let out = folder.path().join("out");
    let mut check = cloverleaf(&[
        "check",
        "--jobs",
        "1",
        "--cases",
        "negotiation.bit.1",
        "9.*",
    ])
    .arg("--subjects")
    .arg(&file)
    .arg("--out")
    .arg(&out)
    .stdout(Stdio::null())
    .stderr(Stdio::piped())
    .spawn()
    .expect("starts");
    let mut output = BufReader::new(check.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("negotiation.bit.1") {
        line.clear();
        assert!(output.read_line(&mut line).expect("read") > 0, "it ended");
    }
    let kill = |arguments: &[&str]| {
        let mut kill = Command::new("kill");
        kill.args(arguments).stderr(Stdio::null());
        kill.status().expect("kill runs").success()
    };
    assert!(kill(&["-TERM", &check.id().to_string()]));
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("read");
    assert_eq!(check.wait().expect("ended").code(), Some(3), "{rest}");

    let text = std::fs::read_to_string(out.join("results.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let troubles = record["troubles"].to_string();
    assert!(troubles.contains("told to end"), "{troubles}");
    let results = &record["runs"][0]["subjects"][0]["results"];
    assert_eq!(results["negotiation.bit.1"]["verdict"], "UNIMPLEMENTED");
    assert_eq!(results["9.8.6"]["verdict"], "MISSING");
    assert!(out.join("index.html").is_file());
    let pid = std::fs::read_to_string(folder.path().join("pid")).expect("it was started");
    assert!(!kill(&["-0", pid.trim()]), "the server still runs");
}

#[test]
fn certificates_are_made_once_and_serve_at_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("made");
    let made = |arguments: &[&str]| {
        let mut command = cloverleaf(&["cert", "--client", "alice", "--out"]);
        let output = command.arg(&out).args(arguments).output().expect("starts");
        (
            output.status.code(),
            text(&output.stdout),
            text(&output.stderr),
        )
    };
    let (code, told, error) = made(&[]);
    assert_eq!(code, Some(0), "{error}");
    assert!(told.contains("cloverleaf echo --tls-cert"), "{told}");
    assert!(told.contains("wss://localhost:9001/ --ca"), "{told}");
    let read = |name: &str| std::fs::read(out.join(name)).expect(name);
    let mode = |name: &str| {
        let data = std::fs::metadata(out.join(name)).expect(name);
        data.permissions().mode() & 0o777
    };
    for name in ["ca", "server", "alice"] {
        assert_eq!(mode(&format!("{name}.key")), 0o600, "{name}");
        assert!(read(&format!("{name}.pem")).starts_with(b"-----BEGIN CERTIFICATE"));
    }

    let before = read("server.pem");
    let (code, _, error) = made(&[]);
    assert_eq!(code, Some(2));
    assert!(error.contains("--force"), "{error}");
    assert!(read("server.pem") == before, "not touched");
    assert_eq!(made(&["--force"]).0, Some(0));
    assert!(read("server.pem") != before);
    assert_eq!(mode("server.key"), 0o600);

    serve_with(&out);
}

/// Serves with the certificate in this folder, and asks for a client's.
#[tokio::main(flavor = "current_thread")]
async fn serve_with(folder: &std::path::Path) {
    use cloverleaf::{
        Certificate, Client, ClientCertificates, ClientTls, Server, ServerTls, TlsError, config,
    };

    let path = |name: &str| folder.join(name);
    let required = ClientCertificates::Required;
    let tls = ServerTls::from_files(path("server.pem"), path("server.key"))
        .and_then(|tls| tls.client_authorities_file(path("ca.pem"), required));
    let server = Server::bind("127.0.0.1:0").await.expect("a port");
    let port = server.local_addr().expect("an address").port();
    tokio::spawn(server.tls(tls.expect("usable")).serve(async |_| Ok(())));
    let alice = Certificate::from_files(path("alice.pem"), path("alice.key"));
    let trusted = ClientTls::from_file(path("ca.pem")).expect("usable");
    let tls = trusted.clone().certificate(alice.expect("usable"));
    let client = Client::new(config()).tls(tls.expect("usable"));
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("wss://{host}:{port}/");
        client.connect(&url).await.expect("trusted, and let in");
        let error = Client::new(config())
            .tls(trusted.clone())
            .connect(&url)
            .await;
        let error = error.expect_err("no certificate is shown");
        assert!(matches!(error.tls(), Some(TlsError::Alert(116))), "{error}");
    }
}
