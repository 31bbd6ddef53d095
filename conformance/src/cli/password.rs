//! A password, from a file or from somebody at the terminal.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use cloverleaf_auth::Secret;

/// A line of a file is at most so long.
const MAX: u64 = 4096;

/// The password: the first line of this file (`-`: of standard input), or what is typed behind the
/// prompt, which nobody sees.
pub(super) fn obtain(file: Option<&Path>, prompt: &str) -> Result<Secret, String> {
    match file {
        Some(path) if path == Path::new("-") => first_line(io::stdin()),
        Some(path) => File::open(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))
            .and_then(first_line),
        None => ask(prompt),
    }
}

/// The same, typed twice: nobody sees a slip.
pub(super) fn obtain_new(file: Option<&Path>) -> Result<Secret, String> {
    let password = obtain(file, "New password: ")?;
    if file.is_none() && ask("Once more: ")?.expose() != password.expose() {
        return Err("the two differ; nothing has changed".to_owned());
    }
    Ok(password)
}

fn ask(prompt: &str) -> Result<Secret, String> {
    rpassword::prompt_password(prompt)
        .map(Secret::from)
        .map_err(|error| {
            format!(
                "cannot ask for a password: {error} (--password-file FILE reads it from a file)"
            )
        })
}

fn first_line(source: impl Read) -> Result<Secret, String> {
    let mut line = String::new();
    BufReader::new(source.take(MAX))
        .read_line(&mut line)
        .map_err(|error| format!("cannot read the password: {error}"))?;
    let length = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(length);
    if line.is_empty() {
        return Err("the first line of the file with the password is empty".to_owned());
    }
    Ok(Secret::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_the_first_line_without_its_end() {
        for (text, password) in [
            ("sesame", "sesame"),
            ("open sesame \r\nand more\n", "open sesame "),
            ("\u{e4}\n", "\u{e4}"),
        ] {
            let found = first_line(text.as_bytes()).expect(text);
            assert_eq!(found.expose(), password.as_bytes());
        }
        for text in [&b""[..], b"\n", b"\xff\n"] {
            assert!(first_line(text).is_err(), "{text:?}");
        }
    }
}
