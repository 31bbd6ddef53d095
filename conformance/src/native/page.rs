//! The web page that runs the cases in a browser, and the requests that are for it.

use std::sync::Arc;

use cloverleaf_judge::case::Case;
use cloverleaf_judge::cases::section_title;
use cloverleaf_judge::http::{self, Head};
use cloverleaf_judge::{opening, run};
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::settings::judge_options;
use crate::spec::Options;

const TEMPLATE: &str = include_str!("../../assets/browser.html");

/// Nothing from anywhere, and connections to fuzzing servers only; nobody may frame the page.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
     img-src data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

/// For everything else on a port that serves the page only.
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\
     Content-Length: 34\r\nConnection: close\r\n\r\nThere is only a page here, at `/`\n";

/// Connections at a time to a port that serves the page only.
const MAX_CONNECTIONS: usize = 64;

/// A web page that walks the cases of a fuzzing server as a test client does.
///
/// It takes from its own URL: `agent`, the name to report under; `parallel`, how many cases run at
/// a time; `run=1` to begin by itself; and `close=1` to close its window in the end, which ends a
/// browser that has no other.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    html: Arc<str>,
}

impl Page {
    /// The page for these cases. `place` is the fuzzing server's port, and whether it speaks TLS,
    /// if that is another port than the page's.
    pub(super) fn new(cases: &[Case], place: Option<(bool, u16)>) -> Self {
        let mut groups = Map::new();
        for case in cases {
            let group = case.id.group();
            if let Some(title) = section_title(group) {
                groups.insert(group.to_owned(), title.into());
            }
        }
        let titles: Vec<Value> = cases
            .iter()
            .map(|case| json!([case.id, case.title]))
            .collect();
        // In a script element only a `<` can do harm, and JSON has it in strings only.
        let data = json!({ "cases": titles, "groups": groups })
            .to_string()
            .replace('<', "\\u003c");
        let server = match place {
            None => String::new(),
            Some((true, port)) => format!("wss:{port}"),
            Some((false, port)) => format!("ws:{port}"),
        };
        let html = TEMPLATE
            .replacen("{{server}}", &server, 1)
            .replacen("{{cases}}", &data, 1);
        Self { html: html.into() }
    }

    /// The answer to a request for the page, or for the icon that browsers look for. `None`: the
    /// request is for something else.
    pub(super) fn answer(&self, request: &Head) -> Option<String> {
        // Whoever mentions an upgrade is a WebSocket client, or tries to be one.
        if request.values("Upgrade").next().is_some() {
            return None;
        }
        let mut line = request.start_line.split(' ');
        let (method, target) = (line.next()?, line.next()?);
        if !["GET", "HEAD"].contains(&method) {
            return None;
        }
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        match path {
            "/" => {
                let length = self.html.len().to_string();
                let head = http::write(
                    "HTTP/1.1 200 OK",
                    &[
                        ("Server", opening::NAME),
                        ("Content-Type", "text/html; charset=utf-8"),
                        ("Content-Length", &length),
                        ("Content-Security-Policy", POLICY),
                        ("X-Content-Type-Options", "nosniff"),
                        ("Referrer-Policy", "no-referrer"),
                        ("Cache-Control", "no-store"),
                        ("Connection", "close"),
                    ],
                );
                Some(match method {
                    "HEAD" => head,
                    _ => head + &self.html,
                })
            }
            "/favicon.ico" => Some(http::write(
                "HTTP/1.1 204 No Content",
                &[("Server", opening::NAME), ("Connection", "close")],
            )),
            _ => None,
        }
    }

    /// Serves the page, and nothing else, until the future is dropped.
    pub async fn serve(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // No more descriptors, say: the next one may do better.
                    let Ok((tcp, _)) = accepted else {
                        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                        continue;
                    };
                    let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                        continue;
                    };
                    let page = self.clone();
                    connections.spawn(async move {
                        page.reply(tcp).await;
                        drop(place);
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
    }

    async fn reply(&self, mut tcp: TcpStream) {
        let limit = judge_options(&Options::default()).opening_timeout;
        let Ok(request) = run::read_head(&mut tcp, limit).await else {
            return;
        };
        let answer = self
            .answer(&request.head)
            .unwrap_or_else(|| NOT_FOUND.to_owned());
        // The browser may be gone already.
        let _ = tcp.write_all(answer.as_bytes()).await;
        let _ = tcp.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cloverleaf_judge::cases;

    fn answer(request: &str) -> Option<String> {
        let (head, _) = Head::parse(request.as_bytes()).expect("a whole head");
        Page::new(&cases::all(), None).answer(&head)
    }

    #[test]
    fn a_browser_that_asks_for_the_page_gets_it() {
        for request in [
            "GET / HTTP/1.1\r\nHost: 127.0.0.1:9001\r\n\r\n",
            "GET /?agent=X&run=1 HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n",
            "GET / HTTP/1.0\r\n\r\n",
        ] {
            let answer = answer(request).expect("the page");
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
            assert_eq!(
                head,
                format!(
                    "HTTP/1.1 200 OK\r\nServer: Cloverleaf/{}\r\n\
                     Content-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
                     Content-Security-Policy: default-src 'none'; script-src 'unsafe-inline'; \
                     style-src 'unsafe-inline'; img-src data:; connect-src 'self' ws: wss:; \
                     base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
                     X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
                     Cache-Control: no-store\r\nConnection: close",
                    env!("CARGO_PKG_VERSION"),
                    body.len()
                )
            );
            assert!(body.starts_with("<!doctype html>") && body.ends_with("</html>\n"));
        }
    }

    #[test]
    fn head_gets_the_same_head_and_nothing_behind_it() {
        let page = answer("GET / HTTP/1.1\r\n\r\n").expect("the page");
        let head = answer("HEAD / HTTP/1.1\r\n\r\n").expect("a head");
        assert!(head.ends_with("\r\n\r\n") && page.starts_with(&head) && page.len() > head.len());
    }

    #[test]
    fn there_is_no_icon_and_that_is_no_mistake() {
        let expected = concat!(
            "HTTP/1.1 204 No Content\r\nServer: Cloverleaf/",
            env!("CARGO_PKG_VERSION"),
            "\r\nConnection: close\r\n\r\n"
        );
        for method in ["GET", "HEAD"] {
            let request = format!("{method} /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(answer(&request).as_deref(), Some(expected));
        }
    }

    #[test]
    fn whoever_mentions_an_upgrade_or_asks_for_something_else_is_no_browser() {
        for request in [
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nupgrade:\r\n\r\n",
            "GET / HTTP/1.1\r\nUpgrade: h2c\r\nUpgrade: TLS/1.0\r\n\r\n",
            "HEAD / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "GET /favicon.ico HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
            "POST / HTTP/1.1\r\n\r\n",
            "get / HTTP/1.1\r\n\r\n",
            "GET /index.html HTTP/1.1\r\n\r\n",
            "GET // HTTP/1.1\r\n\r\n",
            "GET /runCase?case=1&agent=X HTTP/1.1\r\n\r\n",
            "GET /getCaseCount HTTP/1.1\r\n\r\n",
            "GET\r\n\r\n",
            "\r\n\r\n",
        ] {
            assert_eq!(answer(request), None, "{request:?}");
        }
    }

    #[test]
    fn the_page_knows_the_cases_and_where_the_server_is() {
        let cases = cases::all();
        for (place, server) in [
            (None, ""),
            (Some((false, 9001)), "ws:9001"),
            (Some((true, 443)), "wss:443"),
        ] {
            let html = Page::new(&cases, place).html;
            assert!(html.contains(&format!("data-server=\"{server}\"")));
            let (_, data) = html.split_once("id=\"data\">").expect("data");
            let (data, _) = data.split_once("</script>").expect("an end");
            assert!(!data.contains('<'));
            let data: Value = serde_json::from_str(data).expect("JSON");
            for (at, case) in cases.iter().enumerate() {
                assert_eq!(data["cases"][at], json!([case.id, case.title]));
                let title = section_title(case.id.group());
                assert_eq!(data["groups"][case.id.group()].as_str(), title);
            }
        }
    }
}
