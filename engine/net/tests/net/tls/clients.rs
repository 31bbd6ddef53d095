//! Certificates of clients: mutual TLS.

use cloverleaf::{ClientCertificates, Error, ErrorKind, ServerTls, TlsError};
use tokio_rustls::rustls::AlertDescription;

use super::authority::{Authority, client, serve, visit};

/// A server that lets in whom this authority vouches for.
fn guarded(authority: &Authority, clients: ClientCertificates) -> ServerTls {
    let tls = authority.server("localhost");
    tls.client_authorities(authority.pem().as_bytes(), clients)
        .unwrap()
}

fn alert(error: &Error) -> AlertDescription {
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    match error.tls() {
        Some(TlsError::Alert(number)) => AlertDescription::from(*number),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn who_shows_a_certificate_that_the_authority_vouches_for_is_let_in() {
    let authority = Authority::new();
    for clients in [ClientCertificates::Required, ClientCertificates::Optional] {
        let (port, _server) = serve(guarded(&authority, clients)).await;
        let certificate = authority.client("alice").certificate();
        let tls = authority.trusted().certificate(certificate).unwrap();
        visit(&client(tls), "localhost", port).await.unwrap();
    }
}

#[tokio::test]
async fn who_shows_none_is_let_in_only_where_it_is_optional() {
    let authority = Authority::new();
    let (port, _server) = serve(guarded(&authority, ClientCertificates::Optional)).await;
    let without = client(authority.trusted());
    visit(&without, "localhost", port).await.unwrap();

    let (port, _server) = serve(guarded(&authority, ClientCertificates::Required)).await;
    let error = visit(&without, "localhost", port).await.err().unwrap();
    assert_eq!(alert(&error), AlertDescription::CertificateRequired);
    assert!(
        error.to_string().contains("ClientTls::certificate"),
        "{error}"
    );
}

#[tokio::test]
async fn who_shows_a_bad_one_is_let_in_nowhere() {
    let (authority, other) = (Authority::new(), Authority::named("another"));
    for clients in [ClientCertificates::Required, ClientCertificates::Optional] {
        let (port, _server) = serve(guarded(&authority, clients)).await;
        // Of a stranger, and of ours that says it is a server's.
        let server_only = {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
            authority.sign(&params)
        };
        for made in [other.client("mallory"), server_only] {
            let tls = authority.trusted().certificate(made.certificate()).unwrap();
            let error = visit(&client(tls), "localhost", port).await.err().unwrap();
            assert_ne!(alert(&error), AlertDescription::CertificateRequired);
        }
    }
}

#[tokio::test]
async fn when_the_authorities_change_an_open_connection_stays_and_a_new_one_is_judged_anew() {
    let (old, new) = (Authority::named("old"), Authority::named("new"));
    let tls = guarded(&old, ClientCertificates::Required);
    let (port, _server) = serve(tls.clone()).await;
    let with = |authority: &Authority| {
        let certificate = authority.client("alice").certificate();
        client(old.trusted().certificate(certificate).unwrap())
    };
    let (old_client, new_client) = (with(&old), with(&new));
    let url = format!("wss://localhost:{port}/");
    let mut open = old_client.connect(&url).await.unwrap();
    visit(&new_client, "localhost", port).await.err().unwrap();
    // It holds tickets now, and shows them.
    visit(&old_client, "localhost", port).await.unwrap();
    assert!(visit(&old_client, "localhost", port).await.unwrap().resumed);

    tls.reload_client_authorities(new.pem().as_bytes()).unwrap();
    super::authority::alive(&mut open).await;
    let error = visit(&old_client, "localhost", port).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Tls, "not even with a ticket");
    visit(&new_client, "localhost", port).await.unwrap();
    open.close().await.unwrap();
}

#[tokio::test]
async fn a_new_certificate_of_the_server_does_not_let_anybody_in() {
    let authority = Authority::new();
    let tls = guarded(&authority, ClientCertificates::Required);
    let (port, _server) = serve(tls.clone()).await;
    let renewed = authority.made(&["localhost"]);
    tls.reload([renewed.certificate()]).unwrap();
    let error = visit(&client(authority.trusted()), "localhost", port).await;
    let error = error.err().unwrap();
    assert_eq!(alert(&error), AlertDescription::CertificateRequired);
}

#[test]
fn authorities_that_were_never_asked_for_cannot_be_reloaded() {
    let authority = Authority::new();
    let tls = authority.server("localhost");
    let pem = authority.pem();
    let error = tls.reload_client_authorities(pem.as_bytes()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    let required = ClientCertificates::Required;
    let error = tls.client_authorities(b"", required).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls);
}
