//! Which certificate who is shown: Server Name Indication.

use cloverleaf::{Certificate, ErrorKind, ServerTls, TlsError, UnknownName};
use tokio_rustls::rustls::{AlertDescription, SignatureScheme};

use super::authority::{Authority, Made};
use super::greeting::{greet, greet_with};

/// Which of these certificates a client is shown that asks for this name, if any.
async fn shown(port: u16, name: &str, among: &[&Made]) -> Option<usize> {
    let certificate = greet(port, name).await.ok()?;
    among.iter().position(|made| made.der == certificate)
}

#[tokio::test]
async fn s10_each_name_has_its_certificate_and_an_unknown_one_the_first_or_none() {
    let authority = Authority::new();
    let first = authority.made(&["first.example"]);
    let second = authority.made(&["second.example", "*.wild.example", "Upper.Example"]);
    let third = authority.made(&["third.example", "x.wild.example"]);
    let told = authority.made(&["nobody.example"]);
    let among = [&first, &second, &third, &told];
    for refuses in [false, true] {
        let named = told.certificate().for_names(["told.EXAMPLE"]);
        let mut tls = first.server();
        for certificate in [second.certificate(), third.certificate(), named] {
            tls = tls.with_certificate(certificate).unwrap();
        }
        if refuses {
            tls = tls.unknown_name(UnknownName::Refuse).unwrap();
        }
        let (port, _server) = super::authority::serve(tls).await;
        let unknown = (!refuses).then_some(0);
        for (name, expected) in [
            ("first.example", Some(0)),
            ("second.example", Some(1)),
            ("SECOND.example", Some(1)),
            ("upper.example", Some(1)),
            ("a.wild.example", Some(1)),
            // Its own before the one for all.
            ("x.wild.example", Some(2)),
            // The asterisk is one label, and not none.
            ("a.b.wild.example", unknown),
            ("wild.example", unknown),
            // Told names stand in the place of those in the certificate.
            ("told.example", Some(3)),
            ("nobody.example", unknown),
            ("other.example", unknown),
            ("localhost", unknown),
            // An address is not a name that can be asked for (RFC 6066 §3).
            ("127.0.0.1", Some(0)),
        ] {
            let shown = shown(port, name, &among).await;
            assert_eq!(shown, expected, "{name}, refuses: {refuses}");
        }
    }
}

#[tokio::test]
async fn s10_a_refused_name_is_told_to_both_ends() {
    let authority = Authority::new();
    let tls = authority.server("first.example");
    let tls = tls.unknown_name(UnknownName::Refuse).unwrap();
    let (port, _server) = super::authority::serve(tls).await;
    let url = format!("wss://localhost:{port}/");
    let client = super::authority::client(authority.trusted());
    let error = client.connect(&url).await.unwrap_err();
    let alert = u8::from(AlertDescription::AccessDenied);
    assert_eq!(error.tls(), Some(&TlsError::Alert(alert)));
    assert!(
        error.to_string().contains("no server of this name"),
        "{error}"
    );
}

#[tokio::test]
async fn one_name_may_have_a_certificate_for_each_kind_of_key() {
    let authority = Authority::new();
    let (p256, ed25519) = (authority.made(&["localhost"]), ed25519("localhost"));
    let tls = ed25519.server();
    let tls = tls.with_certificate(p256.certificate()).unwrap();
    let (port, _server) = super::authority::serve(tls).await;
    let shown = greet(port, "localhost").await.unwrap();
    assert!(
        shown == ed25519.der,
        "the first, if the client can check it"
    );
    let knows = |scheme| scheme != SignatureScheme::ED25519;
    let shown = greet_with(port, "localhost", knows).await.unwrap();
    assert!(shown == p256.der);
}

fn ed25519(name: &str) -> Made {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Made {
        chain: certificate.pem(),
        key: key.serialize_pem(),
        der: certificate.der().to_vec().into(),
    }
}

#[test]
fn a_certificate_that_nobody_would_ever_see_is_refused() {
    let authority = Authority::new();
    let nameless = authority.client("no server").certificate();
    let address = authority.made(&["127.0.0.1"]).certificate();
    let tls: ServerTls = authority.server("first.example");
    for unseen in [nameless, address] {
        assert!(unseen.names().is_empty());
        let error = tls.clone().with_certificate(unseen.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
        assert!(error.to_string().contains("for_names"), "{error}");
        let first = authority.made(&["first.example"]).certificate();
        let error = tls.reload([first, unseen.clone()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls);
        // The first needs none.
        tls.reload([unseen]).unwrap();
    }
    let error = tls.reload(Vec::<Certificate>::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn neither_a_server_nor_a_certificate_shows_its_key() {
    let made = Authority::new().made(&["first.example"]);
    let shown = format!("{:?} {:?}", made.certificate(), made.server());
    assert!(shown.contains("first.example"));
    let secret: String = made.key.lines().skip(1).take(1).collect();
    assert!(
        !shown.contains(&secret) && !shown.contains("PrivateKey"),
        "{shown}"
    );
}
