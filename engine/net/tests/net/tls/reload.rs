//! Certificates that change while a server serves.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cloverleaf::{Certificate, ClientCertificates, ErrorKind, ServerTls};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::authority::{Authority, alive, client, seen, serve, visit};

/// So many tasks open connections all the while.
const TASKS: usize = 4;
/// So many times the certificate changes.
const SWAPS: usize = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s10_under_load_no_handshake_fails_and_open_connections_stay_as_they_are() {
    let authority = Authority::new();
    let (one, other) = (
        authority.made(&["localhost"]),
        authority.made(&["localhost"]),
    );
    let tls = one.server();
    let (port, _server) = serve(tls.clone()).await;
    let client = client(authority.trusted().resumption(false).unwrap());
    let url = format!("wss://localhost:{port}/");
    let mut old = Vec::new();
    for _ in 0..TASKS {
        old.push(client.connect(&url).await.unwrap());
    }

    let done = Arc::new(AtomicBool::new(false));
    let (opened, mut count) = mpsc::unbounded_channel();
    let (of_one, of_other) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (client, done, opened) = (client.clone(), Arc::clone(&done), opened.clone());
        let (of_one, of_other) = (Arc::clone(&of_one), Arc::clone(&of_other));
        let (one, other) = (one.der.clone(), other.der.clone());
        tasks.spawn(async move {
            while !done.load(Ordering::SeqCst) {
                let shown = visit(&client, "localhost", port).await.unwrap();
                if shown.certificate == one {
                    of_one.fetch_add(1, Ordering::SeqCst);
                } else {
                    assert!(shown.certificate == other, "neither of the two");
                    of_other.fetch_add(1, Ordering::SeqCst);
                }
                opened.send(()).unwrap();
            }
        });
    }
    // A swap with every connection, so that all others are somewhere in the middle of theirs.
    for swap in 0..SWAPS {
        count.recv().await.unwrap();
        let next = if swap % 2 == 0 { &other } else { &one };
        tls.reload([next.certificate()]).unwrap();
        let shown = visit(&client, "localhost", port).await.unwrap();
        assert!(
            shown.certificate == next.der,
            "the next one sees the new certificate"
        );
    }
    done.store(true, Ordering::SeqCst);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let counts = (
        of_one.load(Ordering::SeqCst),
        of_other.load(Ordering::SeqCst),
    );
    assert!(counts.0 + counts.1 >= SWAPS, "{counts:?}");
    for socket in &mut old {
        alive(socket).await;
        assert!(seen(socket).certificate == one.der);
        socket.close().await.unwrap();
    }
}

#[tokio::test]
async fn files_are_read_again_all_or_none() {
    let authority = Authority::new();
    let folder = std::env::temp_dir().join(format!("cloverleaf-reload-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = |name: &str| folder.join(name);
    let write = |name: &str, text: &str| fs::write(path(name), text).unwrap();
    let (first, second) = (
        authority.made(&["localhost"]),
        authority.made(&["b.example"]),
    );
    write("a.pem", &first.chain);
    write("a.key", &first.key);
    write("b.pem", &second.chain);
    write("b.key", &second.key);
    write("ca.pem", &authority.pem());
    let tls = ServerTls::from_files(path("a.pem"), path("a.key")).unwrap();
    let more = Certificate::from_files(path("b.pem"), path("b.key")).unwrap();
    let tls = tls.with_certificate(more).unwrap();
    let optional = ClientCertificates::Optional;
    let tls = tls
        .client_authorities_file(path("ca.pem"), optional)
        .unwrap();
    let (port, _server) = serve(tls.clone()).await;
    let client = client(authority.trusted());
    let shown = async || visit(&client, "localhost", port).await.unwrap().certificate;
    assert!(shown().await == first.der);

    let renewed = authority.made(&["localhost"]);
    write("a.pem", &renewed.chain);
    let error = tls.reload_files().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "the key is still the old one");
    assert!(error.to_string().contains("a.pem"), "{error}");
    assert!(shown().await == first.der);

    write("a.key", &renewed.key);
    write("b.key", "");
    tls.reload_files().unwrap_err();
    assert!(shown().await == first.der, "because of another file");
    write("b.key", &second.key);
    write("ca.pem", "");
    tls.reload_files().unwrap_err();
    assert!(shown().await == first.der, "because of the authorities");

    write("ca.pem", &authority.pem());
    tls.reload_files().unwrap();
    assert!(shown().await == renewed.der);
    fs::remove_dir_all(&folder).unwrap();
    let error = tls.reload_files().unwrap_err();
    assert!(error.to_string().contains("cannot read"), "{error}");
    assert!(shown().await == renewed.der);
}

#[tokio::test]
async fn a_server_that_is_built_further_is_another_one() {
    let authority = Authority::new();
    let (first, second) = (
        authority.made(&["localhost"]),
        authority.made(&["localhost"]),
    );
    let tls = first.server();
    let other = tls.clone().with_certificate(second.certificate()).unwrap();
    let (port, _server) = serve(tls.clone()).await;
    other.reload([second.certificate()]).unwrap();
    let client = client(authority.trusted());
    let shown = visit(&client, "localhost", port).await.unwrap();
    assert!(shown.certificate == first.der);
}

#[test]
fn what_came_from_no_file_cannot_be_read_again() {
    let tls = Authority::new().server("localhost");
    let error = tls.reload_files().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}
