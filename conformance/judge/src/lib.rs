//! A judge of WebSocket endpoints: cases as data, and a codec of its own.
//!
//! Nothing here uses the engine: judge and judged share no code, so that an error in one does not
//! hide behind the same error in the other.
//!
//! ```text
//!  cases     the tables: one file per section
//!    |
//!  case      what a case is made of; its program; its judgement
//!    |
//!  session   the judge's side of one open connection, without I/O
//!    |          frame, utf8, deflate, mux, authentication: the judge's own codec
//!  run       one case over one byte stream: http, opening, session, result
//! ```

pub mod authentication;
pub mod case;
pub mod cases;
pub mod corpus;
pub mod deflate;
pub mod frame;
pub mod http;
pub mod mux;
pub mod opening;
pub mod random;
pub mod run;
pub mod session;
pub mod stream;
pub mod utf8;
