//! What becomes of an open connection on a server: one handler, or one for each channel.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use cloverleaf_proto::trunk::Key;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;

use crate::driver::{Drain, Draining};
use crate::error::Error;
use crate::line::Line;
use crate::opening::Open;
use crate::socket::{Opening, WebSocket};
use crate::trunk::{Channel, Physical, Pump};

/// What [`Server::max_channels`](crate::Server::max_channels) is by default.
pub(crate) const MAX_CHANNELS: usize = 1000;

/// Serves a connection to its end.
pub(crate) async fn serve<S, H, F>(
    open: Open<S>,
    handler: &Arc<H>,
    drain: Option<&Arc<Drain>>,
    max_channels: usize,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(WebSocket<S>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    match open {
        Open::One(socket) => handler(socket).await,
        Open::Many(physical, opening) => {
            let drain = drain.map(|drain| Draining::new(Arc::clone(drain)));
            physical.lock().max_holders = max_channels;
            // Boxed: most connections carry one.
            Box::pin(serve_many(physical, *opening, handler, drain)).await;
            Ok(())
        }
    }
}

async fn serve_many<S, H, F>(
    physical: Arc<Physical<S>>,
    opening: Opening,
    handler: &Arc<H>,
    drain: Option<Draining>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    H: Fn(WebSocket<S>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<(), Error>> + Send + 'static,
{
    // Dropped with this future, they all end.
    let mut tasks = JoinSet::new();
    let spawn = |tasks: &mut JoinSet<()>, channel: Channel<S>, opening: Opening| {
        let handler = Arc::clone(handler);
        // Before the task: it would keep room for the parts beside that for the whole.
        let socket = WebSocket::on(Line::Channel(channel), opening);
        tasks.spawn(async move {
            if let Err(error) = handler(socket).await {
                tracing::debug!(%error, "channel ended");
            }
        });
    };
    // Over a subprotocol for browsers there is no first channel.
    if physical.lock().trunk.state(Key::FIRST).is_some() {
        spawn(
            &mut tasks,
            Channel::new(Arc::clone(&physical), Key::FIRST),
            opening,
        );
    }
    let mut pump = Pump::new(physical, drain, None);
    let next = |tasks: &mut JoinSet<()>, pump: &mut Pump<S>, cx: &mut std::task::Context<'_>| {
        // Only to forget those that have ended.
        while let Poll::Ready(Some(_)) = tasks.poll_join_next(cx) {}
        pump.poll(cx)
    };
    while let Some((channel, opening)) = poll_fn(|cx| next(&mut tasks, &mut pump, cx)).await {
        spawn(&mut tasks, channel, Opening::of_channel(*opening));
    }
    while tasks.join_next().await.is_some() {}
}
