//! From nothing to a protected endpoint: `cert`, `passwd`, `echo` and `connect`, as the README has them.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

fn run(folder: &Path, line: &str, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cloverleaf"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // One that has ended already does not read it.
    let _ = child
        .stdin
        .take()
        .expect("piped")
        .write_all(input.as_bytes());
    child.wait_with_output().expect("ends")
}

fn succeed(folder: &Path, line: &str, input: &str) -> String {
    let output = run(folder, line, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

/// Fails with this code, and says why.
fn fail(folder: &Path, line: &str, input: &str, code: i32, why: &str) {
    let output = run(folder, line, input);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{line}: {said}");
    assert!(said.contains(why), "{line}: {said}");
}

/// `cloverleaf echo`, until it is dropped.
struct Echo {
    child: Child,
    url: String,
}

impl Echo {
    fn start(folder: &Path, options: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_cloverleaf"))
            .args(["echo", "--listen", "127.0.0.1:0", "--end-with-stdin"])
            .args(options.split_whitespace())
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped"))
            .read_line(&mut line)
            .expect("a pipe");
        let url = line.trim().rsplit(' ').next().expect("a word").to_owned();
        Self { child, url }
    }

    /// The URL with somebody in it. The certificate is for localhost.
    fn url_of(&self, user: &str) -> String {
        let url = self.url.replace("127.0.0.1", "localhost");
        url.replace("://", &format!("://{user}@"))
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn folder_with_users() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    std::fs::write(at.join("right"), "clover\n").expect("written");
    std::fs::write(at.join("wrong"), "clever\n").expect("written");
    let made = succeed(
        at,
        "passwd ada --htdigest users --realm chat --password-file right",
        "",
    );
    assert_eq!(made, "users: added\n");
    folder
}

#[test]
fn a_protected_endpoint_in_five_commands() {
    let folder = folder_with_users();
    let at = folder.path();
    succeed(at, "cert", "");
    let echo = Echo::start(at, "--tls certificates --htdigest users --realm chat");
    assert!(echo.url.starts_with("wss://"), "{}", echo.url);
    let connect = |user: &str, rest: &str| {
        let url = echo.url_of(user);
        format!("connect {url}/ --ca certificates/ca.pem --send hello --count 1 {rest}")
    };
    let said = succeed(at, &connect("ada", "--password-file right"), "");
    assert_eq!(said, "hello\n");
    assert_eq!(succeed(at, &connect("ada:clover", ""), ""), "hello\n");
    assert_eq!(
        succeed(at, &connect("ada", "--password-file -"), "clover\n"),
        "hello\n"
    );
    for (user, password) in [("ada", "wrong"), ("eve", "right")] {
        let line = connect(user, &format!("--password-file {password}"));
        fail(at, &line, "", 1, "401");
    }
    // Nobody is asked twice, and the server says what it wants.
    let line = connect("ada", "--password-file wrong");
    fail(at, &line, "", 1, "www-authenticate: Digest realm=\"chat\"");
    let anonymous = connect("ada", "").replace("ada@", "");
    fail(at, &anonymous, "", 1, "401");
}

#[test]
fn each_channel_of_a_connection_is_let_in_by_itself() {
    let folder = folder_with_users();
    let at = folder.path();
    let echo = Echo::start(at, "--mux --htdigest users --realm chat");
    let url = echo.url_of("ada");
    let line =
        format!("connect --mux --channels 3 {url}/ --password-file right --send hi --count 3");
    let said = succeed(at, &line, "");
    assert_eq!(said.matches("hi").count(), 3, "{said}");
}

#[test]
fn a_token_and_a_password_in_the_clear_are_shown_only_if_both_ends_say_so() {
    let folder = folder_with_users();
    let at = folder.path();
    std::fs::write(at.join("token"), "mF_9.B5f-4.1JqM\n").expect("written");
    succeed(at, "passwd ada --htpasswd basic --password-file right", "");
    let strict = Echo::start(at, "--htpasswd basic --bearer-file token --realm chat");
    let open = Echo::start(
        at,
        "--htpasswd basic --bearer-file token --realm chat --allow-insecure-auth",
    );
    for how in ["--password-file right", "--bearer-file token"] {
        let line = |echo: &Echo, rest: &str| {
            let url = echo.url_of("ada");
            format!("connect {url}/ {how} --send hello --count 1 {rest}")
        };
        assert_eq!(
            succeed(at, &line(&open, "--allow-insecure-auth"), ""),
            "hello\n"
        );
        fail(at, &line(&open, ""), "", 1, "401");
        fail(at, &line(&strict, "--allow-insecure-auth"), "", 1, "403");
    }
}

#[test]
fn users_are_added_changed_and_removed() {
    let folder = folder_with_users();
    let at = folder.path();
    let read = |name: &str| std::fs::read_to_string(at.join(name)).expect("a file");
    let before = read("users");
    // SHA-256 of ada:chat:clover.
    let ha1 = "32b79fab0e00978e6123a04f29736e5ee27e73b406765f4a0890f54e91456e63";
    assert_eq!(before, format!("ada:chat:{ha1}\n"));

    let passwd = "passwd ada --htdigest users --realm chat";
    assert_eq!(
        succeed(at, &format!("{passwd} --password-file wrong"), ""),
        "users: changed\n"
    );
    assert_ne!(read("users"), before);
    succeed(
        at,
        &format!("{passwd} --hash md5 --password-file right"),
        "",
    );
    succeed(
        at,
        "passwd bob --htdigest users --realm chat --password-file -",
        "sesame\n",
    );
    assert_eq!(read("users").lines().count(), 3);
    assert_eq!(
        succeed(at, &format!("{passwd} --delete"), ""),
        "users: removed\n"
    );
    assert_eq!(read("users").lines().count(), 1);
    fail(at, &format!("{passwd} --delete"), "", 2, "has no such user");

    succeed(
        at,
        "passwd ada --htpasswd basic --hash argon2 --password-file right",
        "",
    );
    assert!(read("basic").starts_with("ada:$argon2id$"));
    succeed(at, "passwd ada --htpasswd basic --password-file right", "");
    assert!(read("basic").starts_with("ada:$2"));
    assert_eq!(read("basic").lines().count(), 1);

    for (line, why) in [
        (
            "passwd a:b --htdigest users --realm chat --password-file right",
            "colon",
        ),
        (
            "passwd ada --htdigest users --realm chat --password-file none",
            "cannot read none",
        ),
        (
            "passwd ada --htdigest users --realm chat --hash bcrypt --password-file right",
            "sha-256",
        ),
        (
            "passwd ada --htpasswd basic --hash md5 --password-file right",
            "bcrypt",
        ),
        (
            "passwd ada --htdigest no/users --realm chat --password-file right",
            "cannot write no/users",
        ),
    ] {
        fail(at, line, "", 2, why);
    }
    assert_eq!(read("users").lines().count(), 1);
}

#[test]
fn options_that_let_nobody_in_or_everybody_are_refused() {
    let folder = folder_with_users();
    let at = folder.path();
    for (line, why) in [
        ("echo --realm chat", "--realm needs --htdigest"),
        ("echo --htdigest none --realm chat", "none"),
        ("echo --htdigest users", "--realm"),
        ("echo --tls nowhere", "nowhere"),
        (
            "connect ws://127.0.0.1:1/ --password-file right",
            "whose password?",
        ),
        ("connect ws://a:%zz@127.0.0.1:1/", "percent"),
    ] {
        fail(at, line, "", 2, why);
    }
}
