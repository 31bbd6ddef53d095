//! The load of `benches/cost.sh`: masked frames made beforehand, echoed octets only counted.
//!
//! `cost_client ADDRESS CONNECTIONS ROUNDS IN_FLIGHT SIZE`: each round writes IN_FLIGHT messages of SIZE
//! octets of text at once on every connection, then reads until all of their echoes are back.

use std::io::{Read, Write};
use std::net::TcpStream;

fn frame(head: &[u8], size: usize) -> Vec<u8> {
    let mut frame = head.to_vec();
    match size {
        0..=125 => frame.push(0x80 | size as u8),
        _ => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(size as u16).to_be_bytes());
        }
    }
    let key = [0x37, 0xfa, 0x21, 0x3d];
    frame.extend_from_slice(&key);
    frame.extend((0..size).map(|i| b'a' ^ key[i % 4]));
    frame
}

fn open(address: &str) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(
        b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    )?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    Ok(stream)
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, numbers @ ..] = arguments.as_slice() else {
        eprintln!("usage: cost_client ADDRESS CONNECTIONS ROUNDS IN_FLIGHT SIZE");
        std::process::exit(2);
    };
    let numbers: Vec<usize> = numbers
        .iter()
        .map(|text| text.parse().expect("a number"))
        .collect();
    let [connections, rounds, in_flight, size] = numbers[..] else {
        panic!("four numbers behind the address");
    };
    let opened: std::io::Result<Vec<_>> = (0..connections).map(|_| open(address)).collect();
    let mut streams = opened?;
    let burst = frame(&[0x81], size).repeat(in_flight);
    // An echo is shorter by the masking key.
    let echoes = burst.len() - 4 * in_flight;
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..rounds {
        for stream in &mut streams {
            stream.write_all(&burst)?;
        }
        for stream in &mut streams {
            let mut missing = echoes;
            while missing > 0 {
                match stream.read(&mut buffer)? {
                    0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                    n => missing -= n,
                }
            }
        }
    }
    // A close frame with 1000, masked.
    let close = [0x88, 0x82, 0x37, 0xfa, 0x21, 0x3d, 0x03 ^ 0x37, 0xe8 ^ 0xfa];
    for mut stream in streams {
        stream.write_all(&close)?;
        stream.read_to_end(&mut buffer)?;
    }
    Ok(())
}
