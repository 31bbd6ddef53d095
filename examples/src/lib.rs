//! Small complete programs: see `src/bin`, and the table in `README.md`.

/// An extension of its own in one small file: ROT13 with a negotiated shift.
pub mod rot13;
