//! Runs WebSocket conformance suites against servers and clients.
//!
//! ```text
//!  selection   which of the catalog's 517 cases
//!      |
//!    plan      shards of about equal weight
//!      |
//!    suite     a judge per shard: wstest or kosoku, installed on first use
//!      |           against the subject: our echo server, our echo client, or any other
//!    check     gathers the results, counts them, writes the report
//! ```
//!
//! The binary `cloverleaf` is the usual way to use it; the library is for programs that want
//! the [`Outcome`](check::Outcome) as data.

pub mod browser;
pub mod catalog;
mod channels;
pub mod check;
pub mod deviation;
pub mod echo;
pub mod extensions;
pub mod faulty;
pub mod lock;
pub mod native;
pub mod parity;
pub mod plan;
pub mod probe;
mod process;
pub mod profile;
pub mod selection;
pub mod spec;
pub mod subject;
pub mod subjects;
pub mod suite;
pub mod testee;
