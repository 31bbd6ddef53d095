//! Extensions, offered and accepted by name.

use crate::run::{Connected, Echo, connect};

/// The lines that the client has of these ends.
fn told(echo: &[&str], client: &[&str], input: &str) -> String {
    let echo = Echo::start(echo);
    let ended = connect(&[&[&*echo.url, "--verbose"], client].concat(), input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.err
}

#[test]
fn both_ends_tell_what_was_offered_agreed_and_passed_over() {
    let echo = Echo::start(&[
        "--verbose",
        "--extension",
        "permessage-deflate;server_no_context_takeover=no;client_no_context_takeover=no",
    ]);
    let ended = connect(
        &[
            &echo.url,
            "--verbose",
            "--extension",
            "permessage-deflate;server_max_window_bits=10",
            "--extension",
            "x-cloverleaf-probe",
        ],
        "",
    );
    let news = [
        "offered: permessage-deflate; server_max_window_bits=10; client_max_window_bits, \
         x-cloverleaf-probe\n",
        "agreed: permessage-deflate; server_max_window_bits=10\n",
    ];
    for line in news {
        assert!(ended.err.contains(&format!("* {line}")), "{}", ended.err);
    }
    let unanswered = "* skipped: x-cloverleaf-probe: not in the server's answer\n";
    assert!(ended.err.contains(unanswered), "{}", ended.err);
    let echo = echo.end();
    for line in news {
        assert!(echo.contains(&format!("] {line}")), "{echo}");
    }
    assert!(
        echo.contains("] skipped: x-cloverleaf-probe: unknown\n"),
        "{echo}"
    );
}

#[test]
fn without_a_word_permessage_deflate_is_offered_and_with_no_extensions_nothing() {
    let default = told(&[], &[], "");
    assert!(
        default.contains("* agreed: permessage-deflate"),
        "{default}"
    );
    let none = told(&[], &["--no-extensions"], "");
    assert!(none.contains("* offered: no extensions\n"), "{none}");
    assert!(none.contains("* agreed: no extensions\n"), "{none}");
    let refused = told(&["--no-deflate"], &[], "");
    assert!(
        refused.contains("* skipped: permessage-deflate; client_max_window_bits: not in"),
        "{refused}"
    );
}

#[test]
fn the_server_orders_if_it_is_told_to() {
    let probe_first = [
        "--extension",
        "x-cloverleaf-probe",
        "--extension",
        "permessage-deflate",
    ];
    let deflate_first = [
        "--extension",
        "permessage-deflate",
        "--extension",
        "x-cloverleaf-probe",
    ];
    for (order, first) in [
        ("client", "x-cloverleaf-probe, permessage-deflate"),
        ("server", "permessage-deflate"),
    ] {
        let server = [&deflate_first[..], &["--extension-order", order]].concat();
        let told = told(&server, &probe_first, "");
        assert!(
            told.contains(&format!("* agreed: {first}")),
            "{order}: {told}"
        );
    }
}

#[test]
fn the_end_has_statistics_of_each_extension() {
    let line = format!("{}\n", "abc".repeat(1000));
    let told = told(&[], &[], &line.repeat(2));
    for half in ["sent    ", "received"] {
        let line = told.lines().rfind(|line| line.contains(half));
        let line = line.unwrap_or_else(|| panic!("{told}"));
        assert!(
            line.contains("2 frames, 2 changed; 6000 octets, ") && line.ends_with(" µs"),
            "{line}"
        );
        let ratio = line
            .split(['(', ' '])
            .rev()
            .find_map(|word| word.parse::<u32>().ok());
        assert!(ratio.is_some_and(|percent| percent < 5), "{line}");
    }
}

#[test]
fn a_message_that_is_hinted_not_to_be_compressed_is_not() {
    let input = format!("{}\n", "abc".repeat(1000));
    let told = told(&[], &["--hint", "do-not-compress"], &input);
    let sent = "sent     1 frame, 0 changed; 3000 octets, 3000 on the wire (100 %)";
    assert!(told.contains(sent), "{told}");
}

#[test]
fn a_required_extension_that_is_missing_is_named_and_nothing_is_sent() {
    let echo = Echo::start(&["--no-deflate"]);
    let deflate = ["--require-extension", "permessage-deflate"];
    let ended = connect(&[&[&*echo.url], &deflate[..]].concat(), "secret\n");
    assert_eq!((ended.code, &*ended.out), (Some(1), ""));
    assert_eq!(
        ended.err,
        "cloverleaf: the server does not speak a required extension: permessage-deflate\n"
    );

    let echo = Echo::start(&[&["--verbose"], &deflate[..]].concat());
    let ended = connect(
        &[&*echo.url, "--extension", "x-cloverleaf-probe"],
        "secret\n",
    );
    assert_eq!((ended.code, &*ended.out), (Some(1), ""));
    assert!(ended.err.contains("400 Bad Request"), "{}", ended.err);
    assert!(ended.err.contains("permessage-deflate"), "{}", ended.err);
    let told = echo.end();
    assert!(
        told.contains("] refused without permessage-deflate\n"),
        "{told}"
    );
}

#[test]
fn every_extension_can_be_agreed_and_echoes() {
    let dictionary = concat!(
        "x-zstd-dictionary;dictionary=",
        env!("CARGO_MANIFEST_DIR"),
        "/Cargo.toml"
    );
    for extension in [
        "permessage-deflate;level=9;threshold=100",
        "deflate-frame;max_window_bits=9",
        "x-webkit-deflate-frame;no_context_takeover",
        dictionary,
        "x-checksum;octets=2",
        "x-heartbeat;resolution=ms",
        "x-cloverleaf-probe",
    ] {
        let echo = Echo::start(&["--extension", extension]);
        let arguments = [&*echo.url, "--verbose", "--extension", extension];
        let input = "[package]\nversion.workspace = true version.workspace = true\n/binary 00ff\n";
        let ended = connect(&arguments, input);
        assert_eq!((&*ended.out, ended.code), (input, Some(0)), "{extension}");
        let name = extension.split(';').next().unwrap_or_default();
        let agreed = format!("* agreed: {name}");
        assert!(ended.err.contains(&agreed), "{extension}: {}", ended.err);
    }
}

#[test]
fn a_checksum_stands_behind_a_compressor_and_not_before_it() {
    let deflate = "permessage-deflate;server_no_context_takeover";
    let pair = ["--extension", deflate, "--extension", "x-checksum"];
    let both = told(&pair, &pair, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
    assert!(both.contains(", x-checksum; octets=4\n"), "{both}");
    let reversed = ["--extension", "x-checksum", "--extension", deflate];
    let echo = Echo::start(&[&["--verbose"], &pair[..]].concat());
    let ended = connect(&[&[&*echo.url], &reversed[..]].concat(), "a\n");
    assert_eq!((&*ended.out, ended.code), ("a\n", Some(0)), "{}", ended.err);
    let told = echo.end();
    assert!(
        told.contains("may not stand behind what is agreed already"),
        "{told}"
    );
}

#[test]
fn a_beat_is_answered_with_its_way_there_and_back() {
    let heartbeat = ["--extension", "x-heartbeat"];
    let echo = Echo::start(&heartbeat);
    let mut client = Connected::start(&[&[&*echo.url], &heartbeat[..]].concat());
    client.type_line("/beat");
    client.wait_for("* beat 0: there and back in ");
    client.type_line("/beat");
    client.wait_for("* beat 1: there and back in ");
    client.type_line("/close");
    let ended = client.end();
    assert!(ended.err.contains("2 answers"), "{}", ended.err);
    let without = told(&[], &heartbeat, "/beat\n");
    assert!(
        without.contains("* x-heartbeat is not agreed: give both ends --extension x-heartbeat\n"),
        "{without}"
    );
}

#[test]
fn both_ends_record_what_they_see() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (server, client) = (path("server.pcapng"), path("client.pcapng"));
    let echo = Echo::start(&["--capture", &server]);
    let ended = connect(
        &[&echo.url, "--capture", &client, "--no-extensions"],
        "needle\n",
    );
    let said = format!("* {client}: ");
    assert!(ended.err.starts_with(&said), "{}", ended.err);
    let told = echo.end();
    assert!(told.starts_with(&format!("{server}: ")), "{told}");
    for file in [server, client] {
        let recorded = std::fs::read(&file).expect("a file");
        // The magic of a section header block.
        assert_eq!(recorded[..4], [0x0a, 0x0d, 0x0d, 0x0a], "{file}");
        let seen = recorded.windows(6).filter(|part| part == b"needle").count();
        assert_eq!(seen, 2, "once there and once back: {file}");
    }
    let ended = connect(&[&path(""), "--capture", "/no/such/folder/x"], "");
    assert_eq!(ended.code, Some(2));
}

#[test]
fn the_list_of_extensions_needs_no_server() {
    let ended = connect(&["--extension", "list"], "");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out.contains("permessage-deflate\n"), "{}", ended.out);
    assert!(ended.out.contains(";level=1..9"), "{}", ended.out);
}
