//! Chromium with our server. What the tests find is told in `auth/browsers.md`.

use std::net::SocketAddr;
use std::sync::Arc;

use cloverleaf_auth::Identity;
use cloverleaf_auth::guard::{AnyOf, Tickets};
use cloverleaf_proto::handshake::{Received, Rejection, RequestGuard};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};

use crate::chromium::chromium;
use crate::devtools::Browser;
use crate::peers::found;
use crate::servers::{Ours, basic, digest, digest_with};

/// What a page sees of a WebSocket to here. It sends a message when it has got one.
const SOCKET: &str = "
    (url => new Promise(done => {
        const seen = [];
        const socket = new WebSocket(url);
        socket.onmessage = ({ data }) => {
            seen.push(data);
            if (seen.length === 1) socket.send('as I said');
            else socket.close(1000);
        };
        socket.onerror = () => seen.push('error');
        socket.onclose = ({ code }) => done([...seen, code].join(', '));
    }))";

const REFUSED: &str = "error, 1006";

async fn chromium_with_a_page() -> Option<(Browser, Ours)> {
    let program = found("Chromium", chromium())?;
    let elsewhere = Ours::start(Vec::new()).await;
    let mut browser = Browser::start(&program).await;
    browser
        .open(&format!("http://{}/", elsewhere.address))
        .await;
    Some((browser, elsewhere))
}

async fn visit(browser: &mut Browser, url: &str) -> String {
    let seen = browser.run(&format!("{SOCKET}({url:?})")).await;
    seen.as_str().expect("it is text").to_owned()
}

/// With the name and password that are right.
fn known(server: SocketAddr) -> String {
    format!("Mufasa:Circle%20of%20Life@{server}")
}

fn let_in(by: &str) -> String {
    format!("Hello, Mufasa by {by}, as I said, 1000")
}

/// A server for each scheme; and what requests carry that answer it, and those that Chromium sends
/// unasked once it knows the password: Digest's nonces are good for one connection each.
async fn servers() -> [(Ours, &'static str, &'static [&'static str]); 2] {
    let basic = Ours::start(vec![Arc::new(basic())]).await;
    let digest = Ours::start(vec![Arc::new(digest())]).await;
    [
        (basic, "Basic", &["Basic"]),
        (digest, "Digest", &["SHA-256", "SHA-256"]),
    ]
}

/// Requests on one connection.
fn requests(connection: u32, what: &str, carry: &[&str]) -> Vec<String> {
    let request = |carries| format!("{connection} {what}: {carries}");
    carry.iter().map(request).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_a_socket_fails_and_nobody_is_asked_for_any() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    for (ours, scheme, _) in servers().await {
        let seen = visit(&mut browser, &format!("ws://{}/", ours.address)).await;
        assert_eq!(seen, REFUSED, "{scheme}");
        assert_eq!(ours.seen(), ["1 socket /: nothing"], "{scheme}");
        let complaint = browser.complaints().pop().expect("it tells developers");
        let why = "HTTP Authentication failed; no valid credentials available";
        assert!(complaint.contains(why), "{scheme}: {complaint}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_the_url_answer_the_challenge_on_the_same_connection_and_are_kept() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    for (ours, scheme, unasked) in servers().await {
        let asked = visit(&mut browser, &format!("ws://{}/a", known(ours.address))).await;
        let kept = visit(&mut browser, &format!("ws://{}/b", ours.address)).await;
        assert_eq!([asked, kept], [let_in(scheme), let_in(scheme)]);
        let asked = requests(1, "socket /a", &["nothing", unasked[0]]);
        let kept = requests(2, "socket /b", unasked);
        assert_eq!(ours.seen(), [asked, kept].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_let_in_opens_sockets_at_its_origin_without_more_ado() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    for (ours, scheme, unasked) in servers().await {
        // As a person would have entered them.
        let page = format!("http://{}/", known(ours.address));
        browser.open(&page).await;
        assert_eq!(browser.run("document.title").await, "inside");
        let absolute = visit(&mut browser, &format!("ws://{}/a", ours.address)).await;
        // The page's URL has its credentials here, and so has what is relative to it.
        let relative = visit(&mut browser, "/b").await;
        assert_eq!([absolute, relative], [let_in(scheme), let_in(scheme)]);
        let page = requests(1, "page /", &["nothing", unasked[0]]);
        let absolute = requests(2, "socket /a", unasked);
        let relative = requests(3, "socket /b", &["nothing", unasked[0]]);
        assert_eq!(ours.seen(), [page, absolute, relative].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_at_another_port_makes_use_of_them_too_but_not_one_of_another_site() {
    let Some((mut browser, elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    for (ours, scheme, unasked) in servers().await {
        let page = format!("http://{}/", known(ours.address));
        browser.open(&page).await;
        browser
            .open(&format!("http://{}/", elsewhere.address))
            .await;
        let port = visit(&mut browser, &format!("ws://{}/a", ours.address)).await;
        let another_site = format!("http://localhost:{}/", elsewhere.address.port());
        browser.open(&another_site).await;
        let site = visit(&mut browser, &format!("ws://{}/b", ours.address)).await;
        let url = visit(&mut browser, &format!("ws://{}/c", known(ours.address))).await;
        assert_eq!([port, site, url], [&let_in(scheme), REFUSED, REFUSED]);
        let page = requests(1, "page /", &["nothing", unasked[0]]);
        let port = requests(2, "socket /a", unasked);
        let site = requests(3, "socket /b", &["nothing"]);
        let url = requests(4, "socket /c", &["nothing"]);
        assert_eq!(ours.seen(), [page, port, site, url].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_ones_in_a_url_make_it_forget_those_it_had_kept() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    for (ours, scheme, unasked) in servers().await {
        let right = visit(&mut browser, &format!("ws://{}/a", known(ours.address))).await;
        let wrong = format!("ws://Mufasa:another@{}/b", ours.address);
        let wrong = visit(&mut browser, &wrong).await;
        let kept = visit(&mut browser, &format!("ws://{}/c", ours.address)).await;
        assert_eq!([right, wrong, kept], [&let_in(scheme), REFUSED, REFUSED]);
        let right = requests(1, "socket /a", &["nothing", unasked[0]]);
        let wrong = requests(2, "socket /b", &["nothing", unasked[0]]);
        let kept = requests(3, "socket /c", &["nothing"]);
        assert_eq!(ours.seen(), [right, wrong, kept].concat());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_challenges_it_answers_that_with_sha_256() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    let many = digest().sha512_256().legacy_md5().sessions();
    let guard = AnyOf::new().or(basic()).or(many);
    let ours = Ours::start(vec![Arc::new(guard)]).await;
    let seen = visit(&mut browser, &format!("ws://{}/", known(ours.address))).await;
    assert_eq!(seen, let_in("Digest"));
    let expected = requests(1, "socket /", &["nothing", "SHA-256"]);
    assert_eq!(ours.seen(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_knows_md5_and_sessions_and_passes_over_sha_512_256() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    for algorithm in ["MD5", "MD5-sess", "SHA-256-sess"] {
        let ours = Ours::start(vec![Arc::new(digest_with(algorithm))]).await;
        let seen = visit(&mut browser, &format!("ws://{}/", known(ours.address))).await;
        assert_eq!(seen, let_in("Digest"), "{algorithm}");
        let expected = requests(1, "socket /", &["nothing", algorithm]);
        assert_eq!(ours.seen(), expected);
    }
    let ours = Ours::start(vec![Arc::new(digest_with("SHA-512-256"))]).await;
    let seen = visit(&mut browser, &format!("ws://{}/", known(ours.address))).await;
    assert_eq!(seen, REFUSED);
    assert_eq!(ours.seen(), requests(1, "socket /", &["nothing"]));
}

/// Answers a request for `/ticket` with one, for whom a guard in front has let in.
fn desk(tickets: Tickets) -> impl RequestGuard {
    move |received: &mut Received| {
        let request = &received.request;
        if request.uri().path() != "/ticket" {
            return Ok(());
        }
        let identity: Option<&Identity> = request.extensions().get();
        let user = &identity.expect("there is a guard in front").name;
        let ticket = tickets.issue(user).expect("it is short");
        let answer = Rejection::new(StatusCode::OK, "a ticket");
        let answer = answer.with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Err(answer.with_body(HeaderValue::from_static("text/plain"), ticket.into()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_even_where_no_credentials_would_go() {
    let Some((mut browser, _elsewhere)) = chromium_with_a_page().await else {
        return;
    };
    let tickets = Tickets::new(cloverleaf::entropy(), cloverleaf::wall_clock());
    let desk = Arc::new(desk(tickets.clone()));
    let pages = Ours::start(vec![Arc::new(digest()), desk]).await;
    let sockets = Ours::start(vec![Arc::new(tickets)]).await;
    browser
        .open(&format!("http://{}/", known(pages.address)))
        .await;
    // Not relative: a URL that has credentials, as that of this page, is none for `fetch`.
    let fetch = "fetch(`${location.origin}/ticket`).then(answer => answer.text())";
    let ticket = browser.run(fetch).await;
    let ticket = ticket.as_str().expect("it is text");
    // To another site.
    let port = sockets.address.port();
    let url = format!("ws://localhost:{port}/chat?ticket={ticket}");
    let first = visit(&mut browser, &url).await;
    let second = visit(&mut browser, &url).await;
    assert_eq!([first, second], [&let_in("ticket"), REFUSED]);
    let expected = ["1 socket /chat: nothing", "2 socket /chat: nothing"];
    assert_eq!(sockets.seen(), expected);
}
