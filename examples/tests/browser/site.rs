//! One port for a browser: files over HTTP, and WebSockets handed on to the server behind it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use serde_json::Value;

/// What pages may load, and where it is.
const FOLDERS: [(&str, &str); 4] = [
    ("/chat/mux/", "../extensions/mux/browser"),
    ("/mux/", "../extensions/mux/browser"),
    ("/chat/", "web/chat"),
    ("/", "tests/browser"),
];

/// The site, for as long as the test runs.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    /// Connections that became WebSockets.
    pub(crate) sockets: Arc<AtomicUsize>,
    /// What pages have posted.
    pub(crate) posted: Receiver<Value>,
}

impl Site {
    /// `server`: where WebSockets go.
    pub(crate) fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let sockets = Arc::new(AtomicUsize::new(0));
        let (post, posted) = mpsc::channel();
        let count = Arc::clone(&sockets);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (count, post) = (Arc::clone(&count), post.clone());
                // A browser that goes away in the middle of something is none of our concern.
                thread::spawn(move || serve(stream, server, &count, &post));
            }
        });
        Self {
            address,
            sockets,
            posted,
        }
    }
}

/// One connection: one request.
fn serve(
    stream: TcpStream,
    server: SocketAddr,
    count: &AtomicUsize,
    post: &Sender<Value>,
) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (other, value) = line.split_once(':')?;
            other.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    };
    if field("upgrade").is_some() {
        count.fetch_add(1, Ordering::SeqCst);
        return relay(reader, stream, server, head.as_bytes());
    }
    let mut words = head.split(' ');
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if method == Some("POST") {
        let length = field("content-length").and_then(|length| length.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let _ = post.send(value);
        return respond(stream, "204 No Content", "text/plain", b"");
    }
    let path = target.split('?').next().unwrap_or_default();
    match file(path).and_then(|path| Some((kind(&path)?, fs::read(path).ok()?))) {
        Some((kind, octets)) => respond(stream, "200 OK", kind, &octets),
        None => respond(stream, "404 Not Found", "text/plain", b"not here"),
    }
}

fn file(path: &str) -> Option<PathBuf> {
    let (prefix, folder) = FOLDERS
        .into_iter()
        .find(|(prefix, _)| path.starts_with(prefix))?;
    let name = &path[prefix.len()..];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    (!name.contains(['/', '\\'])).then(|| folder.join(name))
}

fn kind(path: &Path) -> Option<&'static str> {
    match path.extension()?.to_str()? {
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript"),
        "css" => Some("text/css"),
        _ => None,
    }
}

fn respond(mut stream: TcpStream, status: &str, kind: &str, body: &[u8]) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Content-Security-Policy: default-src 'self'\r\nConnection: close\r\n\r\n",
        body.len(),
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// Octets both ways until both ends have ended.
fn relay(
    mut reader: BufReader<TcpStream>,
    mut browser: TcpStream,
    server: SocketAddr,
    head: &[u8],
) -> io::Result<()> {
    let mut behind = TcpStream::connect(server)?;
    behind.write_all(head)?;
    let mut from_server = behind.try_clone()?;
    let back = thread::spawn(move || {
        let copied = io::copy(&mut from_server, &mut browser);
        let _ = browser.shutdown(Shutdown::Write);
        copied
    });
    let copied = io::copy(&mut reader, &mut behind);
    let _ = behind.shutdown(Shutdown::Write);
    let _ = back.join();
    copied.map(|_| ())
}
