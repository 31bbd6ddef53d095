//! Chat rooms, each a WebSocket of its own, and a page for them from the same port.
//!
//! Nothing in `rooms` knows of multiplexing: whether a member comes by a connection of its own or
//! by one that it shares with a dozen other rooms is settled here.

pub mod rooms;
mod site;

use std::error::Error;
use std::sync::Arc;

use cloverleaf::{Server, ServerOptions};
use cloverleaf_mux::Mux;
use cloverleaf_proto::extension::Extensions;

/// The subprotocol over which a browser opens channels: it cannot offer the extension.
const SUBPROTOCOL: &str = "cloverleaf.mux";

/// A message is at most so many octets long. The page sends up to 2,000 characters.
const MAX_MESSAGE: usize = 8 * 1024;

/// There are at most so many connections, each with its channels.
const MAX_CONNECTIONS: usize = 1000;

/// A server for [`rooms::visit`] that multiplexes, and shows browsers the page.
///
/// # Errors
///
/// If the address cannot be had.
pub async fn server(address: &str) -> Result<Server, Box<dyn Error>> {
    let mut config = cloverleaf::config();
    // What is to be agreed for every channel would stand in front of it.
    config.extensions = Extensions::new().with(Mux::new())?;
    config.limits.max_message_size = MAX_MESSAGE;
    config.limits.max_frame_size = MAX_MESSAGE;

    let mut options = ServerOptions::default();
    options.plain_http = true;
    options.guards = vec![Arc::new(site::answer)];

    let server = Server::bind(address).await?;
    Ok(server
        .config(config)
        .options(options)
        .channels_over(SUBPROTOCOL)
        .max_connections(MAX_CONNECTIONS))
}
