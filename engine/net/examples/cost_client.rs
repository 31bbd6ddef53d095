//! The load of `benches/cost.sh`: masked frames made beforehand, echoed octets only counted.
//!
//! `cost_client ADDRESS ROUNDS IN_FLIGHT SIZE`: each round writes IN_FLIGHT messages of SIZE octets of
//! text at once and reads until all of their echoes are back.

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

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, address, rounds, in_flight, size] = arguments.as_slice() else {
        eprintln!("usage: cost_client ADDRESS ROUNDS IN_FLIGHT SIZE");
        std::process::exit(2);
    };
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let (rounds, in_flight, size) = (number(rounds), number(in_flight), number(size));
    let mut stream = TcpStream::connect(address.as_str())?;
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
    let burst = frame(&[0x81], size).repeat(in_flight);
    // An echo is shorter by the masking key.
    let echoes = burst.len() - 4 * in_flight;
    let mut buffer = vec![0; 1 << 20];
    for _ in 0..rounds {
        stream.write_all(&burst)?;
        let mut missing = echoes;
        while missing > 0 {
            missing -= stream.read(&mut buffer)?;
        }
    }
    let mut close = frame(&[0x88], 2);
    close.truncate(6);
    close.extend_from_slice(&[0x03 ^ 0x37, 0xe8 ^ 0xfa]);
    stream.write_all(&close)?;
    stream.read_to_end(&mut head)?;
    Ok(())
}
