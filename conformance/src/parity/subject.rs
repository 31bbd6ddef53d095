//! The subjects over which suites are compared.

use std::io;
use std::path::PathBuf;

use cloverleaf_reports::Role;

use crate::faulty::Fault;
use crate::subject::SubjectCommand;

/// A program in one role.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ParitySubject {
    /// The name to report under.
    pub name: String,
    /// The role.
    pub role: Role,
    /// How to start it.
    pub command: SubjectCommand,
}

impl ParitySubject {
    /// A program in this role.
    pub fn new(name: impl Into<String>, role: Role, command: SubjectCommand) -> Self {
        Self {
            name: name.into(),
            role,
            command,
        }
    }

    /// Our own server and client.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn ours() -> io::Result<Vec<Self>> {
        Ok(vec![
            Self::new("ours", Role::Server, SubjectCommand::our_server()?),
            Self::new("ours", Role::Client, SubjectCommand::our_client()?),
        ])
    }

    /// Our faulty subjects: each fault in each role that can have it.
    ///
    /// # Errors
    ///
    /// If the system does not say where this program is.
    pub fn faulty() -> io::Result<Vec<Self>> {
        let mut subjects = Vec::new();
        for fault in Fault::all() {
            for role in [Role::Server, Role::Client] {
                if fault.exists_in(role) {
                    let name = format!("fault {}", fault.name);
                    let command = SubjectCommand::faulty(role, fault.name)?;
                    subjects.push(Self::new(name, role, command));
                }
            }
        }
        Ok(subjects)
    }

    /// The name of its folder.
    pub(super) fn folder(&self) -> PathBuf {
        let name: String = self
            .name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' {
                    c
                } else {
                    '_'
                }
            })
            .collect();
        PathBuf::from(format!("{name}-{}", self.role))
    }
}
