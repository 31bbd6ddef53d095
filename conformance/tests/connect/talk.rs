//! Lines in, messages out.

use crate::run::{Connected, Echo, connect};

#[test]
fn lines_go_out_as_texts_and_come_back_and_the_end_of_the_input_closes_with_1000() {
    let echo = Echo::start(&["--verbose"]);
    let ended = connect(&[&echo.url], "hello\n\nκόσμε\n//etc\nlast, without an end");
    assert_eq!(ended.out, "hello\n\nκόσμε\n//etc\nlast, without an end\n");
    // No terminal, and nobody asked.
    assert_eq!(ended.err, "");
    assert_eq!(ended.code, Some(0));
    let told = echo.end();
    assert!(
        told.contains("] closed by the client: 1000 (done)\n"),
        "{told}"
    );
}

#[test]
fn with_binary_lines_are_hexadecimal_both_ways() {
    let echo = Echo::start(&[]);
    let ended = connect(
        &[&echo.url, "--binary"],
        "00 ff\nDEAD\nnonsense\n/text hi\n",
    );
    assert_eq!(ended.out, "00ff\ndead\n/text hi\n");
    assert_eq!(
        ended.err,
        "* octets are pairs of hexadecimal digits, such as 00ff or 00 ff\n"
    );
    assert_eq!(ended.code, Some(0));
}

#[test]
fn commands_do_what_they_say() {
    let echo = Echo::start(&[]);
    let input =
        "/ping are you there\n/binary 00ff\n/statistics\n/help\n/quit\n/close 4000 see you\n";
    let ended = connect(&["--verbose", &echo.url], input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for line in [
        "* /binary HEX             a binary message\n",
        "* permessage-deflate:\n",
        "* there is no command /quit; /help lists them, and //quit sends it as text\n",
        "* closed by us: 4000 (of the application)",
    ] {
        assert!(ended.err.contains(line), "{line}: {}", ended.err);
    }
    let mut client = Connected::start(&[&echo.url]);
    client.type_line("/ping are you there");
    client.wait_for("* pong: are you there\n");
    client.type_line("/close");
    assert_eq!(client.end().code, Some(0));
}

#[test]
fn what_send_has_is_sent_as_it_is_and_count_says_when_to_close() {
    let echo = Echo::start(&[]);
    let ended = connect(&[&echo.url, "--send", "/ping", "b c"], "not read\n");
    assert_eq!((&*ended.out, ended.code), ("//ping\nb c\n", Some(0)));
    let ended = connect(&[&echo.url, "--count", "2"], "a\nb\nc\n");
    assert!(ended.out.starts_with("a\nb\n"), "{}", ended.out);
    assert_eq!(ended.code, Some(0));
}

#[test]
fn a_line_that_is_not_utf8_is_not_sent_and_the_next_is() {
    // The input is a `str` here; binary data is a file's.
    let echo = Echo::start(&[]);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_cloverleaf"))
        .args(["connect", &echo.url])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut input, b"\xff\r\nb\r\n").expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.stdout, b"b\n");
    assert_eq!(
        output.stderr,
        b"* a line is not UTF-8, not sent; --binary takes octets\n"
    );
}

#[test]
fn more_than_all_buffers_hold_goes_out_while_it_comes_back() {
    let echo = Echo::start(&["--no-deflate"]);
    let line = format!("{}\n", "x".repeat(200_000));
    let input = line.repeat(100);
    let ended = connect(&[&echo.url], &input);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.out == input, "{} octets came back", ended.out.len());
}

#[test]
fn a_trace_has_a_line_for_every_frame_in_the_view_that_is_asked_for() {
    let echo = Echo::start(&["--extension", "x-cloverleaf-probe"]);
    let probe = [
        "--count",
        "1",
        "--extension",
        "x-cloverleaf-probe",
        "--send",
        "Hello",
    ];
    let wire = connect(&[&[&*echo.url, "--trace"], &probe[..]].concat(), "");
    assert_eq!(
        wire.err,
        "* wire > Text fin rsv2, 6 octets: 507d535b5456\n\
         * wire < Text fin rsv2, 6 octets: 507d535b5456\n\
         * wire > Close fin, 2 octets: 1000 (done)\n\
         * wire < Close fin, 2 octets: 1000 (done)\n"
    );
    let messages = connect(
        &[&[&*echo.url, "--trace=messages"], &probe[..]].concat(),
        "",
    );
    assert_eq!(
        messages.err,
        "* messages > Text fin, 5 octets: \"Hello\"\n\
         * messages < Text fin, 5 octets: \"Hello\"\n"
    );
}
