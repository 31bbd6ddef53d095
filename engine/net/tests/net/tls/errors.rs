//! What a person is told when TLS fails.

use cloverleaf::{Error, ErrorKind, Server, TlsError};
use tokio::net::TcpListener;
use tokio_rustls::rustls::AlertDescription;

use super::authority::{Authority, client, serve, visit};

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told_apart() {
    let (ours, other) = (Authority::new(), Authority::named("another"));
    let self_signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let self_signed = cloverleaf::ServerTls::from_pem(
        self_signed.cert.pem().as_bytes(),
        self_signed.signing_key.serialize_pem().as_bytes(),
    );
    let wrong = |expected: &str| TlsError::WrongName {
        expected: expected.to_owned(),
    };
    for (tls, host, expected, advice) in [
        (
            ours.server_between("localhost", 1990, 2001),
            "localhost",
            TlsError::Expired,
            "renewed",
        ),
        (
            ours.server_between("localhost", 3990, 3999),
            "localhost",
            TlsError::NotYetValid,
            "clock",
        ),
        (
            other.server("localhost"),
            "localhost",
            TlsError::UnknownAuthority,
            "trust the authority",
        ),
        (
            self_signed.unwrap(),
            "localhost",
            TlsError::UnknownAuthority,
            "trust the authority",
        ),
        (
            ours.server("other.example"),
            "localhost",
            wrong("localhost"),
            "\"localhost\"",
        ),
        (
            ours.server("127.0.0.2"),
            "127.0.0.1",
            wrong("127.0.0.1"),
            "\"127.0.0.1\"",
        ),
    ] {
        let (port, _server) = serve(tls).await;
        let error = visit(&client(ours.trusted()), host, port)
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert_eq!(error.tls(), Some(&expected));
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[tokio::test]
async fn a_plain_port_is_told_from_a_bad_certificate() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _plain = tokio::spawn(Server::on(listener).serve(async |_| Ok(())));
    let error = visit(&client(authority.trusted()), "localhost", port).await;
    let error = error.err().unwrap();
    assert_eq!(error.tls(), Some(&TlsError::NotTls));
    assert!(error.to_string().contains("ws://"), "{error}");
}

#[tokio::test]
async fn an_end_in_the_handshake_is_told() {
    let authority = Authority::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _drops = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            drop(stream);
        }
    });
    let error = visit(&client(authority.trusted()), "localhost", port).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert!(matches!(error.tls(), Some(TlsError::Ended(_))), "{error:?}");
}

#[test]
fn every_alert_that_asks_something_of_us_says_what() {
    for (alert, advice) in [
        (AlertDescription::CertificateExpired, "renew"),
        (
            AlertDescription::CertificateRequired,
            "ClientTls::certificate",
        ),
        (AlertDescription::UnknownCA, "authority"),
        (AlertDescription::NoApplicationProtocol, "http/1.1"),
        (AlertDescription::ProtocolVersion, "version"),
        (AlertDescription::UnrecognisedName, "name"),
        (AlertDescription::InternalError, "alert 80"),
    ] {
        let text = TlsError::Alert(u8::from(alert)).to_string();
        assert!(text.contains(advice), "{text}");
        assert!(!text.ends_with(": "), "{text}");
    }
}

#[tokio::test]
async fn what_is_no_matter_of_tls_has_no_such_cause() {
    let error: Error = cloverleaf::request("nowhere").unwrap_err();
    assert_eq!(error.tls(), None);
}
