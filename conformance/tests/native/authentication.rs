//! Every case about credentials against our own server, in memory and virtual time.

use std::io;
use std::sync::Arc;

use cloverleaf::{Acceptor, ServerOptions, WebSocket};
use cloverleaf_auth::digest::Nonces;
use cloverleaf_auth::guard::{AnyOf, Basic, Bearer, Digest, Refused};
use cloverleaf_auth::store::{Memory, Store};
use cloverleaf_conformance::profile;
use cloverleaf_judge::authentication::Credentials;
use cloverleaf_judge::case::Plan;
use cloverleaf_judge::cases;
use cloverleaf_judge::random::Random;
use cloverleaf_judge::run::{self, Dial, Place};
use cloverleaf_judge::session::Options;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex};

const REALM: &str = "ws@example.com";
const TOKEN: &str = "c2VjcmV0";

/// All that there is, so that no case has to be left out.
fn everything() -> AnyOf {
    let users: Arc<dyn Store> = Arc::new(Memory::new().user("user", REALM, "pass"));
    let nonces = Nonces::new(cloverleaf::entropy(), cloverleaf::wall_clock());
    let digest = Digest::new(REALM, Arc::clone(&users), nonces)
        .and_then(|digest| digest.opaque("b3A="))
        .expect("a realm that can be written")
        .sha512_256()
        .legacy_md5()
        .sessions()
        .auth_int()
        .userhash();
    let basic = Basic::new(REALM, users)
        .expect("a realm that can be written")
        .allow_insecure_basic();
    let bearer = Bearer::new(REALM, |token| match token.expose() == TOKEN.as_bytes() {
        true => Ok("user".to_owned()),
        false => Err(Refused::InvalidToken),
    });
    let bearer = bearer
        .expect("a realm that can be written")
        .allow_insecure_bearer();
    AnyOf::new().or(digest).or(basic).or(bearer)
}

struct OurServer(Arc<Acceptor>);

impl Dial for OurServer {
    type Stream = DuplexStream;

    async fn dial(&self) -> io::Result<DuplexStream> {
        let (ours, theirs) = duplex(256 << 10);
        let acceptor = Arc::clone(&self.0);
        // Most cases end in a refusal.
        tokio::spawn(async move { acceptor.serve(theirs, echo).await });
        Ok(ours)
    }
}

async fn echo<S: AsyncRead + AsyncWrite + Unpin>(
    mut socket: WebSocket<S>,
) -> Result<(), cloverleaf::Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn our_server_passes_the_cases_about_credentials() {
    let credentials = Credentials::login("user", "pass").with_token(TOKEN);
    let mut findings = Vec::new();
    let mut judged = 0;
    for case in cases::authentication() {
        let Plan::Guarded(plan) = &case.plan else {
            continue;
        };
        judged += 1;
        let mut options = ServerOptions::default();
        options.guards.push(Arc::new(everything()));
        let config = profile::config(true).expect("valid settings");
        let server = OurServer(Arc::new(Acceptor::new(config, options)));
        let place = Place::new("localhost", "/chat?room=1");
        let (result, _) = run::judge_guard(
            &server,
            &case,
            plan,
            &place,
            &credentials,
            &Options::default(),
            Random::seeded(1),
        )
        .await;
        if !result.verdict.standing().is_pass() || !result.close_verdict.standing().is_pass() {
            let detail = result.detail.as_ref();
            let why = detail.and_then(|detail| detail.result.as_deref());
            let (id, verdict) = (&result.id, &result.verdict);
            findings.push(format!(
                "{id} ({}): {verdict} ({})",
                case.title,
                why.unwrap_or("")
            ));
        }
    }
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
    assert_eq!(judged, 127);
}
