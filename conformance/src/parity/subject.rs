//! The subjects over which suites are compared.

use std::io;

use cloverleaf_reports::Role;

use crate::faulty::Fault;
use crate::subject::{Start, Subject, SubjectCommand};

/// Our own server and client.
///
/// # Errors
///
/// If the system does not say where this program is.
pub fn ours() -> io::Result<Vec<Subject>> {
    [Role::Server, Role::Client]
        .into_iter()
        .map(|role| Subject::ours("ours", role))
        .collect()
}

/// Our faulty subjects: each fault in each role that can have it.
///
/// # Errors
///
/// If the system does not say where this program is.
pub fn faulty() -> io::Result<Vec<Subject>> {
    let mut subjects = Vec::new();
    // Where nobody asks for credentials, faults of authentication do not show.
    for fault in Fault::all().filter(|fault| !fault.is_of_authentication()) {
        for role in [Role::Server, Role::Client] {
            if fault.exists_in(role) {
                let name = format!("fault {}", fault.name);
                let start = Start::Command(SubjectCommand::faulty(role, fault.name)?);
                subjects.push(Subject::new(name, role, start));
            }
        }
    }
    Ok(subjects)
}
