//! Conformance results: one model, Autobahn's JSON, and what people and machines read.
//!
//! A [`Record`] says what one conformance run found: for each role and each subject, every case
//! with its two verdicts and what was seen on the wire. Everything else is a function of it:
//!
//! ```text
//!  results.json ------------------Record::from_json--+
//!  Autobahn's index.json, case files --autobahn------+--> Record --+--> html      one page
//!                          (load finds out which)                  +--> text      the terminal
//!                                                                  +--> markdown  a step summary
//!                                                                  +--> github    annotations
//!                                                                  +--> junit     CI systems
//!                                                                  +--> badge     SVG, shields.io
//!                                                                  +--> autobahn  the files again
//!
//!  two Records ---> diff        several Records ---> trend, site        its JSON form: schema
//! ```
//!
//! Time and host are data in the record, so the same record always gives the same bytes.
//!
//! ```
//! use cloverleaf_reports::{CaseResult, CloseVerdict, Record, Role, Run, Subject, Verdict};
//!
//! let mut subject = Subject::new("echo server 1.0");
//! let id = "1.1.1".parse()?;
//! subject.insert(CaseResult::new(id, Verdict::Ok, CloseVerdict::Ok));
//!
//! let mut run = Run::new(Role::Server);
//! run.subjects.push(subject);
//!
//! let mut record = Record::new("Nightly conformance");
//! record.add(run)?;
//! assert!(record.summary().standing().is_pass());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod autobahn;
pub mod badge;
pub mod diff;
pub mod github;
pub mod html;
pub mod junit;
pub mod load;
pub mod markdown;
pub mod model;
pub mod printable;
pub mod schema;
pub mod site;
pub mod text;
pub mod trend;

mod layout;
mod outcome;
mod pattern;

pub use model::{
    CaseId, CaseResult, CloseVerdict, Detail, Record, Role, Run, Standing, Subject, Verdict,
};
