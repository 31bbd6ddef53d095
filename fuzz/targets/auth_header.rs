//! The parser of authentication's headers: what it understands, it can write, and understands the same
//! again; then Basic and Digest, from the same octets.
#![no_main]

use cloverleaf_auth::basic;
use cloverleaf_auth::digest::{Authorization, Challenge, Info};
use cloverleaf_auth::header::{
    MAX_CHALLENGES, MAX_PARAMS, parse_challenges, parse_credentials, parse_params,
};
use http::HeaderValue;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let lines: Vec<_> = data
        .split(|octet| *octet == b'\n')
        .filter_map(|line| HeaderValue::from_bytes(line).ok())
        .collect();
    let challenges = parse_challenges(&lines);
    assert!(challenges.len() <= MAX_CHALLENGES);
    for challenge in challenges {
        assert!(
            challenge
                .params()
                .is_none_or(|params| params.len() <= MAX_PARAMS)
        );
        assert_eq!(
            parse_challenges(&[challenge.to_value()]),
            [challenge.clone()]
        );
        if let Ok(parsed) = Challenge::parse(&challenge) {
            let written = parsed.write().expect("values without control characters");
            assert_eq!(Challenge::parse(&written).as_ref(), Ok(&parsed));
        }
    }
    for line in &lines {
        if let Ok(params) = parse_params(line) {
            assert_eq!(parse_params(&params.to_value()), Ok(params));
        }
        if let Ok(info) = Info::parse(line) {
            let written = info.write().expect("values without control characters");
            assert_eq!(Info::parse(&written), Ok(info));
        }
        let Ok(credentials) = parse_credentials(line) else {
            continue;
        };
        assert_eq!(
            parse_credentials(&credentials.to_value()).as_ref(),
            Ok(&credentials)
        );
        if let Ok(parsed) = Authorization::parse(&credentials) {
            let written = parsed.write().expect("values without control characters");
            assert_eq!(Authorization::parse(&written), Ok(parsed));
        }
        if let Some(pair) = basic::decode(&credentials) {
            let again = basic::encode(&pair.user, &pair.password).expect("it was carried");
            let again = basic::decode(&again).expect("it was carried");
            assert_eq!(
                (pair.user, pair.password.expose()),
                (again.user, again.password.expose())
            );
        }
    }
});
