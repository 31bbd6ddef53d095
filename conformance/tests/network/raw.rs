//! A client that writes and reads octets, and servers that misbehave.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A connection as a client has it.
pub(crate) struct Raw<S>(pub(crate) S);

/// What the server answers to the request for `target`: its head, and the connection.
pub(crate) async fn ask(address: SocketAddr, target: &str) -> (String, Raw<TcpStream>) {
    let tcp = TcpStream::connect(address).await.expect("reachable");
    ask_over(tcp, target).await
}

/// As [`ask`], over any stream.
pub(crate) async fn ask_over<S>(mut stream: S, target: &str) -> (String, Raw<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("a head"));
    }
    (String::from_utf8(head).expect("text"), Raw(stream))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// The next octets, as many as are expected.
    pub(crate) async fn expect(&mut self, octets: &[u8]) {
        let mut read = vec![0; octets.len()];
        self.0.read_exact(&mut read).await.expect("octets");
        assert_eq!(read, octets);
    }

    /// All that comes until the end.
    pub(crate) async fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end too.
        let _ = self.0.read_to_end(&mut rest).await;
        rest
    }

    /// Sends a frame under an all-zero masking key, so that its payload stays readable.
    pub(crate) async fn send(&mut self, opcode: u8, payload: &[u8]) {
        let mut frame = vec![0x80 | opcode];
        match payload.len() {
            short @ 0..126 => frame.push(0x80 | short as u8),
            long => {
                frame.push(0x80 | 126);
                frame.extend((long as u16).to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        self.0.write_all(&frame).await.expect("sent");
    }

    /// Reads a short text message and the close frame without a code behind it, answers that,
    /// and waits for the end of TCP.
    pub(crate) async fn said(mut self) -> String {
        let text = self.text().await;
        self.closed_without_code().await;
        text
    }

    /// Reads an unmasked text message of less than 65,536 octets.
    pub(crate) async fn text(&mut self) -> String {
        self.expect(&[0x81]).await;
        let length = match self.0.read_u8().await.expect("a length") {
            126 => usize::from(self.0.read_u16().await.expect("a length")),
            short => {
                assert!(short < 126, "a mask or a long message: {short:#x}");
                usize::from(short)
            }
        };
        let mut text = vec![0; length];
        self.0.read_exact(&mut text).await.expect("a payload");
        String::from_utf8(text).expect("text")
    }

    /// Reads an empty close frame, answers it, and sees TCP end.
    pub(crate) async fn closed_without_code(mut self) {
        self.expect(&[0x88, 0x00]).await;
        self.send(8, b"").await;
        assert_eq!(self.rest().await, b"");
    }
}

/// A server that answers each connection with these octets and drops it.
pub(crate) async fn answering(octets: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut tcp, _)) = listener.accept().await {
            let mut request = [0; 2048];
            let _ = tcp.read(&mut request).await;
            let _ = tcp.write_all(octets).await;
        }
    });
    address
}

/// A server that hands its first `count` connections on to `address`, and is gone then.
pub(crate) async fn dying_after(count: usize, address: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let front = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        for _ in 0..count {
            let Ok((mut from, _)) = listener.accept().await else {
                return;
            };
            let Ok(mut to) = TcpStream::connect(address).await else {
                return;
            };
            // One at a time: the judge's next connection waits in the backlog.
            let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
        }
    });
    front
}

/// A port at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    listener.local_addr().expect("an address")
}
