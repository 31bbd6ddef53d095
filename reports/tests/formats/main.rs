//! Every format but the page of a run: byte for byte, and against hostile records.

mod badge;
mod diff;
mod github;
mod junit;
mod load;
mod markdown;
mod sample;
mod schema;
mod site;
mod text;
mod trend;
