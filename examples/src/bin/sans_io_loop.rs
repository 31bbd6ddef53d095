//! The engine without tokio: a blocking client on a plain `TcpStream`, the whole loop in sight.
//!
//! `sans_io_loop [ADDRESS]`, by default 127.0.0.1:9001, sends "hello" and waits for one message.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use cloverleaf::OsMaskSource;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::connection::Transmit;
use cloverleaf_proto::extension::Hints;
use cloverleaf_proto::frame::MaskSource;
use cloverleaf_proto::handshake::{ClientHandshake, ClientProgress, ClientRequest, Opened};
use cloverleaf_proto::{Config, Connection, Event, Role};

/// The opening handshake: write what there is to write, read, until it is over.
fn open(stream: &mut TcpStream, address: &str, config: &Arc<Config>) -> Result<Opened, Error> {
    let request = ClientRequest::new(&format!("ws://{address}/")).map_err(Error::other)?;
    let mut nonce = [0; 16];
    for chunk in nonce.chunks_mut(4) {
        chunk.copy_from_slice(&OsMaskSource::new().mask_key());
    }
    let mut handshake = ClientHandshake::new(request, nonce, Arc::clone(config), Instant::now())
        .map_err(Error::other)?;
    let mut buffer = [0; 4096];
    loop {
        let octets = handshake.poll_transmit();
        stream.write_all(octets)?;
        let written = octets.len();
        handshake.handle_written(written);
        if handshake.progress() != ClientProgress::NeedsInput {
            return handshake.finish().map_err(Error::other);
        }
        stream.set_read_timeout(left(handshake.poll_timeout()))?;
        match stream.read(&mut buffer) {
            Ok(0) => handshake.handle_eof(),
            Ok(n) => handshake.handle_input(Instant::now(), &buffer[..n]),
            Err(error) if is_timeout(&error) => handshake.handle_timeout(Instant::now()),
            Err(error) => return Err(error),
        }
    }
}

/// Everything that one turn of the loop has to do, until the peer or the clock is to be waited for.
fn transmit(stream: &mut TcpStream, connection: &mut Connection) -> Result<(), Error> {
    loop {
        match connection.poll_transmit() {
            Transmit::Idle => return Ok(()),
            Transmit::Write(front, back) => {
                stream.write_all(front)?;
                stream.write_all(back)?;
                let written = front.len() + back.len();
                connection.handle_written(Instant::now(), written);
            }
            Transmit::Shutdown => {
                stream.shutdown(Shutdown::Write)?;
                connection.handle_shutdown(Instant::now());
            }
        }
    }
}

fn main() -> Result<(), Error> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let config = Arc::new(Config::new(Arc::new(OsMaskSource::new())));
    let mut stream = TcpStream::connect(&address)?;
    let mut opened = open(&mut stream, &address, &config)?;

    let mut connection = Connection::new(Role::Client, config, opened.extensions, Instant::now());
    connection.handle_input(Instant::now(), &mut opened.leftover);
    connection
        .send("hello".into(), Hints::new())
        .map_err(Error::other)?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Message(message) => {
                    println!("got {message:?}");
                    connection
                        .close(CloseCode::NORMAL, "")
                        .map_err(Error::other)?;
                }
                Event::Closed(closed) => {
                    println!("{closed}");
                    return Ok(());
                }
                _ => {}
            }
        }
        transmit(&mut stream, &mut connection)?;
        if connection.is_done() {
            continue;
        }
        stream.set_read_timeout(left(connection.poll_timeout()))?;
        match stream.read(&mut buffer) {
            Ok(0) => connection.handle_eof(Instant::now()),
            Ok(n) => connection.handle_input(Instant::now(), &mut buffer[..n]),
            Err(error) if is_timeout(&error) => connection.handle_timeout(Instant::now()),
            Err(error) => return Err(error),
        }
    }
}

/// The time until a deadline, in the form that a socket takes: never zero.
fn left(deadline: Option<Instant>) -> Option<std::time::Duration> {
    let left = deadline?.saturating_duration_since(Instant::now());
    Some(left.max(std::time::Duration::from_millis(1)))
}

fn is_timeout(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
