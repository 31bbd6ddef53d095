//! Our client with the servers of others, in front of our echo server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use cloverleaf::{Client, Error, Transport, WebSocket};
use cloverleaf_auth::client::{Credentials, Policy, Responder};
use cloverleaf_auth::digest::{Ha1, Hash};
use http::StatusCode;

use crate::peers::{Daemon, found, program};
use crate::servers::{Ours, PASSWORD, REALM, USER};

/// Apache asks for Digest with MD5, and knows nothing else. `None` if it is not there.
fn apache(behind: SocketAddr) -> Option<Daemon> {
    let apache = found("Apache (apache2)", program("apache2"))?;
    let modules = found("Apache's modules", apache_modules())?;
    let daemon = Daemon::start(&apache, |folder, address| {
        let ha1 = Ha1::new(Hash::Md5, USER, REALM, &PASSWORD.into());
        let users = format!("{USER}:{REALM}:{}\n", ha1.expose());
        fs::write(folder.join("users"), users).expect("writable");
        let modules: String = [
            "mpm_event",
            "authn_core",
            "authn_file",
            "authz_core",
            "authz_user",
            "auth_digest",
            "proxy",
            "proxy_http",
        ]
        .map(|name| format!("LoadModule {name}_module {modules}/mod_{name}.so\n"))
        .concat();
        let root = folder.display();
        let configuration = format!(
            "{modules}\
             ServerRoot \"{root}\"\n\
             ServerName 127.0.0.1\n\
             Listen {address}\n\
             PidFile \"{root}/pid\"\n\
             Mutex \"default:{root}\"\n\
             ErrorLog \"{root}/error.log\"\n\
             CustomLog \"{root}/access.log\" \"%s %U\"\n\
             ProxyPass / http://{behind}/ upgrade=websocket\n\
             <Location />\n\
               AuthType Digest\n\
               AuthName \"{REALM}\"\n\
               AuthDigestProvider file\n\
               AuthUserFile \"{root}/users\"\n\
               Require valid-user\n\
             </Location>\n"
        );
        let file = folder.join("apache.conf");
        fs::write(&file, configuration).expect("writable");
        // One process, in the foreground.
        vec!["-X".to_owned(), "-f".to_owned(), file.display().to_string()]
    });
    Some(daemon)
}

fn apache_modules() -> Option<&'static str> {
    ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"]
        .into_iter()
        .find(|folder| Path::new(folder).join("mod_auth_digest.so").is_file())
}

/// nginx asks for Basic. `None` if it is not there.
fn nginx(behind: SocketAddr) -> Option<Daemon> {
    let nginx = found("nginx", program("nginx"))?;
    let daemon = Daemon::start(&nginx, |folder, address| {
        let users = format!("{USER}:{{PLAIN}}{PASSWORD}\n");
        fs::write(folder.join("users"), users).expect("writable");
        let root = folder.display();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|what| format!("{what}_temp_path {root}/{what};\n"))
            .concat();
        let configuration = format!(
            "daemon off;\n\
             master_process off;\n\
             pid {root}/pid;\n\
             error_log {root}/error.log;\n\
             events {{}}\n\
             http {{\n\
               {temporary}\
               log_format short '$status $uri';\n\
               access_log {root}/access.log short;\n\
               server {{\n\
                 listen {address};\n\
                 location / {{\n\
                   auth_basic '{REALM}';\n\
                   auth_basic_user_file {root}/users;\n\
                   proxy_pass http://{behind};\n\
                   proxy_http_version 1.1;\n\
                   proxy_set_header Upgrade $http_upgrade;\n\
                   proxy_set_header Connection upgrade;\n\
                 }}\n\
               }}\n\
             }}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).expect("writable");
        let error_log = folder.join("error.log");
        [
            "-e".to_owned(),
            error_log.display().to_string(),
            "-p".to_owned(),
            root.to_string(),
            "-c".to_owned(),
            file.display().to_string(),
        ]
        .to_vec()
    });
    Some(daemon)
}

fn responder(password: &str) -> Responder {
    let credentials = Credentials::new(USER, password).expect("a header can carry them");
    Responder::new(cloverleaf::entropy()).credentials(credentials)
}

async fn open(responder: &Responder, url: &str) -> Result<WebSocket<Transport>, Error> {
    let client = Client::new(cloverleaf::config()).authenticate(responder.clone());
    client.connect(url).await
}

/// That it is our echo server that is behind it, and that the connection lives on.
async fn echoes(mut socket: WebSocket<Transport>) {
    socket.send("Hello").await.expect("it is open");
    let echo = socket.recv().await.expect("no error").expect("it is open");
    assert_eq!(echo.as_text(), Some("Hello"));
    socket.close().await.expect("it ends cleanly");
}

#[tokio::test]
async fn apache_lets_us_in_by_digest_with_md5_at_any_target() {
    let ours = Ours::start(Vec::new()).await;
    let Some(apache) = apache(ours.address) else {
        return;
    };
    let responder = responder(PASSWORD).policy(Policy::new().allow_md5_in_clear());
    for target in ["/chat", "/chat?to=%22me%22&to=you", "/a%20b/%C3%A4?", "/"] {
        let url = format!("ws://{}{target}", apache.address);
        echoes(open(&responder, &url).await.expect(target)).await;
    }
    // Each line when a connection ends: in no order.
    let mut answered = apache.answered(8);
    answered.sort();
    let targets = ["/", r"/a b/\xc3\xa4", "/chat", "/chat"];
    let expected = ["101", "401"].map(|status| targets.map(|target| format!("{status} {target}")));
    assert_eq!(answered, expected.concat());
    assert_eq!(ours.seen().len(), 4);
}

#[tokio::test]
async fn apache_takes_its_nonce_twice_and_does_not_ask_us_again() {
    let ours = Ours::start(Vec::new()).await;
    let Some(apache) = apache(ours.address) else {
        return;
    };
    let responder = responder(PASSWORD)
        .policy(Policy::new().allow_md5_in_clear())
        .reuse_nonces();
    let url = format!("ws://{}/chat", apache.address);
    echoes(open(&responder, &url).await.expect("first")).await;
    echoes(open(&responder, &url).await.expect("second")).await;
    assert_eq!(apache.answered(3), ["401 /chat", "101 /chat", "101 /chat"]);
}

#[tokio::test]
async fn apache_refuses_another_password_after_one_try() {
    let ours = Ours::start(Vec::new()).await;
    let Some(apache) = apache(ours.address) else {
        return;
    };
    let responder = responder("another").policy(Policy::new().allow_md5_in_clear());
    let error = open(&responder, &format!("ws://{}/", apache.address)).await;
    let error = error.expect_err("it is the wrong one");
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{error}");
    assert_eq!(apache.answered(2), ["401 /", "401 /"]);
    assert!(ours.seen().is_empty());
}

#[tokio::test]
async fn apache_gets_no_md5_from_us_in_the_clear_unless_we_are_told_to() {
    let ours = Ours::start(Vec::new()).await;
    let Some(apache) = apache(ours.address) else {
        return;
    };
    let error = open(&responder(PASSWORD), &format!("ws://{}/", apache.address)).await;
    let error = error.expect_err("without TLS");
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{error}");
    assert_eq!(apache.answered(1), ["401 /"]);
}

#[tokio::test]
async fn nginx_lets_us_in_by_basic_and_need_not_ask_again() {
    let ours = Ours::start(Vec::new()).await;
    let Some(nginx) = nginx(ours.address) else {
        return;
    };
    let responder = responder(PASSWORD).policy(Policy::new().allow_basic_in_clear());
    let url = format!("ws://{}/chat", nginx.address);
    echoes(open(&responder, &url).await.expect("first")).await;
    echoes(open(&responder, &url).await.expect("second")).await;
    assert_eq!(nginx.answered(3), ["401 /chat", "101 /chat", "101 /chat"]);
}

#[tokio::test]
async fn nginx_lets_us_in_with_the_name_and_password_of_the_url() {
    let ours = Ours::start(Vec::new()).await;
    let Some(nginx) = nginx(ours.address) else {
        return;
    };
    let responder = Responder::new(cloverleaf::entropy());
    let responder = responder.policy(Policy::new().allow_basic_in_clear());
    let url = format!("ws://Mufasa:Circle%20of%20Life@{}/", nginx.address);
    echoes(open(&responder, &url).await.expect("they are right")).await;
    assert_eq!(nginx.answered(2), ["401 /", "101 /"]);
}

#[tokio::test]
async fn nginx_gets_no_password_from_us_in_the_clear_unless_we_are_told_to() {
    let ours = Ours::start(Vec::new()).await;
    let Some(nginx) = nginx(ours.address) else {
        return;
    };
    let error = open(&responder(PASSWORD), &format!("ws://{}/", nginx.address)).await;
    let error = error.expect_err("without TLS");
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{error}");
    assert_eq!(nginx.answered(1), ["401 /"]);
}

#[tokio::test]
async fn nginx_refuses_another_password_after_one_try() {
    let ours = Ours::start(Vec::new()).await;
    let Some(nginx) = nginx(ours.address) else {
        return;
    };
    let responder = responder("another").policy(Policy::new().allow_basic_in_clear());
    let error = open(&responder, &format!("ws://{}/", nginx.address)).await;
    let error = error.expect_err("it is the wrong one");
    assert_eq!(error.status(), Some(StatusCode::UNAUTHORIZED), "{error}");
    assert_eq!(nginx.answered(2), ["401 /", "401 /"]);
    assert!(ours.seen().is_empty());
}
