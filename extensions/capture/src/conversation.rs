//! One connection as TCP would have carried it.

use cloverleaf_proto::Role;
use cloverleaf_proto::frame::Head;

use crate::Options;
use crate::block;
use crate::head::{self, MADE_REQUEST, MADE_RESPONSE};
use crate::packet::{ACK, Addresses, FIN, MSS, PSH, RST, SYN, Side, Tcp};
use crate::segment::{Octets, header, told};

/// Where a file ends that has reached its limit.
pub(crate) const FULL: &str = "recording ends here: the limit of this file is reached";

/// One connection: who it is, and how far its two streams are.
#[derive(Debug)]
pub(crate) struct Conversation {
    addresses: Addresses,
    role: Role,
    /// The next sequence number of each side, the client's first.
    next: [u32; 2],
}

/// Packets of one moment, in the making.
pub(crate) struct Packets<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    pub(crate) micros: u64,
    pub(crate) options: &'a Options,
}

impl Conversation {
    /// The `n`th conversation of a file.
    pub(crate) fn new(n: u64, role: Role) -> Self {
        Self {
            addresses: Addresses::of(n),
            role,
            // Far enough apart that neither can be taken for the other.
            next: [0x1000_0000, 0x5000_0000],
        }
    }

    /// Our own side.
    pub(crate) const fn ours(&self) -> Side {
        match self.role {
            Role::Client => Side::Client,
            Role::Server => Side::Server,
        }
    }

    const fn next_of(&mut self, side: Side) -> &mut u32 {
        match side {
            Side::Client => &mut self.next[0],
            Side::Server => &mut self.next[1],
        }
    }

    /// The three packets with which TCP begins, and the heads; `None` if they are not known.
    pub(crate) fn open(&mut self, packets: &mut Packets<'_>, heads: Option<(&[u8], &[u8])>) {
        let about = match self.role {
            Role::Client => "recorded at the client",
            Role::Server => "recorded at the server",
        };
        let about = format!("{about}; addresses and TCP are made up, and nothing is masked");
        self.control(packets, Side::Client, SYN, Some(&about));
        self.control(packets, Side::Server, SYN | ACK, None);
        self.control(packets, Side::Client, ACK, None);
        let made = "made up: the opening handshake was not shown";
        let (request, response, comment) = match heads {
            Some((request, response)) => {
                let redacted = |head| head::redact(head, packets.options);
                (redacted(request), redacted(response), None)
            }
            None => (MADE_REQUEST.to_vec(), MADE_RESPONSE.to_vec(), Some(made)),
        };
        for (side, head) in [(Side::Client, request), (Side::Server, response)] {
            let octets = Octets {
                front: &head,
                ..Octets::default()
            };
            self.send(packets, side, octets, octets.len(), comment);
        }
    }

    /// A frame, or what was seen as one.
    pub(crate) fn frame(
        &mut self,
        packets: &mut Packets<'_>,
        from: Side,
        head: Head,
        payload: &[u8],
    ) {
        let mut front = header(from, head, payload.len());
        let kept = front.len() + payload.len().min(packets.options.snap);
        let octets = if packets.options.payloads {
            Octets {
                front: &front,
                back: payload,
                zeros: 0,
            }
        } else {
            let told = told(head, payload);
            front.extend_from_slice(told);
            Octets {
                front: &front,
                back: &[],
                zeros: payload.len() - told.len(),
            }
        };
        self.send(packets, from, octets, kept, None);
    }

    /// The end of both streams; the server's first (RFC 6455 §7.1.1).
    pub(crate) fn close(&mut self, packets: &mut Packets<'_>, comment: &str) {
        self.control(packets, Side::Server, FIN | ACK, Some(comment));
        self.control(packets, Side::Client, FIN | ACK, None);
        self.control(packets, Side::Server, ACK, None);
    }

    /// The end without an end.
    pub(crate) fn drop(&mut self, packets: &mut Packets<'_>) {
        let comment = "the connection was dropped here, before its end";
        self.control(packets, self.ours(), RST | ACK, Some(comment));
    }

    /// Nothing more is recorded. It always has the same length.
    pub(crate) fn note_full(&mut self, packets: &mut Packets<'_>) {
        self.control(packets, self.ours(), ACK, Some(FULL));
    }

    /// Cuts octets into segments. Those behind the first `kept` are not recorded.
    fn send(
        &mut self,
        packets: &mut Packets<'_>,
        from: Side,
        octets: Octets<'_>,
        kept: usize,
        comment: Option<&str>,
    ) {
        let mut start = 0;
        while start < octets.len() {
            let end = octets.len().min(start + MSS);
            let push = if end == octets.len() { PSH } else { 0 };
            let comment = comment.filter(|_| start == 0);
            let lost = end - end.min(kept.max(start));
            let tcp = self.tcp(from, ACK | push);
            let length = tcp.packet_length(end - start);
            block::packet(packets.out, packets.micros, length, comment, |out| {
                tcp.write(out, self.addresses, |out| octets.write(start..end, out));
                // Cut behind the checksum, which is of the whole.
                out.truncate(out.len() - lost);
            });
            let next = self.next_of(from);
            *next = next.wrapping_add((end - start) as u32);
            start = end;
        }
    }

    /// A packet without data.
    fn control(&mut self, packets: &mut Packets<'_>, from: Side, flags: u8, comment: Option<&str>) {
        let tcp = self.tcp(from, flags);
        let length = tcp.packet_length(0);
        block::packet(packets.out, packets.micros, length, comment, |out| {
            tcp.write(out, self.addresses, |_| ());
        });
        // SYN and FIN each count as one octet.
        if flags & (SYN | FIN) != 0 {
            let next = self.next_of(from);
            *next = next.wrapping_add(1);
        }
    }

    fn tcp(&mut self, from: Side, flags: u8) -> Tcp {
        Tcp {
            from,
            flags,
            sequence: *self.next_of(from),
            acknowledged: if flags & ACK == 0 {
                0
            } else {
                *self.next_of(from.other())
            },
        }
    }
}
