//! Connections that are shared wherever they can be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cloverleaf_proto::handshake::ClientRequest;
use tokio::time::Instant;

use crate::client::{Client, not_reached, request};
use crate::error::{Error, ErrorKind};
use crate::multiplexer::{Multiplexer, Place};
use crate::socket::WebSocket;
use crate::transport::Transport;

/// Opens WebSockets over as few connections as the servers allow: one for each scheme, host and port,
/// another one when a server gives no more slots, and one for each WebSocket where a server does not
/// speak multiplexing. Clones share the connections.
///
/// ```no_run
/// # async fn example(config: cloverleaf::Config) -> Result<(), cloverleaf::Error> {
/// // With `cloverleaf_mux::Mux` last in `config.extensions`.
/// let pool = cloverleaf::Pool::new(cloverleaf::Client::new(config));
/// let lobby = pool.connect("wss://example.com/rooms/lobby").await?;
/// let kitchen = pool.connect("wss://example.com/rooms/kitchen").await?; // no second handshake
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    client: Client,
    idle_timeout: Duration,
    places: Arc<Mutex<HashMap<Place, Arc<Shared>>>>,
}

/// What is known of one place.
#[derive(Debug, Default)]
struct Shared {
    /// Held while a connection is being opened: who comes meanwhile will use the same.
    connections: tokio::sync::Mutex<Vec<Multiplexer<Transport>>>,
    /// The server has answered without multiplexing: nobody waits for anybody then.
    separate: std::sync::atomic::AtomicBool,
}

impl Pool {
    /// A pool of connections that this client opens.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            idle_timeout: Duration::from_secs(30),
            places: Arc::default(),
        }
    }

    /// A connection without a WebSocket stays open for so long, to be used again. Default 30 s.
    #[must_use]
    pub const fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.idle_timeout = timeout;
        self
    }

    /// Opens a WebSocket to a `ws://` or `wss://` URL.
    ///
    /// # Errors
    ///
    /// As [`connect`](crate::connect).
    pub async fn connect(&self, url: &str) -> Result<WebSocket<Transport>, Error> {
        self.open(request(url)?).await
    }

    /// Opens a WebSocket with a request that says more than a URL.
    ///
    /// # Errors
    ///
    /// As [`Client::request`].
    pub async fn open(&self, request: ClientRequest) -> Result<WebSocket<Transport>, Error> {
        use std::sync::atomic::Ordering::Relaxed;
        let shared = self.shared(Place::of(&request));
        let deadline = Instant::now() + self.client.patience();
        let mut tried = Vec::new();
        loop {
            if shared.separate.load(Relaxed) {
                let (socket, multiplexer) = self.multiplex(request).await?;
                if let Some(multiplexer) = multiplexer {
                    shared.separate.store(false, Relaxed);
                    shared.connections.lock().await.push(multiplexer);
                }
                return Ok(socket);
            }
            // Who waits in line for a server that does not answer gets no more time than who asks.
            let turn = tokio::time::timeout_at(deadline, shared.connections.lock());
            let turn = turn.await.ok().filter(|_| Instant::now() < deadline);
            let Some(mut connections) = turn else {
                return Err(not_reached());
            };
            if shared.separate.load(Relaxed) {
                // Learned while we waited.
                continue;
            }
            connections.retain(|connection| !connection.is_closed());
            let untried = connections
                .iter()
                .find(|connection| !tried.iter().any(|tried| connection.is_same(tried)));
            let Some(connection) = untried.cloned() else {
                let (socket, multiplexer) = self.multiplex(request).await?;
                match multiplexer {
                    Some(multiplexer) => connections.push(multiplexer),
                    None => shared.separate.store(true, Relaxed),
                }
                return Ok(socket);
            };
            drop(connections);
            match connection.open(request.clone()).await {
                // No slot, or it has just ended: the next one, or a new one.
                Err(error) if matches!(error.kind(), ErrorKind::Limit | ErrorKind::Closed) => {
                    tried.push(connection);
                }
                answer => return answer,
            }
        }
    }

    async fn multiplex(
        &self,
        request: ClientRequest,
    ) -> Result<(WebSocket<Transport>, Option<Multiplexer<Transport>>), Error> {
        self.client
            .multiplex_until(request, Some(self.idle_timeout))
            .await
    }

    fn shared(&self, place: Place) -> Arc<Shared> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        // What nobody uses any more is not remembered for ever.
        places.retain(|_, shared| {
            Arc::strong_count(shared) > 1
                || shared.connections.try_lock().is_ok_and(|connections| {
                    connections.iter().any(|connection| !connection.is_closed())
                })
        });
        Arc::clone(places.entry(place).or_default())
    }
}
