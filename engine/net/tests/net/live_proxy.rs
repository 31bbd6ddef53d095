//! Proxies that others wrote, from Debian's packages: squid, tinyproxy, microsocks, danted in front of
//! our client, haproxy in front of our server. A test whose program is missing says so and passes,
//! unless `CLOVERLEAF_REQUIRE_PROXIES` is set.

use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpListener as StdListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use cloverleaf::proto::handshake::{Peer, Received};
use cloverleaf::{Client, Error, Proxy, ProxyError, Server, ServerOptions, Transport, WebSocket};
use cloverleaf_auth::client::{Credentials, Policy, Responder};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::ends::quiet;

/// Where Debian puts programs; some are not on everybody's path.
fn program(name: &str) -> Option<PathBuf> {
    let found = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("CLOVERLEAF_REQUIRE_PROXIES").is_none(),
            "{name} is missing; install Debian's package"
        );
        eprintln!("skipped: {name} is not installed");
    }
    found
}

/// A program that listens on a port, with a folder for its files.
struct Running {
    address: SocketAddr,
    child: Child,
    folder: TempDir,
}

impl Running {
    /// `files`: names and contents, in which `PORT` and `FOLDER` are replaced, as in the arguments.
    async fn start(program: &Path, arguments: &[&str], files: &[(&str, &str)]) -> Self {
        let free = StdListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let folder = TempDir::new().unwrap();
        // Some give up being root, and then want to read and write here all the same.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let filled = |text: &str| {
            text.replace("PORT", &address.port().to_string())
                .replace("FOLDER", folder.path().to_str().unwrap())
        };
        for (name, content) in files {
            let path = folder.path().join(name);
            fs::write(&path, filled(content)).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        }
        let child = Command::new(program)
            .args(arguments.iter().map(|it| filled(it)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Self {
            address,
            child,
            folder,
        };
        for _ in 0..600 {
            if TcpStream::connect(address).await.is_ok() {
                return running;
            }
            let ended = running.child.try_wait().unwrap();
            assert!(ended.is_none(), "{} ended: {ended:?}", program.display());
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!(
            "{} does not listen; see {}",
            program.display(),
            running.folder.path().display()
        );
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Politely, so that its helpers go with it.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

type Seen = Arc<Mutex<Vec<Peer>>>;

/// An echo server.
async fn serve(
    options: ServerOptions,
    configure: impl FnOnce(Server) -> Server,
) -> (SocketAddr, Seen) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let mut options = options;
    options
        .guards
        .push(Arc::new(move |received: &mut Received| {
            noted.lock().unwrap().push(received.peer().unwrap().clone());
            Ok(())
        }));
    let server = Server::bind("127.0.0.1:0").await.unwrap();
    let address = server.local_addr().unwrap();
    let server = configure(server.config(quiet()).options(options));
    tokio::spawn(server.serve(|mut socket: WebSocket<Transport>| async move {
        while let Some(message) = socket.recv().await? {
            socket.send(message).await?;
        }
        Ok(())
    }));
    (address, seen)
}

/// A message there and back, and a clean end.
async fn talk(client: &Client, server: SocketAddr) -> Result<(), Error> {
    let mut socket = client.connect(&format!("ws://{server}/")).await?;
    let payload = vec![7_u8; 100_000];
    socket.send(payload.clone()).await?;
    assert!(socket.recv().await? == Some(payload.into()));
    socket.close().await?;
    assert!(socket.closed().unwrap().clean);
    Ok(())
}

fn through(url: &str) -> Client {
    Client::new(quiet()).proxy(Proxy::new(url).unwrap())
}

fn reason(error: &Error) -> &ProxyError {
    let source = std::error::Error::source(error).unwrap();
    source.downcast_ref().unwrap_or_else(|| panic!("{error}"))
}

/// The client gets through with `me:secret`, and is told what is wrong with anything else.
async fn asks_for_credentials(proxy: SocketAddr, server: SocketAddr) {
    talk(&through(&format!("http://me:secret@{proxy}")), server)
        .await
        .unwrap();
    let error = talk(&through(&format!("http://{proxy}")), server)
        .await
        .unwrap_err();
    assert!(
        matches!(reason(&error), ProxyError::CredentialsWanted(_)),
        "{error}"
    );
    let error = talk(&through(&format!("http://me:wrong@{proxy}")), server)
        .await
        .unwrap_err();
    // Tinyproxy answers 401 to wrong ones.
    assert!(
        match reason(&error) {
            ProxyError::CredentialsRefused => true,
            ProxyError::Refused(response) => response.status() == 401,
            _ => false,
        },
        "{error}"
    );
}

const SQUID: &str = "http_port 127.0.0.1:PORT\n\
    acl known proxy_auth REQUIRED\n\
    http_access allow known\n\
    http_access deny all\n\
    cache deny all\n\
    access_log none\n\
    cache_log FOLDER/cache.log\n\
    pid_filename FOLDER/squid.pid\n\
    coredump_dir FOLDER\n\
    shutdown_lifetime 0 seconds\n";

#[tokio::test]
async fn squid_with_basic() {
    let Some(squid) = program("squid") else {
        return;
    };
    let (server, _) = serve(ServerOptions::default(), |it| it).await;
    let config =
        format!("auth_param basic program FOLDER/check\nauth_param basic realm test\n{SQUID}");
    let check = "#!/bin/sh\nwhile read -r user password; do\n\
        if [ \"$user $password\" = 'me secret' ]; then echo OK; else echo ERR; fi\ndone\n";
    let files = [("squid.conf", config.as_str()), ("check", check)];
    let proxy = Running::start(&squid, &["-N", "-f", "FOLDER/squid.conf"], &files).await;
    asks_for_credentials(proxy.address, server).await;
}

#[tokio::test]
async fn squid_with_digest() {
    let Some(squid) = program("squid") else {
        return;
    };
    let (server, _) = serve(ServerOptions::default(), |it| it).await;
    let config = format!(
        "auth_param digest program /usr/lib/squid/digest_file_auth FOLDER/users\n\
         auth_param digest realm test\n{SQUID}"
    );
    let files = [("squid.conf", config.as_str()), ("users", "me:secret\n")];
    let proxy = Running::start(&squid, &["-N", "-f", "FOLDER/squid.conf"], &files).await;
    let with = |password: &str| {
        // Squid knows MD5 alone.
        let policy = Policy::new().allow_md5_in_clear();
        let responder = Responder::new(cloverleaf::entropy())
            .proxy(Credentials::new("me", password).unwrap(), policy);
        let proxy = Proxy::new(&format!("http://{}", proxy.address)).unwrap();
        Client::new(quiet()).proxy(proxy.authenticate(responder))
    };
    let client = with("secret");
    for _ in 0..2 {
        talk(&client, server).await.unwrap();
    }
    let error = talk(&with("wrong"), server).await.unwrap_err();
    assert!(
        matches!(reason(&error), ProxyError::CredentialsRefused),
        "{error}"
    );
    let basic = through(&format!("http://me:secret@{}", proxy.address));
    let error = talk(&basic, server).await.unwrap_err();
    assert!(error.to_string().contains("Proxy::authenticate"), "{error}");
}

#[tokio::test]
async fn tinyproxy_with_basic() {
    let Some(tinyproxy) = program("tinyproxy") else {
        return;
    };
    let (server, _) = serve(ServerOptions::default(), |it| it).await;
    let config = "Port PORT\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\nAllow 127.0.0.1\n\
        BasicAuth me secret\nLogLevel Error\n";
    let files = [("tinyproxy.conf", config)];
    let proxy = Running::start(&tinyproxy, &["-d", "-c", "FOLDER/tinyproxy.conf"], &files).await;
    asks_for_credentials(proxy.address, server).await;
}

#[tokio::test]
async fn microsocks_with_user_and_password() {
    let Some(microsocks) = program("microsocks") else {
        return;
    };
    let (server, _) = serve(ServerOptions::default(), |it| it).await;
    let arguments = ["-i", "127.0.0.1", "-p", "PORT", "-u", "me", "-P", "secret"];
    let proxy = Running::start(&microsocks, &arguments, &[]).await;
    let address = proxy.address;
    for scheme in ["socks5", "socks5h"] {
        talk(&through(&format!("{scheme}://me:secret@{address}")), server)
            .await
            .unwrap();
    }
    let error = talk(&through(&format!("socks5://{address}")), server)
        .await
        .unwrap_err();
    assert!(
        matches!(reason(&error), ProxyError::Method(0xff)),
        "{error}"
    );
    let error = talk(&through(&format!("socks5://me:wrong@{address}")), server)
        .await
        .unwrap_err();
    assert!(
        matches!(reason(&error), ProxyError::CredentialsRefused),
        "{error}"
    );
    // Nobody listens there.
    let nowhere = "127.0.0.1:1".parse().unwrap();
    let error = talk(&through(&format!("socks5://me:secret@{address}")), nowhere)
        .await
        .unwrap_err();
    assert!(matches!(reason(&error), ProxyError::Reply(5)), "{error}");
}

#[tokio::test]
async fn dante_without_a_password() {
    let Some(danted) = program("danted") else {
        return;
    };
    let (server, _) = serve(ServerOptions::default(), |it| it).await;
    // As root it gives that up, and must be told for whom.
    let user = match fs::metadata("/proc/self").unwrap().uid() {
        0 => "user.privileged: root\nuser.unprivileged: nobody\n",
        _ => "",
    };
    let config = format!(
        "logoutput: stderr\ninternal: 127.0.0.1 port = PORT\nexternal: lo\n\
         socksmethod: none\nclientmethod: none\n{user}\
         client pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n\
         socks pass {{ from: 127.0.0.0/8 to: 0.0.0.0/0 }}\n"
    );
    let files = [("danted.conf", config.as_str())];
    let proxy = Running::start(&danted, &["-f", "FOLDER/danted.conf"], &files).await;
    let address = proxy.address;
    for url in [
        format!("socks5h://{address}"),
        format!("socks5://me:secret@{address}"),
    ] {
        talk(&through(&url), server).await.unwrap();
    }
}

/// What our server knows of a client that comes through haproxy set up like this.
async fn behind_haproxy(haproxy: &Path, server: SocketAddr, seen: &Seen, how: &str) -> Peer {
    let config = format!(
        "defaults\n timeout connect 5s\n timeout client 60s\n timeout server 60s\n\
         frontend f\n bind 127.0.0.1:PORT\n default_backend b\n {how}",
    )
    .replace("SERVER", &server.to_string());
    let files = [("haproxy.cfg", config.as_str())];
    let proxy = Running::start(haproxy, &["-db", "-f", "FOLDER/haproxy.cfg"], &files).await;
    let client = Client::new(quiet());
    let mut socket = client
        .connect(&format!("ws://{}/", proxy.address))
        .await
        .unwrap();
    let own = socket.get_ref().unwrap().tcp().local_addr().unwrap();
    socket.close().await.unwrap();
    let peer = seen.lock().unwrap().pop().unwrap();
    assert_eq!(peer.address.unwrap().ip(), own.ip());
    // The port that haproxy has seen is our client's own, where it is told.
    assert!(
        [0, own.port()].contains(&peer.address.unwrap().port()),
        "{peer:?}"
    );
    peer
}

#[tokio::test]
async fn haproxy_in_front_with_the_proxy_protocol_and_with_headers() {
    let Some(haproxy) = program("haproxy") else {
        return;
    };
    let trusting = |it: Server| it.proxy_protocol("127.0.0.1".parse().unwrap());
    let (server, seen) = serve(ServerOptions::default(), trusting).await;
    for version in ["send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"] {
        let how = format!("mode tcp\nbackend b\n mode tcp\n server s SERVER {version}\n");
        let peer = behind_haproxy(&haproxy, server, &seen, &how).await;
        assert_ne!(peer.address.unwrap().port(), 0, "{version}");
    }

    let mut options = ServerOptions::default();
    options.trusted_proxies = "127.0.0.1".parse().unwrap();
    let (server, seen) = serve(options, |it| it).await;
    let how = "mode http\nbackend b\n mode http\n option forwardfor\n \
        http-request set-header X-Forwarded-Proto https\n server s SERVER\n";
    let peer = behind_haproxy(&haproxy, server, &seen, how).await;
    assert!(peer.secure);
    assert_eq!(peer.address.unwrap().port(), 0);
    let how = "mode http\nbackend b\n mode http\n \
        http-request set-header Forwarded for=\\\"%ci:%cp\\\";proto=http\n server s SERVER\n";
    let peer = behind_haproxy(&haproxy, server, &seen, how).await;
    assert!(!peer.secure);
    assert_ne!(peer.address.unwrap().port(), 0);
}
