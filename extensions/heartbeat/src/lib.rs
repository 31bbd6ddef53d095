//! Heartbeats with timestamps: how long a connection takes to the peer and back, how far the peer's
//! clock is from ours, and how much both vary.
//!
//! A [`Heartbeat`] is an extension that owns the reserved control opcode B. The application sends a
//! beat when it likes; the peer's extension answers on its own with the time it had, and our
//! extension swallows the answer and tells the application with an
//! [`Event::Notice`](cloverleaf_proto::Event::Notice). Neither end's messages are touched.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//!
//! use cloverleaf_heartbeat::Heartbeat;
//! use cloverleaf_proto::error::UsageError;
//! use cloverleaf_proto::extension::Extensions;
//! use cloverleaf_proto::{Connection, Event};
//!
//! // One value for all connections. It reads no clock but the one that it is given.
//! let start = Instant::now();
//! let heartbeat = Heartbeat::new(move || start.elapsed());
//! let extensions = Extensions::new().with(heartbeat.clone())?;
//!
//! // And one of these for each connection.
//! let mut beats = heartbeat.beats();
//!
//! # let _ = |mut connection: Connection| -> Result<(), UsageError> {
//! connection.send_extension(Heartbeat::OPCODE, beats.beat())?;
//! // ... octets travel ...
//! while let Some(event) = connection.poll_event() {
//!     if let Some(latency) = beats.measure(&event) {
//!         println!("there and back in {:?}", latency.round_trip());
//!     }
//! }
//! if let Some(figures) = beats.figures() {
//!     println!("{figures}");
//! }
//! # Ok(())
//! # };
//! # Ok::<(), cloverleaf_proto::error::ConfigError>(())
//! ```
//!
//! # On the wire
//!
//! `x-heartbeat`, and if its sender's times are whole milliseconds, `; resolution=ms`. Each end says
//! this of its own times: the client in the offer, the server in the answer. `resolution=us`, whole
//! microseconds, is the same as nothing.
//!
//! The payload of a frame with opcode B, numbers in network order, times in microseconds since a
//! point that is each end's own secret, at most 2^63 - 1:
//!
//! | octets | beat | answer |
//! |---|---|---|
//! | 1 | 0 | 1 |
//! | 4 | sequence number | as in the beat |
//! | 8 | time of sending | as in the beat |
//! | 8 | | the answerer's time when the beat came |
//!
//! # What a hostile peer can do
//!
//! Not much. Frames of another form fail the connection with 1002. An answer that nobody asked for,
//! that comes again, or that says to answer what we are yet to send is ignored; nothing but an exact
//! copy of a beat that waits for its answer becomes a figure, once. However many beats come, once the
//! write buffer is full the engine keeps the latest answer alone. A peer can answer late, and so look far away; and it can
//! say any time, so an offset is the peer's word, and the bound on its error holds for an honest one.

mod beats;
mod extension;
mod latency;
mod resolution;
mod wire;

pub use beats::Beats;
pub use extension::Heartbeat;
pub use latency::{Figures, Latency, Offset};
pub use resolution::Resolution;
