//! A `wss` server and a client that trusts it, in one program: the certificate is made on the spot.

use cloverleaf::{Client, ClientTls, Server, ServerTls};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());

    let server = Server::bind("127.0.0.1:0")
        .await?
        .tls(ServerTls::from_pem(certificate.as_bytes(), key.as_bytes())?);
    let port = server.local_addr()?.port();
    let serving = tokio::spawn(server.serve(|mut socket| async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    }));

    let url = format!("wss://localhost:{port}/");
    // The authorities of the public web do not know this certificate.
    match cloverleaf::connect(&url).await {
        Ok(_) => return Err("a stranger's certificate was trusted".into()),
        Err(error) => println!("without trust: {error}"),
    }
    let client =
        Client::new(cloverleaf::config()).tls(ClientTls::from_pem(certificate.as_bytes())?);
    let mut socket = client.connect(&url).await?;
    socket.send("over TLS").await?;
    println!("with trust: {:?}", socket.recv().await?);
    socket.close().await?;
    serving.abort();
    Ok(())
}
