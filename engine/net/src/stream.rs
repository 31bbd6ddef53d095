//! [`Stream`] and [`Sink`] for those who compose with them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use cloverleaf_proto::Message;
use cloverleaf_proto::close::CloseCode;
use cloverleaf_proto::extension::Hints;
use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Error;
use crate::socket::WebSocket;

/// Messages, as from [`recv`](WebSocket::recv). Ends when the connection has ended.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx).map(Result::transpose)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for WebSocket<S> {
    fn is_terminated(&self) -> bool {
        self.closed().is_some()
    }
}

/// Messages to send. Ready while less than 64 KiB waits; flushing writes all of it.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().line_mut().poll_room(cx).map(Ok)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        Ok(self.get_mut().line_mut().send(message, Hints::new())?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_flush(cx)
    }

    /// Closes with 1000 and waits for the peer.
    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let socket = self.get_mut();
        socket.line_mut().close(CloseCode::NORMAL, "")?;
        let closed = ready!(socket.poll_closed(cx));
        Poll::Ready(closed)
    }
}
