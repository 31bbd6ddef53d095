//! Sends each line of standard input to an echo server and prints what comes back.
//!
//! `echo_client [URL]`, by default ws://127.0.0.1:9001.

use std::io::BufRead;

#[tokio::main]
async fn main() -> Result<(), cloverleaf::Error> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://127.0.0.1:9001".to_owned());
    let mut socket = cloverleaf::connect(&url).await?;
    for line in std::io::stdin().lock().lines() {
        socket.send(line?).await?;
        match socket.recv().await? {
            Some(message) => println!("{}", message.as_text().unwrap_or("(binary)")),
            None => break,
        }
    }
    socket.close().await
}
