//! The same exchange for every peer: our client against its server, its client against ours.

use cloverleaf::proto::extension::Extensions;
use cloverleaf::proto::handshake::ClientRequest;
use cloverleaf::{Acceptor, Client, Config, Kind, Message, OriginPolicy, ServerOptions, WebSocket};
use cloverleaf_deflate::DeflateFrame;
use tokio::net::{TcpListener, TcpStream};

use crate::python::Python;
use crate::wire::{Flow, Notes, Tapped};

/// What came of one connection.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was agreed, as in the header.
    pub(crate) agreed: String,
    /// What we sent, and what we received.
    pub(crate) ours: Flow,
    pub(crate) theirs: Flow,
}

fn config(extensions: Extensions) -> Config {
    let mut config = cloverleaf::config();
    config.extensions = extensions;
    config
}

fn agreed(socket: &WebSocket<Tapped>) -> String {
    let agreed = socket.opening().agreed.iter();
    let agreed: Vec<String> = agreed
        .map(|it| format!("{}{}", it.name, it.params))
        .collect();
    agreed.join(", ")
}

/// One extension and no other.
pub(crate) fn only(extension: DeflateFrame) -> Extensions {
    Extensions::new().with(extension).expect("legal")
}

/// Records as a service would send them.
pub(crate) fn records(size: usize) -> String {
    let records = (0..1600).map(|i| {
        let id = i * 7919 % 10_007;
        format!(r#"{{"id":{id},"name":"alpha","price":{i}.50,"active":true}},"#)
    });
    records.collect::<String>()[..size].to_owned()
}

/// Octets that no compressor makes smaller.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut random = 7_u64;
    let mut next = || {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

/// Our client at their server, which echoes.
pub(crate) struct Connected {
    pub(crate) socket: WebSocket<Tapped>,
    notes: Notes,
}

impl Connected {
    /// Asks for this path.
    pub(crate) async fn to(port: u16, path: &str, extensions: Extensions) -> Self {
        let connected = Self::attempt(port, path, extensions).await;
        connected.expect("their server accepts")
    }

    /// The same, and the answer may not be to our liking.
    pub(crate) async fn attempt(
        port: u16,
        path: &str,
        extensions: Extensions,
    ) -> Result<Self, cloverleaf::Error> {
        let request = ClientRequest::new(&format!("ws://127.0.0.1:{port}{path}"));
        let origin = format!("http://127.0.0.1:{port}");
        // Neither of the two servers likes a client without.
        let request = request.expect("a URL").header(
            http::header::ORIGIN,
            origin.try_into().expect("a header's value"),
        );
        let stream = TcpStream::connect(("127.0.0.1", port)).await;
        let (stream, notes) = Tapped::new(stream.expect("their server"));
        let client = Client::new(config(extensions));
        let socket = client
            .open(stream, request.expect("no header of ours"))
            .await;
        Ok(Self {
            socket: socket?,
            notes,
        })
    }

    /// Whether this message comes back.
    pub(crate) async fn echoes(&mut self, message: impl Into<Message>) -> bool {
        let message = message.into();
        self.socket.send(message.clone()).await.is_ok()
            && matches!(self.socket.recv().await, Ok(Some(echo)) if echo == message)
    }
}

/// The whole exchange of our client with their server.
pub(crate) async fn as_client(port: u16, path: &str, extensions: Extensions) -> Outcome {
    let mut connected = Connected::to(port, path, extensions).await;
    let agreed = agreed(&connected.socket);
    let texts = [
        String::new(),
        "Hello".to_owned(),
        "Hello".to_owned(),
        "Grüße, ".repeat(60),
        records(2000),
        records(2000),
        records(65_536),
    ];
    for text in texts {
        assert!(connected.echoes(text.as_str()).await, "{agreed}: {text:?}");
    }
    // In parts, each a frame: empty, small, large.
    let parts = [
        records(1000),
        String::new(),
        "Hello".to_owned(),
        records(60_000),
    ];
    for (i, part) in parts.iter().enumerate() {
        let fin = i + 1 == parts.len();
        let sent = connected.socket.send_part(Kind::Text, part.clone(), fin);
        sent.await.expect("open");
    }
    let echo = connected.socket.recv().await.expect("no failure");
    assert!(echo == Some(Message::text(parts.concat())), "{agreed}");
    assert!(connected.echoes(noise(65_536)).await, "{agreed}: noise");

    let Connected { mut socket, notes } = connected;
    socket.close().await.expect("a close frame comes back");
    let [ours, theirs] = notes.flows(agreed.starts_with("permessage"));
    Outcome {
        agreed,
        ours,
        theirs,
    }
}

/// Their client, a program with these arguments behind the port, at our server, which echoes. Also
/// what their client prints.
pub(crate) async fn as_server(
    python: &'static Python,
    program: &'static str,
    args: &'static [&str],
    extensions: Extensions,
) -> (String, Outcome) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a free port");
    let port = listener.local_addr().expect("bound").port().to_string();
    let client = tokio::task::spawn_blocking(move || {
        let args: Vec<&str> = std::iter::once(port.as_str())
            .chain(args.iter().copied())
            .collect();
        python.run(program, &args)
    });
    let (stream, _) = listener.accept().await.expect("their client");
    let (stream, notes) = Tapped::new(stream);
    let mut options = ServerOptions::default();
    options.origin = OriginPolicy::SameHost;
    let acceptor = Acceptor::new(config(extensions), options);
    let mut socket = acceptor.accept(stream).await.expect("a good request");
    let agreed = agreed(&socket);
    let failure = loop {
        match socket.recv().await {
            Ok(Some(message)) => socket.send(message).await.expect("open"),
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    drop(socket);
    // First their complaint, if they have one.
    let printed = client.await.expect("their client is content");
    assert!(failure.is_none(), "{agreed}: {failure:?}");
    let [ours, theirs] = notes.flows(false);
    let outcome = Outcome {
        agreed,
        ours,
        theirs,
    };
    (printed, outcome)
}
