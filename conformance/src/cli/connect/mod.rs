//! `cloverleaf connect`: a server, tried by hand.
//!
//! ```text
//!  stdin --- input --- line ---+               +-- channel --- WebSocket
//!                              |--- session ---+-- channel --- WebSocket
//!  stdout, stderr --- screen --+               +-- …               |
//!        +------------------------- trace -------------------------+
//! ```

mod arrivals;
mod channel;
mod credentials;
mod input;
mod interrupts;
mod line;
mod options;
mod request;
mod screen;
mod session;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use cloverleaf::proto::extension::{Hints, Tap};
use cloverleaf::{Client, ClientTls, Config, Error, ErrorKind, OsClock};
use cloverleaf_capture::Capture;
use cloverleaf_conformance::extensions::{self as shipped, Built};
use cloverleaf_heartbeat::Heartbeat;
use http::header::{LOCATION, ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue};

use super::{extensions, fail};
use arrivals::Latest;
use cloverleaf_reports::printable::clipped;
use interrupts::Interrupts;
use options::{Hint, header, ping_interval, size};
use request::Asked;
use screen::Screen;
use session::{End, Opener, Session};
use trace::{Trace, Traced};

/// Talk to a server by hand: lines are sent, messages are printed
///
/// A line of standard input is a text message; one that begins with / is a command, and /help lists
/// those. A message that comes is printed as the line that would send it. On a terminal, or with
/// --verbose, standard error tells what else happens. At the end of the input the connection is
/// closed, once the server has answered a ping behind it. Exit code: 0 closed normally, 1 refused or
/// failed, 2 usage.
#[derive(Args, Debug)]
pub(super) struct Connect {
    /// The server: ws://ADDRESS or wss://ADDRESS, with a path if need be; wss://USER@ADDRESS asks
    /// for the user's password, without showing it
    #[arg(required_unless_present = "extension")]
    url: Option<String>,

    #[command(flatten)]
    extensions: extensions::Options,

    /// Offer no extensions; without any of these options, permessage-deflate
    #[arg(long, conflicts_with_all = ["extension", "require_extension", "mux"])]
    no_extensions: bool,

    /// Open so many WebSockets over one connection, with --mux. A line goes to all of them, until
    /// /channel says otherwise
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    channels: Option<u32>,

    /// Offer this subprotocol; repeat it for more
    #[arg(long, value_name = "NAME")]
    protocol: Vec<String>,

    /// Add this header to the request; repeat it for more
    #[arg(long, value_name = "NAME: VALUE", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,

    /// The origin, as a page in a browser has one, such as `https://example.com`
    #[arg(long)]
    origin: Option<HeaderValue>,

    #[command(flatten)]
    credentials: credentials::Options,

    /// Trust the certificate authorities in this file (PEM) and no others
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Accept every certificate: whoever sits between can read and change everything
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,

    /// Send these, and read no input
    #[arg(long, value_name = "TEXT", num_args = 1..)]
    send: Vec<String>,

    /// Close when so many messages have come, not at the end of the input
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Lines are octets in hexadecimal, for binary messages
    #[arg(long)]
    binary: bool,

    /// What to ask of the extensions for every message; repeat it for more
    #[arg(long, value_enum)]
    hint: Vec<Hint>,

    /// Ping after so much silence; `off` for never [default: 20]
    #[arg(long, value_name = "SECONDS", value_parser = ping_interval)]
    ping_interval: Option<PingInterval>,

    /// The largest message to take, such as 64k or 16M [default: 1M]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_message: Option<usize>,

    /// Show every frame on standard error; repeat it for more than one view
    #[arg(
        long,
        value_enum,
        value_name = "VIEW",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "wire"
    )]
    trace: Vec<Traced>,

    /// Tell what happens, without a terminal too
    #[arg(long)]
    verbose: bool,
}

/// What it takes to connect.
struct Prepared {
    client: Client,
    asked: Asked,
    heartbeat: Option<Heartbeat>,
    /// More than one WebSocket is offered.
    multiplexes: bool,
    latest: Latest,
    capture: Option<Capture>,
}

/// When to ping. `None`: never.
type PingInterval = Option<Duration>;

impl Connect {
    pub(super) fn run(self) -> ExitCode {
        match self.prepare() {
            Ok(prepared) => match super::runtime() {
                Ok(runtime) => runtime.block_on(self.talk(prepared)),
                Err(error) => fail(&error, 2),
            },
            Err(code) => code,
        }
    }

    /// Everything that can be wrong before anything is sent.
    fn prepare(&self) -> Result<Prepared, ExitCode> {
        let mut config = self.config();
        let built = self.offered()?;
        config.extensions = built.extensions;
        self.extensions.check_required(&config.extensions)?;
        if self.channels.is_some() && !built.multiplexes {
            return Err(fail(&"--channels needs --mux", 2));
        }
        let latest = Latest::default();
        if built.multiplexes {
            config.taps.push(Arc::new(latest.clone()));
        }
        let asked = self.asked().map_err(|error| fail(&error, 2))?;
        let first = asked.first().map_err(|error| fail(&error, 2))?;
        let tls = self.tls().map_err(|error| fail(&error, 2))?;
        let capture = self.extensions.record(&mut config)?;
        let mut client = Client::new(config);
        if let Some(tls) = tls {
            client = client.tls(tls);
        }
        let responder = self.credentials.responder(&first);
        if let Some(responder) = responder.map_err(|error| fail(&error, 2))? {
            client = client.authenticate(responder);
        }
        Ok(Prepared {
            client,
            asked,
            heartbeat: built.heartbeat,
            multiplexes: built.multiplexes,
            latest,
            capture,
        })
    }

    fn config(&self) -> Config {
        let mut config = cloverleaf::config();
        config.clock = Some(Arc::new(OsClock::new()));
        if let Some(interval) = self.ping_interval {
            config.timing.ping_interval = interval;
        }
        if let Some(size) = self.max_message {
            config.limits.max_message_size = size;
            config.limits.max_frame_size = size;
        }
        let screen = self.screen();
        let traces = self.trace.iter().map(|traced| Trace {
            traced: *traced,
            screen,
            channel: None,
        });
        config.taps = traces
            .map(|trace| -> Arc<dyn Tap> { Arc::new(trace) })
            .collect();
        config
    }

    fn offered(&self) -> Result<Built, ExitCode> {
        if self.no_extensions {
            return Ok(Built::default());
        }
        let default = "permessage-deflate"
            .parse()
            .and_then(|wanted| shipped::build(&[wanted]))
            .map_err(|problem| fail(&problem, 2))?;
        self.extensions.chosen(|| default)
    }

    /// What all requests say.
    fn asked(&self) -> Result<Asked, &'static str> {
        let Some(url) = self.url.clone() else {
            return Err("which server? cloverleaf connect ws://127.0.0.1:9001");
        };
        let mut headers = self.header.clone();
        headers.extend(self.origin.clone().map(|origin| (ORIGIN, origin)));
        Ok(Asked {
            url,
            protocols: self.protocol.clone(),
            headers,
            required: self.extensions.require_extension.clone(),
        })
    }

    fn tls(&self) -> Result<Option<ClientTls>, String> {
        if self.insecure {
            return Ok(Some(ClientTls::dangerous_without_verification()));
        }
        let Some(path) = &self.ca else {
            return Ok(None);
        };
        let pem = std::fs::read(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let tls = ClientTls::from_pem(&pem);
        tls.map(Some)
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    fn screen(&self) -> Screen {
        Screen::new(self.verbose, self.binary)
    }

    async fn talk(mut self, prepared: Prepared) -> ExitCode {
        let capture = prepared.capture.clone();
        let end = match self.session(prepared).await {
            Ok(end) => end,
            Err(code) => return code,
        };
        if let Some(recorded) = self.extensions.recorded(capture.as_ref()) {
            self.screen().say(&recorded);
        }
        match end {
            End::Normal => ExitCode::SUCCESS,
            End::Failed => ExitCode::FAILURE,
        }
    }

    async fn session(&mut self, prepared: Prepared) -> Result<End, ExitCode> {
        let request = prepared.asked.first().map_err(|error| fail(&error, 2))?;
        let (socket, multiplexer) = prepared
            .client
            .multiplex(request)
            .await
            .map_err(|error| fail(&refusal(&error), 1))?;
        // Only now: until there is a connection, an interrupt just ends the program.
        let interrupts = Interrupts::new()
            .map_err(|error| fail(&format!("cannot wait for signals: {error}"), 1))?;
        let screen = self.screen();
        let opener = match multiplexer {
            Some(multiplexer) => Ok(Opener {
                multiplexer,
                asked: prepared.asked,
                latest: prepared.latest,
            }),
            None if prepared.multiplexes => Err(NOT_SPOKEN),
            None => Err(NOT_ASKED),
        };
        if let (Err(advice), true) = (&opener, prepared.multiplexes) {
            screen.say(advice);
            if self.channels > Some(1) {
                return Err(fail(&"there is no second channel for --channels", 1));
            }
        }
        let mut session = Session::new(screen, opener);
        session.binary = self.binary;
        session.raw = !self.send.is_empty();
        session.hints = self
            .hint
            .iter()
            .fold(Hints::new(), |hints, hint| hint.add_to(hints));
        session.count = self.count;
        session.heartbeat = prepared.heartbeat;
        session.to_open = self.channels.map_or(0, |channels| channels - 1);
        let lines = if session.raw {
            input::these(std::mem::take(&mut self.send))
        } else {
            input::lines()
        };
        Ok(session.run(socket, lines, interrupts).await)
    }
}

/// Why there is one WebSocket and no other.
const NOT_SPOKEN: &str = "mux is not in the server's answer: this connection carries one WebSocket";
const NOT_ASKED: &str = "this connection carries one WebSocket: --mux asks for more";

/// Why there is no connection, with what the server said and what can be done.
fn refusal(error: &Error) -> String {
    const EXCERPT: usize = 500;
    let mut text = clipped(&error.to_string(), EXCERPT);
    if error.kind() == ErrorKind::Tls {
        text.push_str(" (--ca FILE trusts a certificate, --insecure every one)");
    }
    let Some(response) = error.response() else {
        return text;
    };
    for name in [LOCATION, WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            let value = String::from_utf8_lossy(value.as_bytes());
            text = format!("{text}\n  {name}: {}", clipped(&value, EXCERPT));
        }
    }
    let body = String::from_utf8_lossy(response.body());
    if !body.trim().is_empty() {
        text = format!("{text}\n  it said: {}", clipped(body.trim(), EXCERPT));
    }
    text
}
