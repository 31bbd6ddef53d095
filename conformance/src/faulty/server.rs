//! An echo server with a fault, on TCP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use cloverleaf_judge::authentication::Credentials;
use tokio::net::TcpListener;

use super::{Fault, Guard, serve};

/// A server that sends every message back, but for its fault.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    fault: Option<Fault>,
    guard: Option<Arc<Guard>>,
}

impl Server {
    /// Listens on `address`. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// If the address cannot be had.
    pub async fn bind(address: SocketAddr, fault: Option<Fault>) -> io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            fault,
            guard: None,
        })
    }

    /// Lets in those only that have these credentials.
    #[must_use]
    pub fn guarded(mut self, credentials: &Credentials) -> Self {
        self.guard = Some(Arc::new(Guard::new(credentials)));
        self
    }

    /// Where it listens: `ws://127.0.0.1:9001`.
    ///
    /// # Errors
    ///
    /// If the operating system does not say.
    pub fn url(&self) -> io::Result<String> {
        Ok(format!("ws://{}", self.listener.local_addr()?))
    }

    /// Serves until `stop` is ready; connections that are open then are dropped.
    pub async fn serve_until(self, stop: impl Future<Output = ()>) {
        let mut connections = tokio::task::JoinSet::new();
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // Without it echoes only come later.
                        let _ = stream.set_nodelay(true);
                        let (guard, fault) = (self.guard.clone(), self.fault);
                        connections.spawn(async move {
                            serve(stream, guard.as_deref(), fault).await;
                        });
                    }
                    // The client is gone already, or there are too many at once: let some end.
                    Err(_) => tokio::task::yield_now().await,
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }
}
