//! The echo client on a connection that carries many WebSockets: it opens as many as the server
//! gives slots for, to the same resource, and echoes on each.

use std::time::Duration;

use cloverleaf::{Error, Multiplexer, WebSocket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How often it looks for slots.
const LOOK: Duration = Duration::from_millis(5);

/// Echoes on this WebSocket, and if there is a multiplexer on all that `url` can be opened over it,
/// until the connection ends.
///
/// # Errors
///
/// As the first WebSocket ends.
pub(crate) async fn echo<S>(
    mut first: WebSocket<S>,
    multiplexer: Option<Multiplexer<S>>,
    url: &str,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(multiplexer) = multiplexer else {
        return echo_one(&mut first).await;
    };
    let ended = tokio::spawn(async move { echo_one(&mut first).await });
    let mut others = JoinSet::new();
    while !multiplexer.is_closed() {
        for _ in 0..multiplexer.slots().unwrap_or(0) {
            let (multiplexer, request) = (multiplexer.clone(), cloverleaf::request(url)?);
            others.spawn(async move {
                // That a channel is refused, dropped or failed is part of the cases.
                if let Ok(mut socket) = multiplexer.open(request).await {
                    let _ = echo_one(&mut socket).await;
                }
            });
        }
        while others.try_join_next().is_some() {}
        sleep(LOOK).await;
    }
    // Nobody stopped it, and it does not panic.
    ended.await.unwrap_or(Ok(()))
}

async fn echo_one<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
) -> Result<(), Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}
