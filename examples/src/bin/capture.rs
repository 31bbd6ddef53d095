//! Every frame of a server's connections in a file that Wireshark opens.
//!
//! `capture [FILE]`, by default `capture.pcapng`.

use std::sync::Arc;
use std::time::SystemTime;

use cloverleaf::{Client, Server, request};
use cloverleaf_capture::{Capture, Options};
use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_proto::Config;
use cloverleaf_proto::error::ConfigError;
use cloverleaf_proto::extension::Extensions;

fn config() -> Result<Config, ConfigError> {
    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(PermessageDeflate::new())?;
    Ok(config)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "capture.pcapng".to_owned());
    let since_1970 = || {
        let now = SystemTime::now();
        now.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    };
    // Credentials are left out by default; the payloads are not.
    let capture = Capture::create(&path, since_1970, Options::new().limit(10 << 20))?;

    let mut tapped = config()?;
    tapped.taps.push(Arc::new(capture.clone()));
    let server = Server::bind("127.0.0.1:0").await?.config(tapped);
    let url = format!("ws://{}/chat?token=secret", server.local_addr()?);
    let (ended, mut end) = tokio::sync::mpsc::channel(1);
    let serving = tokio::spawn(server.serve(move |mut socket| {
        let ended = ended.clone();
        async move {
            while let Some(message) = socket.recv().await? {
                socket.send(message).await?;
            }
            let _ = ended.send(()).await;
            Ok(())
        }
    }));

    let mut socket = Client::new(config()?).request(request(&url)?).await?;
    for text in ["hello", &"compressible ".repeat(100)] {
        socket.send(text).await?;
        socket.recv().await?;
    }
    socket.close().await?;
    end.recv().await;
    serving.abort();

    capture.flush()?;
    println!("{}, {path}", capture.status());
    Ok(())
}
