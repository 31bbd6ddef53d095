//! What Autobahn's users already have: spec files and control URLs, read as data.
//!
//! ```text
//!  fuzzingclient.json --> ClientSpec --.            template  which file, and what a new one says
//!  fuzzingserver.json --> ServerSpec --+-- cases, exclusions, options
//!
//!  "/runCase?case=7&agent=X" --> Control            '["sendframe", {...}]' --> Command
//! ```
//!
//! A file that `wstest` runs is accepted here with the same meaning. What `wstest` trips over
//! or passes over in silence is named: an error where the run could not be what its author
//! wants, a warning where it still can.

mod cases;
pub mod client;
pub mod command;
pub mod control;
mod draft;
mod error;
mod exclusion;
pub(crate) mod glob;
pub mod options;
mod reader;
pub mod server;
pub mod template;
mod url;

pub use client::ClientSpec;
pub use control::Control;
pub use draft::Draft;
pub use error::{Problem, SpecError};
pub use exclusion::AgentExclusions;
pub use options::Options;
pub use server::ServerSpec;
pub use url::WsUrl;
