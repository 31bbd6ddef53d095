//! A compressor with a dictionary that both ends have, and what is done where they do not.
//!
//! The client offers its dictionary first and permessage-deflate behind it. Three servers: one has
//! the dictionary; one has another, and permessage-deflate; one has nothing.

use cloverleaf::{Client, Config, Server, request};
use cloverleaf_deflate::PermessageDeflate;
use cloverleaf_dictionary::{Dictionary, ZstdDictionary};
use cloverleaf_proto::extension::Extensions;

/// A message such as this program sends: small, and much like the others.
fn position(n: u32) -> String {
    let (x, y) = (n * 7919 % 10_007, n * 6101 % 10_009);
    format!(r#"{{"type":"position","vehicle":"tram-{n}","x":{x},"y":{y},"doors":"closed"}}"#)
}

fn config(extensions: Extensions) -> Config {
    let mut config = cloverleaf::config();
    config.extensions = extensions;
    config
}

/// The dictionary in front of what to fall back to.
fn both(dictionary: Dictionary) -> Result<Extensions, cloverleaf_proto::error::ConfigError> {
    Extensions::new()
        .with(ZstdDictionary::new([dictionary]))?
        .with(PermessageDeflate::new().threshold(0))
}

/// Opens a connection to a server with these extensions, sends, and says what it came to.
async fn try_with(
    server: Extensions,
    dictionary: &Dictionary,
) -> Result<String, Box<dyn std::error::Error>> {
    let server = Server::bind("127.0.0.1:0").await?.config(config(server));
    let url = format!("ws://{}/", server.local_addr()?);
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    }));
    let client = Client::new(config(both(dictionary.clone())?));
    let mut socket = client.request(request(&url)?).await?;
    for n in 0..100 {
        let message = position(n);
        socket.send(message.as_str()).await?;
        if socket.recv().await? != Some(message.as_str().into()) {
            return Err("the echo is another message".into());
        }
    }
    let statistics = socket.statistics();
    let outcome = match (socket.opening().agreed.as_slice(), statistics.as_slice()) {
        ([agreed], [done]) => format!(
            "{}{}: {} octets sent as {}",
            agreed.name, agreed.params, done.sent.application, done.sent.wire
        ),
        _ => "nothing agreed: sent as they are".to_owned(),
    };
    socket.close().await?;
    serving.abort();
    Ok(outcome)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Trained on messages of yesterday. A program would read it from a file that both ends have.
    let dictionary = Dictionary::train((1000..3000).map(position), 4096)?;
    let other = Dictionary::new(&b"a dictionary for something else"[..])?;
    println!("dictionary {}", dictionary.id());
    for (server, extensions) in [
        ("the same dictionary", both(dictionary.clone())?),
        ("another dictionary", both(other)?),
        ("no extension at all", Extensions::new()),
    ] {
        let outcome = try_with(extensions, &dictionary).await?;
        println!("{server}: {outcome}");
    }
    Ok(())
}
