//! The fuzzing client against servers, ours and bad ones.

use std::num::NonZeroUsize;

use cloverleaf::ServerTls;
use cloverleaf_conformance::echo::EchoServer;
use cloverleaf_conformance::native::FuzzingClient;
use cloverleaf_conformance::native::fuzzing_client::News;
use cloverleaf_conformance::profile;
use cloverleaf_conformance::spec::ClientSpec;
use cloverleaf_judge::cases;
use cloverleaf_reports::{CloseVerdict, Verdict};

use crate::raw::{answering, dying_after, nobody};

/// Our echo server; returns its URL.
pub(crate) async fn echo(tls: Option<ServerTls>) -> String {
    let config = profile::config(true).expect("a configuration");
    let address = ([127, 0, 0, 1], 0).into();
    let server = EchoServer::bind(address, tls, config)
        .await
        .expect("a port");
    let url = server.url().expect("an address");
    tokio::spawn(server.serve_until(std::future::pending()));
    url
}

/// A certificate of its own making and its key, both PEM.
pub(crate) fn certificate() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// Judges all servers of a spec, one after the other. A line per result, and what was in the way.
async fn judge(spec: &str, jobs: usize) -> (Vec<String>, Vec<String>) {
    let known = cloverleaf_conformance::catalog::known();
    let spec = ClientSpec::parse(spec, known).expect("a spec");
    let selected: Vec<_> = cases::all()
        .into_iter()
        .filter(|case| spec.cases.contains(&case.id))
        .collect();
    let mut client = FuzzingClient::new(selected, NonZeroUsize::new(jobs).expect("some"));
    client.exclusions = spec.exclusions.into();
    let (mut results, mut troubles) = (Vec::new(), Vec::new());
    for server in spec.servers {
        let mut news = client.judge(server.into());
        while let Some(news) = news.recv().await {
            match news {
                News::Judged(agent, result) => results.push(format!(
                    "{agent} {}: {} / {}",
                    result.id, result.verdict, result.close_verdict
                )),
                News::Unreachable(trouble) => troubles.push(trouble),
                _ => {}
            }
        }
    }
    (results, troubles)
}

#[tokio::test]
async fn our_server_passes_quick_cases_over_ws_and_wss_alone_and_side_by_side() {
    let (chain, key) = certificate();
    let tls = ServerTls::from_pem(chain.as_bytes(), key.as_bytes()).expect("TLS");
    for url in [echo(None).await, echo(Some(tls)).await] {
        for jobs in [1, 8] {
            // A host name for TLS that is not in the URL; 1.1.8 is 65,536 octets.
            let spec = format!(
                r#"{{"servers": [{{"url": "{url}", "agent": "us", "hostname": "localhost",
                    "protocols": ["p", "q"]}}],
                    "cases": ["2.4", "1.1.8", "5.3", "7.9.1", "13.3.1"],
                    "exclude-cases": ["13.*"]}}"#
            );
            let (mut results, troubles) = judge(&spec, jobs).await;
            results.sort();
            assert_eq!(
                results,
                [
                    "us 1.1.8: OK / OK",
                    "us 2.4: OK / OK",
                    "us 5.3: OK / OK",
                    "us 7.9.1: OK / OK"
                ],
                "{url} {jobs}"
            );
            assert_eq!(troubles, Vec::<String>::new());
        }
    }
}

#[tokio::test]
async fn servers_are_judged_in_turn_and_an_unreachable_one_is_passed_over() {
    let (first, gone, last) = (echo(None).await, nobody().await, echo(None).await);
    let spec = format!(
        r#"{{"servers": [{{"url": "{first}", "agent": "A"}}, {{"url": "ws://{gone}"}},
            {{"url": "{last}/path?query", "agent": "B"}}], "cases": ["1.1.1", "1.2.1"]}}"#
    );
    let (results, troubles) = judge(&spec, 1).await;
    assert_eq!(
        results,
        [
            "A 1.1.1: OK / OK",
            "A 1.2.1: OK / OK",
            "B 1.1.1: OK / OK",
            "B 1.2.1: OK / OK"
        ]
    );
    assert_eq!(troubles.len(), 1);
    assert!(
        troubles[0].starts_with(&format!("ws://{gone} cannot be reached: ")),
        "{troubles:?}"
    );
}

#[tokio::test]
async fn cases_are_left_out_for_the_agents_that_match() {
    let url = echo(None).await;
    let spec = format!(
        r#"{{"servers": [{{"url": "{url}", "agent": "one"}}, {{"url": "{url}", "agent": "two"}}],
            "cases": ["1.1.1", "2.1", "2.2"], "exclude-agent-cases": {{"o*": ["2.*"]}}}}"#
    );
    let (results, troubles) = judge(&spec, 1).await;
    assert_eq!(
        results,
        [
            "one 1.1.1: OK / OK",
            "two 1.1.1: OK / OK",
            "two 2.1: OK / OK",
            "two 2.2: OK / OK"
        ]
    );
    assert!(troubles.is_empty(), "{troubles:?}");
}

#[tokio::test]
async fn without_a_name_the_server_field_is_one_and_without_it_the_server_is_unknown() {
    for (answer, agent) in [
        (
            &b"HTTP/1.1 404 Not Found\r\nServer: Some/1.0 (x)\r\nContent-Length: 0\r\n\r\n"[..],
            "Some/1.0 (x)",
        ),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "UnknownServer"),
    ] {
        let url = answering(answer).await;
        let spec = format!(
            r#"{{"servers": [{{"url": "ws://{url}"}}], "cases": ["1.1.1", "1.1.2"],
                "exclude-agent-cases": {{"{agent}": ["1.1.2"]}}}}"#
        );
        let (results, troubles) = judge(&spec, 1).await;
        assert_eq!(results, [format!("{agent} 1.1.1: FAILED / FAILED")]);
        assert!(troubles.is_empty(), "{troubles:?}");
    }
}

#[tokio::test]
async fn a_server_that_dies_leaves_what_was_measured_and_is_said_to_have_gone() {
    let url = echo(None).await;
    let back = url.trim_start_matches("ws://").parse().expect("an address");
    let front = dying_after(2, back).await;
    let spec = format!(
        r#"{{"servers": [{{"url": "ws://{front}", "agent": "mortal"}}], "cases": ["1.1.*"]}}"#
    );
    let (results, troubles) = judge(&spec, 1).await;
    assert_eq!(
        results[..2],
        ["mortal 1.1.1: OK / OK", "mortal 1.1.2: OK / OK"]
    );
    // A connection in the backlog of the dying server may have counted as one more.
    assert!(results.len() <= 3, "{results:?}");
    assert_eq!(troubles.len(), 1, "{troubles:?}");
    assert!(troubles[0].contains("cannot be reached"), "{troubles:?}");
}

#[tokio::test]
async fn whatever_a_server_answers_is_judged_with_a_reason() {
    for (answer, reason) in [
        (&b""[..], "ended TCP without an answer"),
        (b"\x00\xff\x16\x03\x01 garbage\r\n\r\n", "status line"),
        (b"SSH-2.0-OpenSSH\r\n", "ended TCP without an answer"),
        (b"HTTP/1.1 200 OK\r\n\r\nhello", "not 101"),
        (
            b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            "Sec-WebSocket-Accept is",
        ),
    ] {
        let address = answering(answer).await;
        let url =
            cloverleaf_conformance::spec::WsUrl::parse(&format!("ws://{address}")).expect("a URL");
        let case = cases::all()
            .into_iter()
            .find(|case| case.id.as_str() == "1.1.1")
            .expect("the first case");
        let client = FuzzingClient::new(vec![case], NonZeroUsize::MIN);
        let mut news = client.judge(cloverleaf_conformance::native::Target::new(url));
        let Some(News::Judged(_, result)) = news.recv().await else {
            panic!("{answer:?} is not judged");
        };
        assert_eq!(result.verdict, Verdict::Failed);
        assert_eq!(result.close_verdict, CloseVerdict::Failed);
        let said = result.detail.and_then(|detail| detail.result);
        let said = said.expect("a reason");
        assert!(said.contains(reason), "{answer:?}: {said}");
        assert!(news.recv().await.is_none());
    }
}

#[tokio::test]
async fn origin_protocols_version_and_path_are_sent_as_the_spec_says() {
    let address = answering(b"HTTP/1.1 404 Not Found\r\n\r\n").await;
    let spec = format!(
        r#"{{"servers": [{{"url": "ws://{address}/a/b?c=d", "origin": "http://o",
            "protocols": ["p", "q"], "options": {{"version": 18}}}}], "cases": ["1.1.1"]}}"#
    );
    let known = cloverleaf_conformance::catalog::known();
    let mut spec = ClientSpec::parse(&spec, known).expect("a spec");
    let case = cases::all().into_iter().take(1).collect::<Vec<_>>();
    let server = spec.servers.remove(0);
    let mut news = FuzzingClient::new(case, NonZeroUsize::MIN).judge(server.into());
    let Some(News::Judged(_, result)) = news.recv().await else {
        panic!("not judged");
    };
    let request = result.detail.and_then(|detail| detail.request);
    let request = request.expect("a request");
    assert!(
        request.starts_with(&format!("GET /a/b?c=d HTTP/1.1\r\nHost: {address}\r\n")),
        "{request}"
    );
    for line in [
        "Origin: http://o",
        "Sec-WebSocket-Protocol: p, q",
        "Sec-WebSocket-Version: 13",
    ] {
        assert!(request.lines().any(|found| found == line), "{request}");
    }
}

#[tokio::test]
async fn garbage_after_the_opening_is_a_failed_case_and_not_the_end_of_the_run() {
    // The key is random, so the right Accept value cannot be known beforehand: a server that
    // computes it and then sends a frame with every reserved bit.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(tcp.read_u8().await.expect("a head"));
            }
            let head = String::from_utf8(head).expect("text");
            let key = head
                .lines()
                .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
                .expect("a key");
            let answer = format!(
                "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Server: Garbage\r\nSec-WebSocket-Accept: {}\r\n\r\n",
                cloverleaf_judge::opening::accept(key)
            );
            let _ = tcp.write_all(answer.as_bytes()).await;
            let _ = tcp.write_all(&[0xff; 300]).await;
            // Let the judge have the last word.
            let _ = tcp.read_to_end(&mut Vec::new()).await;
        }
    });
    let spec = format!(
        r#"{{"servers": [{{"url": "ws://{address}"}}], "cases": ["1.1.1", "7.1.1"],
            "options": {{"serverConnectionDropTimeout": 0.1, "closeHandshakeTimeout": 0.1}}}}"#
    );
    let (results, troubles) = judge(&spec, 1).await;
    assert_eq!(results.len(), 2, "{results:?}");
    for (result, case) in results.iter().zip(["1.1.1", "7.1.1"]) {
        assert!(
            result.starts_with(&format!("Garbage {case}: FAILED / ")),
            "{result}"
        );
    }
    assert!(troubles.is_empty(), "{troubles:?}");
}
