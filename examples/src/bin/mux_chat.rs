//! Chat rooms: each is a WebSocket, and a client has all of its rooms over one connection. So does
//! the page that comes from the same port.
//!
//! `mux_chat [ADDRESS]`, by default 127.0.0.1:9001. What makes it multiplex is in `src/chat/mod.rs`;
//! the rooms in `src/chat/rooms.rs` do not know.

use std::sync::Arc;

use cloverleaf_examples::chat::rooms::{Rooms, visit};
use cloverleaf_examples::chat::server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let server = server(&address).await?;
    let address = server.local_addr()?;
    println!("open http://{address}/ or run `mux_client ws://{address}`");
    let stop = async {
        // Without a signal handler the server runs for ever, which is no reason not to run.
        let _ = tokio::signal::ctrl_c().await;
    };
    let rooms = Arc::new(Rooms::default());
    server
        .serve_until(stop, move |socket| visit(socket, Arc::clone(&rooms)))
        .await;
    Ok(())
}
