//! Many WebSockets over one connection, by hand.

use std::sync::Arc;

use cloverleaf::proto::extension::Extensions;
use cloverleaf::proto::handshake::{Received, Rejection};
use cloverleaf::{CloseCode, Config, Error, Server, ServerOptions, Transport, WebSocket};
use cloverleaf_mux::Mux;

use crate::hostile::assert_harmless;
use crate::run::{Connected, Echo, connect, serve};

/// A server that speaks mux, and refuses `/forbidden`.
fn multiplexing<F, H>(handler: H) -> String
where
    H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let mut config: Config = cloverleaf::config();
    config.extensions = Extensions::new().with(Mux::new()).expect("a name");
    let mut options = ServerOptions::default();
    options.guards.push(Arc::new(|received: &mut Received| {
        match received.request.uri().path() {
            "/forbidden" => Err(Rejection::new(http::StatusCode::FORBIDDEN, "\x1b[2Jno")),
            _ => Ok(()),
        }
    }));
    serve(
        move |server: Server| server.config(config).options(options),
        handler,
    )
}

fn path(socket: &WebSocket<Transport>) -> String {
    let request = socket.opening().handshake.request();
    request.uri().path().to_owned()
}

#[test]
fn lines_go_to_the_channel_that_was_opened_last_until_another_is_chosen() {
    let echo = Echo::start(&["--mux"]);
    let url = format!("{}/a", echo.url);
    let input = "one\n/open /b?c=d\ntwo\n/channel 1\nthree\n/channel all\nfour\n/channels\n";
    let ended = connect(&[&url, "--mux", "--trace=messages"], input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let sent: Vec<_> = ended
        .err
        .lines()
        .filter_map(|line| line.strip_prefix("* messages "))
        .filter_map(|line| line.split_once("> Text fin, "))
        .map(|(number, text)| (number, text.split_once('"').expect("a text").1))
        .collect();
    let mut texts: Vec<_> = sent.iter().map(|(number, text)| (*number, *text)).collect();
    texts.sort_unstable();
    assert_eq!(
        texts,
        [
            ("[1] ", "four\""),
            ("[1] ", "one\""),
            ("[1] ", "three\""),
            ("[2] ", "four\""),
            ("[2] ", "two\""),
        ]
    );
    let mut out: Vec<_> = ended.out.lines().collect();
    out.retain(|line| !line.ends_with("one"));
    out.sort_unstable();
    assert_eq!(out, ["[1] four", "[1] three", "[2] four", "[2] two"]);
    for line in [
        "* > 1  /a, open\n",
        "* > 2  /b?c=d, open\n",
        "* 63 more may be opened\n",
    ] {
        assert!(ended.err.contains(line), "{line}: {}", ended.err);
    }
}

#[test]
fn the_server_tells_each_channel_with_its_number_and_its_connection() {
    let echo = Echo::start(&["--mux", "--verbose"]);
    let url = format!("{}/a", echo.url);
    let input = "one\n/open /b\ntwo\n/close 4000 bye\n";
    let ended = connect(&[&url, "--mux"], input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let told = echo.end();
    let connection = told.split_once(", channel 1]").expect("a channel").0;
    for line in [
        ", channel 1] opened: /a\n",
        ", channel 1] agreed: permessage-deflate, mux\n",
        ", channel 2] opened: /b\n",
        ", channel 2] agreed: permessage-deflate\n",
        ", channel 2] closed by the client: 4000 (of the application), reason \"bye\"\n",
        ", channel 1] closed by the client: 1000 (done)\n",
    ] {
        let line = format!("{connection}{line}");
        assert!(told.contains(&line), "{line}{told}");
    }
    // What a channel has done is told behind its end.
    let sent = told
        .lines()
        .filter(|line| line.contains("]   sent     1 frame"));
    assert_eq!(sent.count(), 2, "{told}");
}

#[test]
fn with_channels_each_line_goes_to_all_and_everything_comes_back() {
    let echo = Echo::start(&["--mux"]);
    let input: String = (0..300).map(|number| format!("{number}\n")).collect();
    let ended = connect(&[&echo.url, "--mux", "--channels", "4"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for channel in 1..=4 {
        let number = format!("[{channel}] ");
        let lines = ended.out.lines().filter_map(|it| it.strip_prefix(&number));
        let back: String = lines.map(|line| format!("{line}\n")).collect();
        assert!(back == input, "{channel}: {back}");
    }
}

#[test]
fn more_than_all_quotas_hold_comes_back_over_a_channel() {
    let echo = Echo::start(&["--extension", "mux"]);
    let input = format!("{}\n", "x".repeat(200_000)).repeat(20);
    let ended = connect(&[&echo.url, "--extension", "mux"], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out == input, "{} octets came back", ended.out.len());
}

#[test]
fn a_frame_of_a_channel_has_its_number_in_the_trace() {
    let echo = Echo::start(&["--extension", "mux"]);
    let arguments = [
        &*echo.url,
        "--extension",
        "mux",
        "--channels",
        "2",
        "--trace",
    ];
    let ended = connect(
        &[&arguments[..], &["--send", "Hi", "--count", "2"]].concat(),
        "",
    );
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for channel in [1, 2] {
        for frame in [
            "> Text fin, 2 octets: \"Hi\"",
            "< Text fin, 2 octets: \"Hi\"",
        ] {
            let line = format!("* wire [{channel}] {frame}\n");
            assert!(ended.err.contains(&line), "{line}{}", ended.err);
        }
    }
}

#[test]
fn a_server_without_mux_is_told_plainly_and_has_one_websocket() {
    let echo = Echo::start(&["--extension", "permessage-deflate"]);
    let told = "* mux is not in the server's answer: this connection carries one WebSocket\n";
    let ended = connect(&[&echo.url, "--mux"], "a\n");
    assert_eq!(
        (&*ended.out, &*ended.err, ended.code),
        ("a\n", told, Some(0))
    );
    let ended = connect(&[&echo.url, "--mux"], "/open\nb\n");
    assert_eq!((&*ended.out, &*ended.err), ("b\n", &*told.repeat(2)));
    let ended = connect(&[&echo.url, "--mux", "--channels", "2"], "a\n");
    assert_eq!((&*ended.out, ended.code), ("", Some(1)), "{}", ended.err);
    let ended = connect(&[&echo.url], "/open\na\n");
    assert_eq!(ended.out, "a\n");
    assert!(ended.err.contains("--mux asks for more"), "{}", ended.err);
}

#[test]
fn without_a_slot_there_is_no_channel_and_the_others_go_on() {
    let echo = Echo::start(&["--extension", "mux;channels=1"]);
    let ended = connect(&[&echo.url, "--mux"], "/open\n/open\na\n");
    assert_eq!(
        (&*ended.out, ended.code),
        ("[2] a\n", Some(1)),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("no slot for another"), "{}", ended.err);
}

#[test]
fn a_channel_that_is_refused_or_closed_is_no_end_for_the_others() {
    let url = multiplexing(|mut socket| async move {
        if path(&socket) == "/closes" {
            return socket.close_with(CloseCode::new(4001), "\x1b[31mred").await;
        }
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    });
    let mut client = Connected::start(&[&url, "--mux"]);
    client.type_line("/open /forbidden");
    client.wait_for("the server answered 403 Forbidden");
    client.type_line("/open /closes");
    client.wait_for("] closed by the server: 4001");
    client.type_line("a");
    client.type_line("/close");
    let ended = client.end();
    assert_harmless(&ended);
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("closed by us: 1000"), "{}", ended.err);
}

#[test]
fn what_comes_on_any_channel_is_escaped() {
    let url = multiplexing(|mut socket| async move {
        socket.ping(b"\x1b]0;title\x07").await?;
        socket.send("\x1b[2J\u{202e}a\nb").await?;
        while socket.recv().await?.is_some() {}
        Ok(())
    });
    let arguments = ["--mux", "--channels", "2", "--verbose", "--trace"];
    let ended = connect(&[&[&*url][..], &arguments, &["--count", "2"]].concat(), "");
    assert_harmless(&ended);
    for channel in [1, 2] {
        let line = format!("[{channel}] \\u{{1b}}[2J\\u{{202e}}a\\u{{a}}b\n");
        assert!(ended.out.contains(&line), "{}", ended.out);
        let ping = format!("* [{channel}] ping: \\u{{1b}}]0;title\\u{{7}}\n");
        assert!(ended.err.contains(&ping), "{}", ended.err);
    }
}

#[test]
fn an_interrupt_closes_all_channels() {
    let echo = Echo::start(&["--mux", "--verbose"]);
    let mut client = Connected::start(&[&echo.url, "--mux", "--channels", "3"]);
    client.wait_for("* [3] agreed: ");
    client.interrupt();
    let ended = client.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let told = echo.end();
    for channel in 1..=3 {
        let line = format!(", channel {channel}] closed by the client: 1001 (going away)\n");
        assert!(told.contains(&line), "{told}");
    }
}

#[test]
fn browsers_get_channels_over_a_subprotocol_if_the_server_speaks_mux() {
    for (arguments, agreed) in [
        (&["--mux"][..], true),
        (&["--extension", "permessage-deflate"], false),
    ] {
        let echo = Echo::start(arguments);
        let protocol = ["--verbose", "--protocol", "cloverleaf.mux", "--send", "a"];
        let ended = connect(&[&[&*echo.url][..], &protocol].concat(), "");
        let said = ended.err.contains("* subprotocol: cloverleaf.mux\n");
        assert_eq!(said, agreed, "{}", ended.err);
        // There, a text is no channel's.
        assert_eq!(ended.code, Some(i32::from(agreed)), "{}", ended.err);
    }
}

#[test]
fn pywebsocket_s_name_is_another_and_a_required_mux_is_required_once() {
    let echo = Echo::start(&["--extension", "mux_DO_NOT_USE"]);
    let arguments = [
        "--extension",
        "mux_DO_NOT_USE",
        "--require-extension",
        "mux_DO_NOT_USE",
    ];
    let ended = connect(&[&[&*echo.url][..], &arguments].concat(), "/open\na\n");
    assert_eq!(
        (&*ended.out, ended.code),
        ("[2] a\n", Some(0)),
        "{}",
        ended.err
    );
    let ended = connect(&[&echo.url, "--mux", "--require-extension", "mux"], "a\n");
    assert_eq!((&*ended.out, ended.code), ("", Some(1)), "{}", ended.err);
}

#[test]
fn what_cannot_be_asked_for_is_usage() {
    for (arguments, advice) in [
        (&["--channels", "2"][..], "--channels needs --mux"),
        (&["--mux", "--no-extensions"], "--no-extensions"),
        (&["--mux", "--channels", "0"], "--channels"),
        (&["--extension", "mux;channels=x"], "channels=0..65535"),
    ] {
        let ended = connect(&[&["ws://127.0.0.1:9"], arguments].concat(), "");
        assert_eq!(ended.code, Some(2), "{}", ended.err);
        assert!(ended.err.contains(advice), "{}", ended.err);
    }
}
