//! Small complete programs: see `src/bin`, and the table in `README.md`.

/// The server of `mux_chat`: rooms, and the page for them.
pub mod chat;
/// An extension of its own in one small file: ROT13 with a negotiated shift.
pub mod rot13;
