//! How it ends, and with which exit code.

use cloverleaf::{CloseCode, Message};

use crate::run::{Connected, Echo, connect, server};

#[test]
fn an_end_that_the_server_calls_an_error_is_one() {
    for (code, expected) in [(1000, 0), (1001, 0), (1011, 1), (4000, 1)] {
        let url = server(move |mut socket| async move {
            socket.close_with(CloseCode::new(code), "because").await
        });
        // Enough to wait for: the server closes first.
        let ended = connect(&[&url, "--count", "1", "--verbose"], "");
        assert_eq!(ended.code, Some(expected), "{code}: {}", ended.err);
        let said = format!("* closed by the server: {code} (");
        assert!(ended.err.contains(&said), "{}", ended.err);
        assert!(ended.err.contains("reason \"because\""), "{}", ended.err);
    }
}

#[test]
fn a_message_over_the_limit_fails_the_connection_and_says_so() {
    let url = server(|mut socket| async move {
        socket.send(Message::text("x".repeat(65))).await?;
        while socket.recv().await?.is_some() {}
        Ok(())
    });
    let arguments = [&*url, "--count", "1", "--max-message", "64"];
    let ended = connect(&arguments, "");
    assert_eq!((ended.code, &*ended.out), (Some(1), ""));
    assert!(ended.err.contains("* failed: "), "{}", ended.err);
    let ended = connect(&[&url, "--count", "1", "--max-message", "65"], "");
    assert_eq!(
        (ended.code, ended.out.len()),
        (Some(0), 66),
        "{}",
        ended.err
    );
}

#[test]
fn an_interrupt_closes_with_1001_and_that_is_no_failure() {
    let echo = Echo::start(&["--verbose"]);
    let mut client = Connected::start(&[&echo.url]);
    client.wait_for("agreed: ");
    client.interrupt();
    let ended = client.end();
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        ended.err.contains("* closed by us: 1001 (going away)\n"),
        "{}",
        ended.err
    );
}

#[test]
fn a_second_interrupt_ends_it_when_the_server_does_not_answer() {
    let url = server(|socket| async move {
        // It reads nothing, and so never answers.
        std::future::pending::<()>().await;
        drop(socket);
        Ok(())
    });
    let mut client = Connected::start(&[&url, "--trace"]);
    client.wait_for("agreed: ");
    client.interrupt();
    client.wait_for("wire > Close");
    client.interrupt();
    let ended = client.end();
    assert_eq!(ended.code, Some(1), "{}", ended.err);
    assert!(ended.err.contains("* interrupted again"), "{}", ended.err);
}

#[test]
fn headers_subprotocol_and_origin_are_sent() {
    let url = server(|mut socket| async move {
        let request = socket.opening().handshake.request().clone();
        for name in ["x-key", "sec-websocket-protocol"] {
            let value = request.headers().get(name).map(|it| it.as_bytes().to_vec());
            let value = String::from_utf8(value.unwrap_or_default()).unwrap_or_default();
            socket.send(Message::text(value)).await?;
        }
        socket.close().await
    });
    let arguments = [
        &*url,
        "--header",
        "X-Key: a b",
        "--protocol",
        "p",
        "--protocol",
        "q",
        "--count",
        "2",
    ];
    let ended = connect(&arguments, "");
    assert_eq!(
        (&*ended.out, ended.code),
        ("a b\np, q\n", Some(0)),
        "{}",
        ended.err
    );
    let ended = connect(&[&url, "--origin", "http://elsewhere.example"], "");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("403 Forbidden"), "{}", ended.err);
    assert!(ended.err.contains("it said: this origin"), "{}", ended.err);
}

#[test]
fn a_certificate_that_nobody_trusts_needs_insecure_or_its_authority() {
    let echo = Echo::start(&["--tls-self-signed"]);
    let ended = connect(&[&echo.url], "a\n");
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains("--ca FILE trusts"), "{}", ended.err);
    let ended = connect(&[&echo.url, "--insecure"], "a\n");
    assert_eq!((&*ended.out, ended.code), ("a\n", Some(0)), "{}", ended.err);

    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
    let (chain, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    std::fs::write(&chain, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let (chain, key) = (chain.display().to_string(), key.display().to_string());
    let echo = Echo::start(&["--tls-cert", &chain, "--tls-key", &key]);
    let ended = connect(&[&echo.url, "--ca", &chain], "a\n");
    assert_eq!((&*ended.out, ended.code), ("a\n", Some(0)), "{}", ended.err);
}

#[test]
fn a_usage_error_exits_with_2_and_what_would_be_right() {
    let url = "ws://127.0.0.1:9";
    for (arguments, advice) in [
        (&[][..], "<URL>"),
        (&["127.0.0.1:9"], "ws://HOST:PORT"),
        (&[url, "--extension", "deflate"], "permessage-deflate"),
        (&[url, "--extension", "x-checksum;octets=9"], "octets=1..4"),
        (
            &[url, "--require-extension", "x-checksum"],
            "add --extension x-checksum",
        ),
        (
            &[url, "--no-extensions", "--extension", "x-checksum"],
            "cannot be used with",
        ),
        (&[url, "--header", "X"], "Name: value"),
        (&[url, "--header", "Upgrade: x"], "leave it out"),
        (&[url, "--protocol", "a b"], "token"),
        (&[url, "--max-message", "big"], "64k or 16M"),
        (&[url, "--ping-interval", "0"], "`off`"),
        (&[url, "--count", "0"], "1.."),
        (&[url, "--trace=everything"], "fragments"),
        (&[url, "--ca", "/no/such.pem"], "/no/such.pem"),
        (&[url, "--ca", "x", "--insecure"], "cannot be used with"),
    ] {
        let ended = connect(arguments, "");
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(advice), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn nobody_there_exits_with_1() {
    let ended = connect(&["ws://127.0.0.1:9"], "");
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains("cannot connect to 127.0.0.1:9"),
        "{}",
        ended.err
    );
}
