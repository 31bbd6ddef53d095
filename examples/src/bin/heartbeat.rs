//! How far away is the other end, and what time is it there? A client asks with heartbeats.

use std::time::{Duration, Instant};

use cloverleaf::{Client, Config, Server, request};
use cloverleaf_heartbeat::{Heartbeat, Resolution};
use cloverleaf_proto::error::ConfigError;
use cloverleaf_proto::extension::Extensions;

fn config(heartbeat: &Heartbeat) -> Result<Config, ConfigError> {
    let mut config = cloverleaf::config();
    config.extensions = Extensions::new().with(heartbeat.clone())?;
    Ok(config)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    // The server's clock is an hour ahead, and it does not show us its microseconds.
    let ahead = Duration::from_secs(3600);
    let theirs = Heartbeat::new(move || start.elapsed() + ahead);
    let theirs = theirs.resolution(Resolution::Milliseconds);
    let server = Server::bind("127.0.0.1:0").await?.config(config(&theirs)?);
    let url = format!("ws://{}/", server.local_addr()?);
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        // Beats are answered while we wait for messages; this application knows nothing of them.
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    }));

    let ours = Heartbeat::new(move || start.elapsed());
    let client = Client::new(config(&ours)?);
    let wanted = request(&url)?.require_extension(Heartbeat::NAME);
    let mut socket = client.request(wanted).await?;
    let [agreed] = socket.opening().agreed.as_slice() else {
        return Err("not agreed".into());
    };
    println!("agreed: {}{}", agreed.name, agreed.params);

    let mut beats = ours.beats();
    for _ in 0..8 {
        socket
            .send_extension(Heartbeat::OPCODE, beats.beat())
            .await?;
        while beats.unanswered() > 0 {
            let event = socket.recv_event().await.ok_or("the connection ended")?;
            if let Some(latency) = beats.measure(&event) {
                let n = latency.sequence();
                println!("beat {n}: there and back in {:?}", latency.round_trip());
            }
        }
    }
    if let Some(figures) = beats.figures() {
        println!("{figures}");
    }
    socket.close().await?;
    serving.abort();
    Ok(())
}
