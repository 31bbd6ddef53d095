//! `cloverleaf cert`: certificates for development.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, date_time_ymd,
};

use super::{fail, print};

/// Who may read a key: its owner.
const SECRET: u32 = 0o600;
const PUBLIC: u32 = 0o644;

/// Make a certificate authority and a server's certificate, for development
///
/// Writes ca.pem, ca.key, server.pem and server.key into a folder, and with --client NAME also
/// NAME.pem and NAME.key. The authority is worth as much as its key: whoever trusts it trusts
/// everybody who can read ca.key. Not for production. Exit code: 0 made, 2 usage or files that are in
/// the way.
#[derive(Args, Debug)]
pub(super) struct Cert {
    /// Names and addresses of the server [default: localhost 127.0.0.1 ::1]
    #[arg(value_name = "NAME")]
    names: Vec<String>,

    /// The folder to write into
    #[arg(long, value_name = "DIR", default_value = "certificates")]
    out: PathBuf,

    /// Make a certificate for this client too, for servers that ask for one; repeat it for more
    #[arg(long, value_name = "NAME", value_parser = client)]
    client: Vec<String>,

    /// They are good for so many days
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 365,
        value_parser = clap::value_parser!(u32).range(1..=3650)
    )]
    days: u32,

    /// Write over files that are there
    #[arg(long)]
    force: bool,
}

/// A file to write.
struct File {
    name: String,
    content: String,
    mode: u32,
}

/// A name that makes a file of its own.
fn client(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if name.is_empty() || name.starts_with(['.', '-']) || !name.chars().all(plain) {
        return Err("expected letters, digits, and - _ . @ behind the first".to_owned());
    }
    if matches!(name, "ca" | "server") {
        return Err(format!(
            "{name}.pem is another certificate; take another name"
        ));
    }
    Ok(name.to_owned())
}

impl Cert {
    pub(super) fn run(self) -> ExitCode {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let today = now.unwrap_or_default().as_secs() / DAY;
        let made = self.make(today).and_then(|files| {
            write(&self.out, &files, self.force)?;
            Ok(files)
        });
        match made {
            Ok(files) => {
                print(&self.tell(&files));
                ExitCode::SUCCESS
            }
            Err(error) => fail(&error, 2),
        }
    }

    fn names(&self) -> Vec<String> {
        if self.names.is_empty() {
            ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into()
        } else {
            self.names.clone()
        }
    }

    /// Everything, in memory. `today`: days since 1970.
    fn make(&self, today: u64) -> Result<Vec<File>, String> {
        let until = today + u64::from(self.days);
        let broken = |error: rcgen::Error| format!("cannot make a certificate: {error}");
        let mut authority = CertificateParams::new(Vec::new()).map_err(broken)?;
        named(&mut authority, "Cloverleaf development authority");
        between(&mut authority, today, until);
        // Nobody below may be an authority, too.
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(authority, key()?).map_err(broken)?;
        let mut files = vec![
            File::public("ca.pem", issuer.pem()),
            File::secret("ca.key", issuer.key().serialize_pem()),
        ];

        let names = self.names();
        let mut server = CertificateParams::new(names.clone())
            .map_err(|_| format!("no names or addresses: {}", names.join(" ")))?;
        named(&mut server, &names[0]);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        files.extend(signed(server, "server", &issuer, today, until).map_err(broken)?);
        for name in &self.client {
            let mut client = CertificateParams::new(Vec::new()).map_err(broken)?;
            named(&mut client, name);
            client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            files.extend(signed(client, name, &issuer, today, until).map_err(broken)?);
        }
        Ok(files)
    }

    /// What is there now, and what to do with it.
    fn tell(&self, files: &[File]) -> String {
        let path = |name: &str| self.out.join(name).display().to_string();
        let mut text = String::new();
        for file in files {
            text += &path(&file.name);
            text += "\n";
        }
        let host = match &self.names()[0] {
            address if address.contains(':') => format!("[{address}]"),
            name => name.clone(),
        };
        text += &format!(
            "\nServe:    cloverleaf echo --tls-cert {} --tls-key {}\n\
             Connect:  cloverleaf connect wss://{host}:9001/ --ca {}\n",
            path("server.pem"),
            path("server.key"),
            path("ca.pem"),
        );
        for name in &self.client {
            text += &format!(
                "As {name}: ClientTls::certificate(Certificate::from_files({:?}, {:?})), where the \
                 server has\n  ServerTls::client_authorities_file({:?}, …)\n",
                path(&format!("{name}.pem")),
                path(&format!("{name}.key")),
                path("ca.pem"),
            );
        }
        text += &format!(
            "\nThey are good for {} days. Whoever can read {} can pretend to be any server to those \
             who trust ca.pem.\n",
            self.days,
            path("ca.key"),
        );
        text
    }
}

impl File {
    fn public(name: &str, content: String) -> Self {
        Self {
            name: name.to_owned(),
            content,
            mode: PUBLIC,
        }
    }

    fn secret(name: &str, content: String) -> Self {
        Self {
            mode: SECRET,
            ..Self::public(name, content)
        }
    }
}

fn key() -> Result<KeyPair, String> {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)
        .map_err(|error| format!("cannot make a key: {error}"))
}

fn named(params: &mut CertificateParams, name: &str) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
}

const DAY: u64 = 86_400;

/// From yesterday on: clocks differ.
fn between(params: &mut CertificateParams, today: u64, until: u64) {
    // The type of a date is a crate's that we do not name; adding to one is all that is needed.
    let at = |days: u64| date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(days * DAY);
    params.not_before = at(today.saturating_sub(1));
    params.not_after = at(until);
}

/// A certificate with its key, as two files.
fn signed(
    mut params: CertificateParams,
    name: &str,
    issuer: &CertifiedIssuer<'static, KeyPair>,
    today: u64,
    until: u64,
) -> Result<[File; 2], rcgen::Error> {
    between(&mut params, today, until);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok([
        File::public(&format!("{name}.pem"), certificate.pem()),
        File::secret(&format!("{name}.key"), key.serialize_pem()),
    ])
}

/// Writes all of them, or, if one is in the way, none.
fn write(folder: &Path, files: &[File], force: bool) -> Result<(), String> {
    let cannot = |path: &Path, error: &io::Error| super::format::cannot(path, error);
    fs::create_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    for file in files {
        let path = folder.join(&file.name);
        if !force && path.symlink_metadata().is_ok() {
            return Err(format!(
                "{} is there already: --force writes over it, --out DIR takes another folder",
                path.display()
            ));
        }
    }
    for file in files {
        let path = folder.join(&file.name);
        if force {
            // A new file has the mode it is made with, an old one keeps its own.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(cannot(&path, &error));
                }
                _ => {}
            }
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(file.mode)
            .open(&path)
            .and_then(|mut open| open.write_all(file.content.as_bytes()))
            .map_err(|error| cannot(&path, &error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_client_is_a_name_for_a_file() {
        for name in ["alice", "a.b@c", "A-1_x"] {
            assert_eq!(client(name), Ok(name.to_owned()));
        }
        for name in ["", ".", "..", ".x", "-x", "a/b", "a b", "é", "ca", "server"] {
            assert!(client(name).is_err(), "{name:?}");
        }
    }
}
