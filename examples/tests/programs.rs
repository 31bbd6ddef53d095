//! Every example runs, and prints what it promises.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

/// A server on a free port, killed at the end of the test.
struct Served(Child);

impl Served {
    /// The server, and the line with which it says where it is.
    fn start(program: &str) -> (Self, String) {
        let mut process = Command::new(program)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output)
            .read_line(&mut line)
            .expect("the server says where it is");
        (Self(process), line.trim().to_owned())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The echo server, and where it is.
struct EchoServer {
    _process: Served,
    address: String,
}

impl EchoServer {
    fn start() -> Self {
        let (process, line) = Served::start(env!("CARGO_BIN_EXE_echo_server"));
        let address = line
            .strip_prefix("listening on ws://")
            .unwrap_or_else(|| panic!("not an address: {line:?}"))
            .to_owned();
        Self {
            _process: process,
            address,
        }
    }
}

fn run(program: &str, arguments: &[&str], input: &str) -> String {
    let mut process = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    process
        .stdin
        .take()
        .expect("it is piped")
        .write_all(input.as_bytes())
        .expect("the program reads");
    let output = process.wait_with_output().expect("the program ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} failed: {errors}");
    String::from_utf8(output.stdout).expect("it prints text")
}

#[test]
fn the_echo_client_gets_its_lines_back_from_the_echo_server() {
    let server = EchoServer::start();
    let url = format!("ws://{}", server.address);
    let long = "compressible ".repeat(1000);
    let input = format!("one\n\u{3c0}\u{3b1}\n{long}\n");
    assert_eq!(
        run(env!("CARGO_BIN_EXE_echo_client"), &[&url], &input),
        input
    );
}

#[test]
fn the_mux_client_says_hello_in_a_dozen_rooms_over_one_connection() {
    let (server, line) = Served::start(env!("CARGO_BIN_EXE_mux_chat"));
    let (page, url) = line
        .strip_prefix("open http://")
        .and_then(|line| line.strip_suffix("`"))
        .and_then(|line| line.split_once("/ or run `mux_client "))
        .unwrap_or_else(|| panic!("not where to go: {line:?}"));
    assert_eq!(url, format!("ws://{page}"));
    let output = run(env!("CARGO_BIN_EXE_mux_client"), &[url, "ann", "1"], "");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "12 rooms over 1 connection");
    assert_eq!(lines.len(), 13, "{output}");
    for room in ["clover", "moor"] {
        let hello = format!("{room:>8} | ann: hello, {room}");
        assert!(lines.contains(&hello.as_str()), "{output}");
    }
    drop(server);
}

#[test]
fn the_mux_client_says_so_when_the_server_does_not_multiplex() {
    let server = EchoServer::start();
    let url = format!("ws://{}", server.address);
    let output = run(env!("CARGO_BIN_EXE_mux_client"), &[&url, "ann", "1"], "");
    let expected = "12 rooms over 12 connections: the server does not multiplex\n";
    assert!(output.starts_with(expected), "{output}");
}

#[test]
fn the_loop_without_tokio_speaks_with_the_echo_server_and_closes_cleanly() {
    let server = EchoServer::start();
    let output = run(env!("CARGO_BIN_EXE_sans_io_loop"), &[&server.address], "");
    assert_eq!(output, "got Text(\"hello\")\nclosed with code 1000\n");
}

#[test]
fn tls_works_with_trust_and_not_without() {
    let output = run(env!("CARGO_BIN_EXE_tls"), &[], "");
    let (refused, accepted) = output.split_once('\n').expect("two lines");
    assert!(refused.contains("TLS with the server failed"), "{refused}");
    assert_eq!(accepted, "with trust: Some(Text(\"over TLS\"))\n");
}

#[test]
fn the_custom_extension_is_agreed_shifts_and_answers_on_its_opcode() {
    assert_eq!(
        run(env!("CARGO_BIN_EXE_custom_extension"), &[], ""),
        "agreed: x-caesar; shift=13\n\
         server got Text(\"Hello, world!\")\n\
         client got Some(Text(\"Hello, world!\"))\n\
         Opcode-B: shift is 13\n"
    );
}

#[test]
fn heartbeats_tell_how_far_away_the_server_is_and_that_its_clock_is_an_hour_ahead() {
    let output = run(env!("CARGO_BIN_EXE_heartbeat"), &[], "");
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 10, "{output}");
    assert_eq!(lines[0], "agreed: x-heartbeat; resolution=ms");
    for (n, line) in lines[1..9].iter().enumerate() {
        let beginning = format!("beat {n}: there and back in ");
        assert!(line.starts_with(&beginning), "{line}");
    }
    assert!(lines[9].contains("8 answers), offset +3"), "{}", lines[9]);
}

#[test]
fn the_capture_holds_what_was_said_and_not_the_token() {
    let name = format!("cloverleaf-example-{}.pcapng", std::process::id());
    let path = std::env::temp_dir().join(name);
    let shown = path.to_str().expect("the folder's name is text");
    let output = run(env!("CARGO_BIN_EXE_capture"), &[shown], "");
    assert_eq!(output, format!("recording, {shown}\n"));
    let file = std::fs::read(&path).expect("it was made");
    std::fs::remove_file(&path).expect("it is ours");
    let holds = |text: &str| file.windows(text.len()).any(|at| at == text.as_bytes());
    assert!(holds("GET /chat?[redacted] HTTP/1.1") && holds("hello"));
    assert!(holds("permessage-deflate") && !holds("secret"));
}

#[test]
fn the_dictionary_is_used_where_the_server_has_it_and_else_deflate_and_else_nothing() {
    let output = run(env!("CARGO_BIN_EXE_dictionary"), &[], "");
    let lines: Vec<&str> = output.lines().collect();
    let [first, same, another, none] = lines.as_slice() else {
        panic!("{output}");
    };
    let id = first.strip_prefix("dictionary ").expect("its id");
    // How many octets of how many.
    let sizes = |line: &str, beginning: &str| {
        let rest = line
            .strip_prefix(beginning)
            .unwrap_or_else(|| panic!("{line}"));
        let (sent, wire) = rest.split_once(" octets sent as ").expect("both sizes");
        let number = |text: &str| text.parse::<u32>().expect("a number");
        (number(sent), number(wire))
    };
    let (sent, compressed) = sizes(
        same,
        &format!("the same dictionary: x-zstd-dictionary; id={id}: "),
    );
    let (again, deflated) = sizes(
        another,
        "another dictionary: permessage-deflate; server_no_context_takeover; \
         client_no_context_takeover: ",
    );
    assert_eq!(sent, again);
    assert!(compressed * 2 < deflated && deflated < sent, "{output}");
    assert_eq!(
        *none,
        "no extension at all: nothing agreed: sent as they are"
    );
}
