//! The native suite: the judge of `cloverleaf-judge`, against our engine in process or against any
//! server and client over a network.
//!
//! ```text
//!  fuzzing_client   judges servers: opens connections, many at a time
//!  fuzzing_server   judges clients: they come and say by the URL what they want
//!        |              direct: frames to order, for clients that bring their own cases
//!        |              page: the client for browsers
//!      results      what was measured, by agent and case; writes the reports
//! ```

mod direct;
pub mod fuzzing_client;
pub mod fuzzing_server;
pub mod memory;
pub mod page;
pub mod results;
mod settings;
pub mod transport;

pub use fuzzing_client::{FuzzingClient, Target};
pub use fuzzing_server::FuzzingServer;
pub use page::Page;
pub use results::Results;
pub use settings::judge_options;
