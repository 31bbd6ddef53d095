//! soketto, as an echo server (`server`) or an echo client (`client URL AGENT`).

use std::io;

use futures_util::io::{BufReader, BufWriter};
use soketto::connection::{self, Builder};
use soketto::extension::deflate::Deflate;
use soketto::handshake::{server::Response, Client, Server, ServerResponse};
use soketto::{BoxedError, Data, Mode, Receiver, Sender};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};

type Stream = BufReader<BufWriter<Compat<TcpStream>>>;
type Socket = (Sender<Stream>, Receiver<Stream>);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxedError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => server().await,
        ["client", url, agent] => client(url, &percent_encoded(agent)).await,
        _ => Err("usage: server | client URL AGENT".into()),
    }
}

fn buffered(stream: TcpStream) -> Stream {
    BufReader::new(BufWriter::new(stream.compat()))
}

fn socket(mut builder: Builder<Stream>) -> Socket {
    builder.set_max_message_size(64 << 20);
    builder.set_max_frame_size(64 << 20);
    builder.finish()
}

async fn echo((mut sender, mut receiver): Socket) -> Result<(), BoxedError> {
    let mut message = Vec::new();
    loop {
        message.clear();
        match receiver.receive_data(&mut message).await {
            Ok(Data::Text(_)) => sender.send_text(std::str::from_utf8(&message)?).await?,
            Ok(Data::Binary(_)) => sender.send_binary_mut(&mut message).await?,
            Err(connection::Error::Closed) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        sender.flush().await?;
    }
}

async fn server() -> Result<(), BoxedError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on ws://{}", listener.local_addr()?);
    std::thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn serve(stream: TcpStream) -> Result<(), BoxedError> {
    stream.set_nodelay(true)?;
    let mut server = Server::new(buffered(stream));
    server.add_extension(Box::new(Deflate::new(Mode::Server)));
    let key = server.receive_request().await?.key();
    let protocol = None;
    server
        .send_response(&Response::Accept { key, protocol })
        .await?;
    echo(socket(server.into_builder())).await
}

async fn connect(url: &str, path: &str) -> Result<Socket, BoxedError> {
    let authority = url
        .strip_prefix("ws://")
        .ok_or("the URL must begin with ws://")?;
    let authority = authority.trim_end_matches('/');
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let mut client = Client::new(buffered(stream), authority, path);
    client.add_extension(Box::new(Deflate::new(Mode::Client)));
    match client.handshake().await? {
        ServerResponse::Accepted { .. } => Ok(socket(client.into_builder())),
        refused => Err(format!("refused: {refused:?}").into()),
    }
}

async fn client(url: &str, agent: &str) -> Result<(), BoxedError> {
    let (_sender, mut receiver) = connect(url, "/getCaseCount").await?;
    let mut answer = Vec::new();
    receiver.receive_data(&mut answer).await?;
    let count: u32 = std::str::from_utf8(&answer)?.trim().parse()?;
    while receiver.receive_data(&mut answer).await.is_ok() {}

    for case in 1..=count {
        let path = format!("/runCase?case={case}&agent={agent}");
        let run = async { echo(connect(url, &path).await?).await };
        // Most cases end in an error, by design.
        if let Err(error) = run.await {
            eprintln!("case {case}: {error}");
        }
    }

    let path = format!("/updateReports?agent={agent}");
    let (_sender, mut receiver) = connect(url, &path).await?;
    while receiver.receive_data(&mut answer).await.is_ok() {}
    Ok(())
}

/// The text as the value of a query parameter.
fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
