//! Tickets: an ordinary request proves who a page's user is, and a WebSocket carries the proof on.
//!
//! `ticket_auth [ADDRESS]`, by default 127.0.0.1:9001; the user is `ada`, the password `clover`. The page
//! at `/` asks for a ticket, for which the browser asks the user for the password, and opens the WebSocket
//! with it. That works in every browser, whatever it makes of a 401 to a WebSocket
//! (`auth/browsers.md` says what). For the open internet, add TLS as in `secure_chat`.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use cloverleaf::{Rejection, Server, ServerOptions, Transport, WebSocket};
use cloverleaf_auth::Identity;
use cloverleaf_auth::digest::Nonces;
use cloverleaf_auth::guard::{AllOf, Digest, PerPath, Tickets};
use cloverleaf_auth::store::Memory;
use cloverleaf_proto::handshake::Received;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};

const REALM: &str = "tickets";

const PAGE: &str = r##"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tickets</title>
<h1>Tickets</h1>
<p id="said" role="status">not connected</p>
<script type="module">
const said = document.querySelector("#said");
const answer = await fetch("/ticket");
if (answer.ok) {
    const url = new URL("/chat", location.href.replace(/^http/, "ws"));
    url.searchParams.set("ticket", await answer.text());
    const socket = new WebSocket(url);
    socket.onmessage = ({ data }) => { said.textContent = data; };
    socket.onclose = ({ code }) => { said.textContent += ` (closed: ${code})`; };
} else {
    said.textContent = `no ticket: ${answer.status}`;
}
</script>
"##;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:9001".to_owned());

    let (entropy, clock) = (cloverleaf::entropy(), cloverleaf::wall_clock());
    let users = Memory::new().user("ada", REALM, "clover");
    let nonces = Nonces::new(Arc::clone(&entropy), Arc::clone(&clock));
    let known = Digest::new(REALM, Arc::new(users), nonces)?;
    let tickets = Tickets::new(entropy, clock);

    // A guard's answer need not be an error: this one hands out what was asked for.
    let issuing = tickets.clone();
    let issue = move |received: &mut Received| {
        let known: Option<&Identity> = received.request.extensions().get();
        let name = known.map_or("", |known| &known.name);
        let ticket = issuing
            .issue(name)
            .map_err(|error| Rejection::bad_request(error.to_string()))?;
        Err(content("text/plain", ticket))
    };
    let paths = PerPath::new()
        .at("/ticket", AllOf::new().and(known).and(issue))?
        .at("/chat", tickets)?
        .otherwise(|_: &mut Received| Err(content("text/html; charset=utf-8", PAGE)));

    let mut options = ServerOptions::default();
    options.plain_http = true;
    options.guards = vec![Arc::new(paths)];
    let server = Server::bind(address).await?.options(options);
    println!("open http://{}/", server.local_addr()?);
    server.serve(greet).await?;
    Ok(())
}

async fn greet(mut socket: WebSocket<Transport>) -> Result<(), cloverleaf::Error> {
    let known: Option<&Identity> = socket.opening().handshake.extension();
    let name = known.map_or("nobody", |known| &known.name).to_owned();
    socket.send(format!("hello, {name}")).await?;
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

/// 200 with this content, which nobody shall keep.
fn content(kind: &'static str, content: impl Into<Bytes>) -> Rejection {
    Rejection::new(StatusCode::OK, "content")
        .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .with_body(HeaderValue::from_static(kind), content.into())
}
