//! The mux extension: many WebSockets over one connection
//! (draft-ietf-hybi-websocket-multiplexing-11).
//!
//! [`Mux`] is an extension like any other: it goes into the list of both ends, last. When it is
//! agreed, the connection is the *physical* one, and carries *logical channels*, each a WebSocket of
//! its own: with its own opening handshake, extensions, subprotocol, pings and close code. Only the
//! client opens channels; channel 1 is the one that the physical handshake opened.
//!
//! This crate translates and counts. What holds the connection and the endpoints of the channels,
//! cuts messages to quota and takes turns is the engine, through
//! [`Carrier`](cloverleaf_proto::extension::Carrier).
//!
//! # What is on the wire
//!
//! Every data message of the physical connection is binary, and one of the two:
//!
//! ```text
//! channel id ‖ F R R R op op op op ‖ payload      a frame of a channel: no mask, no length
//! 00         ‖ 1*control block                    what the two ends have to say to each other
//! ```
//!
//! A channel id is 1 to 4 octets: `0xxxxxxx`, `10xxxxxx x8`, `110xxxxx x16`, `111xxxxx x24`, the
//! shortest that fits. A number in a control block is written as the length of an RFC 6455 frame: 1,
//! 3 or 9 octets, the shortest that fits, below 2^63.
//!
//! | block | first octet | then | from |
//! |---|---|---|---|
//! | AddChannelRequest | `000 000 EE` | id, length, head of the request | client |
//! | AddChannelResponse | `001 F 00 EE` | id, length, head of the response; F: refused | server |
//! | FlowControl | `010 00000` | id, quota | both |
//! | DropChannel | `011 00000` | id, length, reason: nothing, or code and text | both |
//! | NewChannelSlot | `100 0000 F` | slots, quota of each; F: no more here | server |
//!
//! EE is how the head is written: 0 as it is, 1 as the difference to an earlier one. Heads leave out
//! what the physical handshake said already: `Upgrade`, `Sec-WebSocket-Key`, `-Version` and
//! `-Accept`.
//!
//! # Quota
//!
//! In each direction of each channel, a sender may send as many octets as the receiver granted. A
//! frame costs its payload, and one octet more if it begins a message, also a control frame. So a
//! message may have to be cut anywhere, and a control frame too: the carrier puts those together
//! again. A FlowControl grants more when the application has taken what came. What all channels may
//! hold together is never more than [`Mux::memory`].
//!
//! # How things end
//!
//! A channel ends as any WebSocket, with a close frame each way, or at once with a DropChannel,
//! which the other end acknowledges. A mistake on one channel ends that one (codes from 3000). A
//! mistake that leaves the rest in doubt ends all: a DropChannel for channel 0 (codes from 2000),
//! then close code 1011. The codes are those of [`DropCode`].

mod block;
mod carrier;
mod channel_id;
mod client;
mod code;
mod config;
mod heads;
mod negotiation;
mod number;
mod quota;
mod reassembly;
mod server;
#[cfg(test)]
mod testing;

pub use code::DropCode;
pub use config::Mux;
