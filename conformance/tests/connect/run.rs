//! The two programs, and servers that no program would be.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use cloverleaf::{Error, Server, Transport, WebSocket};

/// How a program ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cloverleaf"));
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn drain(mut pipe: impl std::io::Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut octets = Vec::new();
        pipe.read_to_end(&mut octets).expect("a pipe");
        String::from_utf8(octets).expect("everything that is printed is text")
    })
}

/// Runs `cloverleaf connect` with this input to its end.
pub(crate) fn connect(arguments: &[&str], input: &str) -> Ended {
    let mut child = program(&[&["connect"], arguments].concat())
        .spawn()
        .expect("starts");
    let (out, err) = (
        drain(child.stdout.take().expect("piped")),
        drain(child.stderr.take().expect("piped")),
    );
    // One that has ended already does not read it.
    let _ = child
        .stdin
        .take()
        .expect("piped")
        .write_all(input.as_bytes());
    let status = child.wait().expect("ends");
    ended(status, out, err)
}

fn ended(status: ExitStatus, out: JoinHandle<String>, err: JoinHandle<String>) -> Ended {
    Ended {
        code: status.code(),
        out: out.join().expect("no panic"),
        err: err.join().expect("no panic"),
    }
}

/// `cloverleaf connect`, at work: its input stays open, and its news can be waited for.
pub(crate) struct Connected {
    child: Child,
    out: JoinHandle<String>,
    news: BufReader<std::process::ChildStderr>,
    told: String,
}

impl Connected {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = program(&[&["connect", "--verbose"], arguments].concat())
            .spawn()
            .expect("starts");
        let out = drain(child.stdout.take().expect("piped"));
        let news = BufReader::new(child.stderr.take().expect("piped"));
        Self {
            child,
            out,
            news,
            told: String::new(),
        }
    }

    /// Waits for a line with this in it.
    pub(crate) fn wait_for(&mut self, what: &str) {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            let read = self.news.read_line(&mut line).expect("a pipe");
            assert!(read > 0, "no {what:?} in {}", self.told);
            self.told.push_str(&line);
        }
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("piped");
        writeln!(input, "{line}").expect("it reads");
    }

    pub(crate) fn interrupt(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    }

    /// Waits for its end, with its input still open.
    pub(crate) fn end(mut self) -> Ended {
        // `wait` closes the input, which would be a reason to end.
        let input = self.child.stdin.take();
        self.news.read_to_string(&mut self.told).expect("a pipe");
        let status = self.child.wait().expect("ends");
        drop(input);
        Ended {
            code: status.code(),
            out: self.out.join().expect("no panic"),
            err: self.told,
        }
    }
}

/// `cloverleaf echo`.
pub(crate) struct Echo {
    child: Child,
    err: JoinHandle<String>,
    pub(crate) url: String,
}

impl Echo {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let fixed = ["echo", "--listen", "127.0.0.1:0", "--end-with-stdin"];
        let mut child = program(&[&fixed, arguments].concat())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        out.read_line(&mut line).expect("a pipe");
        let err = drain(child.stderr.take().expect("piped"));
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("it does not listen: {line:?}"))
            .to_owned();
        Self { child, err, url }
    }

    /// Ends it, and returns what it told.
    pub(crate) fn end(mut self) -> String {
        drop(self.child.stdin.take());
        assert!(self.child.wait().expect("ends").success());
        self.err.join().expect("no panic")
    }
}

/// A server in this process, for one that does what our echo does not. It ends with the test.
pub(crate) fn server<F, H>(handler: H) -> String
where
    H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    serve(|server| server, handler)
}

/// The same, set up like this.
pub(crate) fn serve<F, H>(
    set_up: impl FnOnce(Server) -> Server + Send + 'static,
    handler: H,
) -> String
where
    H: Fn(WebSocket<Transport>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async move {
            let server = Server::bind("127.0.0.1:0").await.expect("a free port");
            let url = format!("ws://{}", server.local_addr().expect("bound"));
            sender.send(url).expect("the test waits");
            set_up(server).serve(handler).await
        })
    });
    receiver.recv().expect("it listens")
}

/// Something that answers one request with these octets.
pub(crate) fn answering(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}/", listener.local_addr().expect("bound"));
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("somebody connects");
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            stream.read_line(&mut line).expect("a request");
        }
        stream.get_mut().write_all(answer).expect("it reads");
    });
    url
}
