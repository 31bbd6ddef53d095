//! Who we are, for a server that asks.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use cloverleaf::proto::handshake::ClientRequest;
use cloverleaf_auth::client::{Credentials, Policy, Responder};

use crate::cli::password;

/// Options that answer challenges.
#[derive(Args, Debug)]
#[group(id = "credentials")]
pub(super) struct Options {
    /// Take the first line of this file as the password of the user in the URL; `-` for standard
    /// input
    #[arg(long, value_name = "FILE", conflicts_with = "bearer_file")]
    password_file: Option<PathBuf>,

    /// Show the token in the first line of this file (Bearer)
    #[arg(long, value_name = "FILE")]
    bearer_file: Option<PathBuf>,

    /// Show a password or a token to a server without TLS, where everybody on the way can read it,
    /// and answer Digest with MD5 there
    #[arg(long)]
    allow_insecure_auth: bool,
}

impl Options {
    /// What answers the challenges of the server, if we know anything that could.
    pub(super) fn responder(&self, request: &ClientRequest) -> Result<Option<Responder>, String> {
        let credentials = match (request.userinfo(), &self.bearer_file) {
            (_, Some(path)) => {
                let token = password::obtain(Some(path), "")?;
                Credentials::bearer(token)
            }
            (None, None) if self.password_file.is_some() => {
                return Err("whose password? write wss://USER@HOST/".to_owned());
            }
            (None, None) => return Ok(None),
            (Some(userinfo), None) if userinfo.contains(':') => {
                Credentials::from_userinfo(userinfo)
            }
            (Some(user), None) => {
                let prompt = format!("Password of {user} at {}: ", request.host());
                let password = password::obtain(self.password_file.as_deref(), &prompt)?;
                let mut userinfo = format!("{user}:");
                for octet in password.expose() {
                    let _ = write!(userinfo, "%{octet:02X}");
                }
                Credentials::from_userinfo(&userinfo)
            }
        };
        let credentials = credentials.map_err(|error| error.to_string())?;
        let mut policy = Policy::new();
        if self.allow_insecure_auth {
            policy = policy
                .allow_basic_in_clear()
                .allow_bearer_in_clear()
                .allow_md5_in_clear();
        }
        let responder = Responder::new(cloverleaf::entropy())
            .credentials(credentials)
            .policy(policy);
        Ok(Some(responder))
    }
}
