//! Servers known by heart.

use cloverleaf::{ClientTls, ErrorKind, Fingerprint, TlsError};

use super::authority::{Authority, client, serve, visit};

#[tokio::test]
async fn beside_the_chain_a_pin_must_fit_too() {
    let authority = Authority::new();
    let (ours, other) = (
        authority.made(&["localhost"]),
        authority.made(&["localhost"]),
    );
    let (port, _server) = serve(ours.server()).await;
    let pin =
        |made: &super::authority::Made| Fingerprint::of_key_in(made.chain.as_bytes()).unwrap();
    let pinned = |pins: Vec<Fingerprint>| client(authority.trusted().pinned(pins).unwrap());
    visit(&pinned(vec![pin(&ours)]), "localhost", port)
        .await
        .unwrap();
    // A second one, for the day the first is lost.
    let both = vec![pin(&other), pin(&ours)];
    visit(&pinned(both), "localhost", port).await.unwrap();
    let error = visit(&pinned(vec![pin(&other)]), "localhost", port).await;
    let error = error.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Tls);
    assert_eq!(error.tls(), Some(&TlsError::NotPinned { key: pin(&ours) }));
    assert!(
        error.to_string().contains(&pin(&ours).to_string()),
        "{error}"
    );
    // The right key under a name that nobody vouches for.
    let stranger = Authority::named("another").trusted();
    let stranger = client(stranger.pinned([pin(&ours)]).unwrap());
    let error = visit(&stranger, "localhost", port).await.err().unwrap();
    assert_eq!(error.tls(), Some(&TlsError::UnknownAuthority));
}

#[tokio::test]
async fn a_pin_alone_asks_for_no_name_and_no_authority() {
    let authority = Authority::new();
    let made = authority.made(&["other.example"]);
    let (port, _server) = serve(made.server()).await;
    let key = Fingerprint::of_key_in(made.chain.as_bytes()).unwrap();
    let tls = ClientTls::pinned_only([key]).unwrap();
    visit(&client(tls), "localhost", port).await.unwrap();
    let other = authority.made(&["localhost"]);
    let other = Fingerprint::of_key_in(other.chain.as_bytes()).unwrap();
    let tls = ClientTls::pinned_only([other]).unwrap();
    let error = visit(&client(tls), "localhost", port).await.err().unwrap();
    assert!(matches!(error.tls(), Some(TlsError::NotPinned { .. })));
}

/// SHA-256 as others compute it:
/// `openssl x509 -in pinned.pem -outform der | sha256sum`, and
/// `openssl x509 -in pinned.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum`.
const PINNED: &str = "\
-----BEGIN CERTIFICATE-----
MIIBkzCCATqgAwIBAgIUQG1TPW4MDR2uCDncbfVH1NqF7fwwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGcGlubmVkMCAXDTI2MTEyMTIxMTQzM1oYDzIxMDkwMTEwMjEx
NDMzWjARMQ8wDQYDVQQDDAZwaW5uZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASGUyj+OzEmItPMbgu+IolbxVthA9u48DkHX368m7tk8AEQ0pz40xrcQT4tLwR2
pNHJlduaOJX5rCiPsmG+mvgto24wbDAdBgNVHQ4EFgQUBwr8i5EqweCga69yUAVv
S8P9MgIwHwYDVR0jBBgwFoAUBwr8i5EqweCga69yUAVvS8P9MgIwDwYDVR0TAQH/
BAUwAwEB/zAZBgNVHREEEjAQgg5waW5uZWQuZXhhbXBsZTAKBggqhkjOPQQDAgNH
ADBEAiBdwofvuYWiuSF7Js+uQDpYTDqLt5UyCQfrtSTo05r3IQIgKlB8+QItNJMp
JENiItKj/u4aAO3CDoy83uudBFwuC6Q=
-----END CERTIFICATE-----
";
const CERTIFICATE: &str = "d80a3f224fe78895f7aa06443e9388d9a410f557a5061d8870020652374c1b36";
const KEY: &str = "573e7cd5d7c4f575f34568867498cebf409f71551cdeec69995e46bd5c921536";

#[test]
fn fingerprints_are_those_that_openssl_prints() {
    let pem = PINNED.as_bytes();
    let key = Fingerprint::of_key(KEY).unwrap();
    assert_eq!(Fingerprint::of_key_in(pem).unwrap(), key);
    let whole = Fingerprint::of_certificate(CERTIFICATE).unwrap();
    assert_eq!(Fingerprint::of_certificate_in(pem).unwrap(), whole);
}

#[tokio::test]
async fn the_whole_certificate_may_be_pinned_and_is_not_the_key() {
    let authority = Authority::new();
    let made = authority.made(&["localhost"]);
    let (port, _server) = serve(made.server()).await;
    let digits = |pin: Fingerprint| pin.to_string().split(' ').nth(1).unwrap().to_owned();
    let key = Fingerprint::of_key_in(made.chain.as_bytes()).unwrap();
    let whole = Fingerprint::of_certificate_in(made.chain.as_bytes()).unwrap();
    let swapped = [
        Fingerprint::of_key(&digits(whole)).unwrap(),
        Fingerprint::of_certificate(&digits(key)).unwrap(),
    ];
    for (pin, fits) in [
        (key, true),
        (whole, true),
        (swapped[0], false),
        (swapped[1], false),
    ] {
        let tls = ClientTls::pinned_only([pin]).unwrap();
        let seen = visit(&client(tls), "localhost", port).await;
        assert_eq!(seen.is_ok(), fits, "{pin}");
    }
}

#[test]
fn what_is_no_fingerprint_is_told() {
    let good = "6f".repeat(32);
    Fingerprint::of_key(&good.to_uppercase()).unwrap();
    let colons = vec!["6F"; 32].join(":");
    let pin = Fingerprint::of_certificate(&colons).unwrap();
    assert_eq!(pin, Fingerprint::of_certificate(&good).unwrap());
    assert_ne!(pin, Fingerprint::of_key(&good).unwrap());
    assert_eq!(pin.to_string(), format!("certificate {good}"));
    for bad in [
        "",
        "6f",
        &good[1..],
        &format!("{good}6"),
        &format!("{good}6f"),
        "é",
        &"g".repeat(64),
    ] {
        let error = Fingerprint::of_key(bad).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{bad}");
    }
    let none: [Fingerprint; 0] = [];
    assert_eq!(
        ClientTls::pinned_only(none).unwrap_err().kind(),
        ErrorKind::Usage
    );
    assert_eq!(
        ClientTls::webpki().pinned(none).unwrap_err().kind(),
        ErrorKind::Usage
    );
    let only = ClientTls::pinned_only([pin]).unwrap();
    assert_eq!(only.and_webpki().unwrap_err().kind(), ErrorKind::Usage);
}
