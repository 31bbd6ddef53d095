//! Ethernet, IP and TCP around a segment (RFC 791, RFC 9293).

use std::net::Ipv4Addr;

/// Which end sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

/// The addresses of a conversation. All are of 192.0.2.0/24, which is set aside for documentation
/// (RFC 5737), so that nobody takes them for real ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    client: Ipv4Addr,
    port: u16,
}

impl Addresses {
    const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
    /// The port at which every dissector expects HTTP.
    const SERVER_PORT: u16 = 80;
    /// Where ports that nobody owns begin (RFC 6335 §6).
    const FIRST_PORT: u16 = 49152;
    const PORTS: u64 = 16384;
    /// 192.0.2.2 to 192.0.2.254.
    const CLIENTS: u64 = 253;

    /// Those of the `n`th connection: a port each, and another client when the ports have run out.
    /// After four million connections they come again.
    pub(crate) fn of(n: u64) -> Self {
        let host = 2 + (n / Self::PORTS) % Self::CLIENTS;
        Self {
            client: Ipv4Addr::new(192, 0, 2, host as u8),
            port: Self::FIRST_PORT + (n % Self::PORTS) as u16,
        }
    }

    const fn of_side(self, side: Side) -> (Ipv4Addr, u16) {
        match side {
            Side::Client => (self.client, self.port),
            Side::Server => (Self::SERVER, Self::SERVER_PORT),
        }
    }
}

pub(crate) const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
pub(crate) const RST: u8 = 0x04;
pub(crate) const PSH: u8 = 0x08;
pub(crate) const ACK: u8 = 0x10;

/// What a segment carries at most: Ethernet's 1,500 without the headers of IP and TCP.
pub(crate) const MSS: usize = 1460;

const ETHERNET: usize = 14;
const IP: usize = 20;

/// The options of a SYN: the maximum segment size, and windows of up to a gigabyte, since nobody
/// here waits for an acknowledgement.
const SYN_OPTIONS: [u8; 8] = [2, 4, (MSS >> 8) as u8, MSS as u8, 3, 3, 14, 1];

/// The header of a TCP segment, as far as it is not always the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tcp {
    pub(crate) from: Side,
    pub(crate) flags: u8,
    pub(crate) sequence: u32,
    pub(crate) acknowledged: u32,
}

impl Tcp {
    const fn options(&self) -> &'static [u8] {
        if self.flags & SYN == 0 {
            &[]
        } else {
            &SYN_OPTIONS
        }
    }

    /// The length of a packet with so many octets of data.
    pub(crate) const fn packet_length(&self, data: usize) -> usize {
        ETHERNET + IP + 20 + self.options().len() + data
    }

    /// Appends a packet; `data` appends what it carries.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        addresses: Addresses,
        data: impl FnOnce(&mut Vec<u8>),
    ) {
        let (source, source_port) = addresses.of_side(self.from);
        let (destination, destination_port) = addresses.of_side(self.from.other());
        // Locally administered addresses, the last octet 1 for the client and 2 for the server.
        let mac = |side| [2, 0, 0, 0, 0, if side == Side::Client { 1 } else { 2 }];
        out.extend_from_slice(&mac(self.from.other()));
        out.extend_from_slice(&mac(self.from));
        out.extend_from_slice(&[0x08, 0x00]);

        let ip = out.len();
        // Version 4, 20 octets; length and checksum below; not to be fragmented; 64 hops; TCP.
        out.extend_from_slice(&[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0]);
        out.extend_from_slice(&source.octets());
        out.extend_from_slice(&destination.octets());

        let tcp = out.len();
        out.extend_from_slice(&source_port.to_be_bytes());
        out.extend_from_slice(&destination_port.to_be_bytes());
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.acknowledged.to_be_bytes());
        let words = (20 + self.options().len()) / 4;
        out.extend_from_slice(&[(words << 4) as u8, self.flags, 0xFF, 0xFF, 0, 0, 0, 0]);
        out.extend_from_slice(self.options());
        data(out);

        let length = ((out.len() - ip) as u16).to_be_bytes();
        out[ip + 2..ip + 4].copy_from_slice(&length);
        let sum = checksum(&[&out[ip..tcp]]);
        out[ip + 10..ip + 12].copy_from_slice(&sum);
        // TCP sums a header of its own making in front (RFC 9293 §3.1).
        let mut pseudo = [0; 12];
        pseudo[..8].copy_from_slice(&out[ip + 12..tcp]);
        pseudo[9] = 6;
        pseudo[10..].copy_from_slice(&((out.len() - tcp) as u16).to_be_bytes());
        let sum = checksum(&[&pseudo, &out[tcp..]]);
        out[tcp + 16..tcp + 18].copy_from_slice(&sum);
    }
}

/// The Internet checksum (RFC 1071). Every part but the last has an even length.
fn checksum(parts: &[&[u8]]) -> [u8; 2] {
    let mut sum = 0_u32;
    for part in parts {
        for pair in part.chunks(2) {
            let low = pair.get(1).copied().unwrap_or(0);
            sum += u32::from(u16::from_be_bytes([pair[0], low]));
        }
    }
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    (!(sum as u16)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_the_standards_example() {
        // RFC 1071 §3: the sum is ddf2.
        let octets = [0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7];
        assert_eq!(checksum(&[&octets]), (!0xDDF2_u16).to_be_bytes());
        assert_eq!(
            checksum(&[&octets[..4], &octets[4..]]),
            checksum(&[&octets])
        );
        assert_eq!(checksum(&[&[0xAB]]), (!0xAB00_u16).to_be_bytes());
    }

    #[test]
    fn every_connection_has_addresses_of_its_own_for_a_long_time() {
        let last = Addresses::PORTS * Addresses::CLIENTS;
        for (n, client, port) in [
            (0, [192, 0, 2, 2], 49152),
            (1, [192, 0, 2, 2], 49153),
            (16383, [192, 0, 2, 2], 65535),
            (16384, [192, 0, 2, 3], 49152),
            (last - 1, [192, 0, 2, 254], 65535),
            (last, [192, 0, 2, 2], 49152),
        ] {
            let client = client.into();
            assert_eq!(Addresses::of(n), Addresses { client, port });
        }
    }
}
