//! A judge of WebSocket endpoints: cases as data, and a codec of its own.
//!
//! Nothing here uses the engine: judge and judged share no code, so that an error in one does not
//! hide behind the same error in the other.

pub mod corpus;
pub mod deflate;
