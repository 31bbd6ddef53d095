//! Records WebSocket connections, in the clear, into a pcapng file that Wireshark opens.
//!
//! A [`Capture`] is a tap: it is never negotiated, changes nothing, and sees what an outsider with a
//! network card cannot once there is TLS. What it sees are frames; so that every tool for network
//! captures can read them, it puts them into TCP segments, IP packets and Ethernet frames of its own
//! making, from addresses that the world has set aside for documentation. In front stand the heads of
//! the opening handshake, so that a dissector knows that this is WebSocket, and which extensions
//! there are: Wireshark shows the text within permessage-deflate.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::SystemTime;
//!
//! use cloverleaf_capture::{Capture, Options};
//! use cloverleaf_proto::Config;
//!
//! # fn config() -> Config {
//! #     #[derive(Debug)]
//! #     struct Key;
//! #     impl cloverleaf_proto::frame::MaskSource for Key {
//! #         fn mask_key(&self) -> [u8; 4] {
//! #             [0; 4]
//! #         }
//! #     }
//! #     Config::new(Arc::new(Key))
//! # }
//! // It reads no clock but the one that it is given.
//! let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
//! # let path = std::env::temp_dir().join(format!("cloverleaf-{}.pcapng", std::process::id()));
//! let options = Options::new().limit(100 << 20);
//! let capture = Capture::create(&path, clock, options)?;
//!
//! let mut config = config();
//! config.taps.push(Arc::new(capture.clone()));
//! // ... connections with this config come and go ...
//!
//! capture.flush()?;
//! println!("{}: {} octets", capture.status(), capture.written());
//! # std::fs::remove_file(&path)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # A capture holds secrets
//!
//! All that people say to each other is in it, as if there were no TLS. Of the heads, the values of
//! `Authorization`, `Proxy-Authorization`, `Cookie` and `Set-Cookie` are left out, and so is the
//! query of the request's target, where tokens often stand; [`Options::redact`] names further
//! fields, [`Options::keep_credentials`] keeps all. [`Options::without_payloads`] leaves out what is
//! in the frames: what remains shows who spoke when and how much. A file made by
//! [`Capture::create`] is readable by whomever the system lets: choose a place for it with care.
//!
//! # What is true in it and what is made up
//!
//! True: the heads but for what was left out; each frame's FIN, reserved bits, opcode and payload,
//! as on the wire; their order; and the moment at which the engine saw or made them. Made up:
//! addresses, ports, the TCP around it, acknowledgements; and these follow from what a tap sees:
//!
//! - Frames are seen unmasked. Those of the client have their MASK bit and a key of zeros.
//! - A large frame that comes in may be seen in pieces, and then stands as so many fragments.
//!   Wireshark joins them, but (at least up to 4.0) inflates no message of more than one frame.
//! - A length is written in its shortest form.
//! - A connection whose owner does not show the opening handshake gets one that is made up. A comment
//!   on the packet says so. Extensions are not known then.
//!
//! # What it costs
//!
//! Every frame is copied once and written before the connection goes on, one connection at a time. A
//! slow disk so slows connections down: it is for looking closely, not for keeping. What goes wrong
//! with the file never disturbs a connection: recording ends, and [`Capture::status`] says why.

mod block;
mod capture;
mod conversation;
mod head;
mod options;
mod packet;
mod segment;

pub use capture::{Capture, Status};
pub use options::Options;
