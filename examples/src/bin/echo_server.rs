//! The echo server of the README, with permessage-deflate and a graceful end.
//!
//! `echo_server [ADDRESS]`, by default 127.0.0.1:9001. Ctrl-C says goodbye to every client.

use cloverleaf::{Error, Server};
use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::extension::Extensions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(PermessageDeflate::new())?;

    let server = Server::bind(address).await?.config(config);
    println!("listening on ws://{}", server.local_addr()?);
    let stop = async {
        // Without a signal handler the server runs for ever, which is no reason not to run.
        let _ = tokio::signal::ctrl_c().await;
    };
    let drained = server
        .serve_until(stop, |mut socket| async move {
            while let Some(message) = socket.recv().await? {
                socket.send(message).await?;
            }
            Ok::<(), Error>(())
        })
        .await;
    println!(
        "closed: {} by themselves, {} cut off",
        drained.clean, drained.forced
    );
    Ok(())
}
