//! The vectors of the standards, and values that were computed elsewhere from the same inputs.

use proptest::prelude::*;

use super::*;

/// RFC 7616 §3.9.1, with the password of erratum 4495.
const USER: &str = "Mufasa";
const PASSWORD: &str = "Circle of Life";
const QUESTION: Question<'_> = Question {
    algorithm: SHA_256,
    realm: "http-auth@example.org",
    nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    nc: NonceCount::FIRST,
    qop: Some(Qop::Auth),
    method: "GET",
    uri: "/dir/index.html",
    content: b"",
};

const fn plain(hash: Hash) -> Algorithm {
    Algorithm {
        hash,
        session: false,
    }
}

const fn session(hash: Hash) -> Algorithm {
    Algorithm {
        hash,
        session: true,
    }
}

const MD5: Algorithm = plain(Hash::Md5);
const SHA_256: Algorithm = plain(Hash::Sha256);
const SHA_512_256: Algorithm = plain(Hash::Sha512_256);

/// Both ways to an answer, which must be the same.
fn answer(user: &str, password: &str, question: &Question<'_>) -> String {
    let password = Secret::from(password);
    let ha1 = Ha1::new(question.algorithm.hash, user, question.realm, &password);
    let direct = ha1.response(question);
    assert_eq!(response(user, &password, question), direct);
    direct
}

fn ha1(algorithm: Algorithm) -> Ha1 {
    Ha1::new(
        algorithm.hash,
        USER,
        QUESTION.realm,
        &Secret::from(PASSWORD),
    )
}

// A15.
#[test]
fn answers_to_the_question_of_rfc_7616() {
    let second = NonceCount::new(2);
    let first = NonceCount::FIRST;
    let (auth, int) = (Some(Qop::Auth), Some(Qop::AuthInt));
    for (algorithm, qop, nc, expected) in [
        (MD5, auth, first, "8ca523f5e9506fed4657c9700eebdbec"),
        (MD5, auth, second, "4b5d595ecf2db9df612ea5b45cd97101"),
        (
            session(Hash::Md5),
            auth,
            first,
            "e783283f46242139c486a698fec7211d",
        ),
        (MD5, int, first, "8804a53d3640a40a4f73cea12c5ba451"),
        (MD5, None, first, "7b2cc3b30e75b4777ea31027084363fd"),
        (
            SHA_256,
            auth,
            first,
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        (
            SHA_256,
            auth,
            second,
            "8c8db27f49ff1c202f9fb49fa9d2e9eabf078dcc93db40dfd6527010091d1c8e",
        ),
        (
            session(Hash::Sha256),
            auth,
            first,
            "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7",
        ),
        (
            SHA_256,
            int,
            first,
            "8bdf6f15638e260831e905028de5450562816d093c9bfc5c13d3a46adcdde940",
        ),
        (
            SHA_256,
            None,
            first,
            "a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363",
        ),
        (
            SHA_512_256,
            auth,
            first,
            "430d05014cecc49cab6fbe03176d41a1da86cbfe24a16580e22aaad928d960d0",
        ),
        (
            SHA_512_256,
            auth,
            second,
            "c70be613fc833a6fd44d48f13b0ae4431b234f5a5c232c4f817c08d99be9485e",
        ),
        (
            session(Hash::Sha512_256),
            auth,
            first,
            "3f2a34f923c38b0fb26dce2fdfc2ce326c23cecf86fbb1444f3e51fbbc2cb92e",
        ),
        (
            SHA_512_256,
            int,
            first,
            "38244c4d345d09bb0000b355be27d2a55003ee188df9821c54df70a63aa0c1ca",
        ),
        (
            SHA_512_256,
            None,
            first,
            "93e9122020ea0624d2ca801426d5bfbeb93d10ff4cc24cb410af3920fa4730e7",
        ),
    ] {
        let question = Question {
            algorithm,
            qop,
            nc,
            ..QUESTION
        };
        assert_eq!(answer(USER, PASSWORD, &question), expected, "{question:?}");
    }
}

#[test]
fn proofs_of_the_server_have_no_method() {
    for (algorithm, qop, expected) in [
        (MD5, Qop::Auth, "9b712497bc9f91499fbcca1dfc5f09a5"),
        (MD5, Qop::AuthInt, "b8bb5f1414cea949797a3054351cf133"),
        (
            SHA_256,
            Qop::Auth,
            "86d3b25618d41854ca5039a5d7e53ff6355d5134a9b1fb088a78ac3c462195a0",
        ),
        (
            SHA_256,
            Qop::AuthInt,
            "41230d51ef423ce4b4b0c5ba05a440471a14f2908b270aa61a7d0c5f8b04dc2e",
        ),
        (
            SHA_512_256,
            Qop::Auth,
            "c8f9593a4f49b95ce2c483cc3222ecd360a5c6ec52ca24a530b0aac18478de8c",
        ),
        (
            SHA_512_256,
            Qop::AuthInt,
            "3f2f7ed8b0c15a76d28156abdd8a7521accad01051e8db880c7f96484d979419",
        ),
    ] {
        let question = Question {
            algorithm,
            qop: Some(qop),
            // It counts for auth-int alone.
            content: b"Hello",
            ..QUESTION
        };
        assert_eq!(ha1(algorithm).rspauth(&question), expected, "{question:?}");
    }
}

#[test]
fn the_parts_of_the_formula() {
    for (hash, first, auth, int, proof, proof_int) in [
        (
            Hash::Md5,
            "3d78807defe7de2157e2b0b6573a855f",
            "39aff3a2bab6126f332b942af96d3366",
            "76b926065592515b4fc702c0da67b40f",
            "694fc49ecc9c9d45828f3c3bcea0363a",
            "eb4ed18a4f060106dbd7106086c89d95",
        ),
        (
            Hash::Sha256,
            "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232",
            "9a3fdae9a622fe8de177c24fa9c070f2b181ec85e15dcbdc32e10c82ad450b04",
            "e55d48abdc6cb0f1b9fea25a08d4508fc5117157c00a35877bd1b4c2e962ca9e",
            "9aabd53d7ea569cbd0aaf3fd22048121e8d96ac04ac475d7362a889240e11da1",
            "0fa66e9a4637408606f7fce6e0561d60c154c3672b90275a4d2c744c6aefa5b7",
        ),
        (
            Hash::Sha512_256,
            "fb174f5c3c7802721517cae13b98e2b8dae2e0118cb705d94ee29946319204ce",
            "c2cc924c647b13c41e0fb8825bdaa97d0a1f2a7afb15e1e03c994229b20e1c92",
            "c74dd4926d3b5bf50bb221102b5411970fb2ea1640d3b087c13482939c636dfb",
            "66246ceb06d77006d6ae4fe317a438c7864e68918ca050694fbf5cddf8fce246",
            "7a6afef0f786344c4ab172d60303d585b79a976bb963101cc2b016fabb438cc8",
        ),
    ] {
        assert_eq!(ha1(plain(hash)).expose(), first);
        let uri = QUESTION.uri;
        let empty = hash.hex(&[]);
        let hello = hash.hex(&[b"Hello"]);
        for (a2, expected) in [
            (format!("GET:{uri}"), auth),
            (format!("GET:{uri}:{empty}"), int),
            (format!(":{uri}"), proof),
            (format!(":{uri}:{hello}"), proof_int),
        ] {
            assert_eq!(hash.hex(&[a2.as_bytes()]), expected, "{a2}");
        }
    }
    for (hash, expected) in [
        (Hash::Md5, "2b3d906f52651c3136e1502b3d6f38ee"),
        (
            Hash::Sha256,
            "bca21f4c7d7e8bf70d96361085370c7d219947abc1b8cd628f710917b89bed5b",
        ),
        (
            Hash::Sha512_256,
            "7bda9d6d426c30b563dd560a3fcddd2be830ed2f46019752dcf95ea629c4e570",
        ),
    ] {
        let a1 = format!(
            "{}:{}:{}",
            ha1(plain(hash)).expose(),
            QUESTION.nonce,
            QUESTION.cnonce
        );
        assert_eq!(hash.hex(&[a1.as_bytes()]), expected, "A1 of a session");
    }
}

// A15, A16: RFC 7616 §3.9.2 as erratum 4897 has it; what the standard prints is SHA-512 cut short.
#[test]
fn the_second_example_of_rfc_7616_with_the_hash_that_its_name_says() {
    let (user, password) = ("J\u{e4}s\u{f8}n Doe", "Secret, or not?");
    let question = Question {
        algorithm: SHA_512_256,
        realm: "api@example.org",
        nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        uri: "/doe.json",
        ..QUESTION
    };
    assert_eq!(
        userhash(Hash::Sha512_256, user, question.realm),
        "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
    );
    let stored = Ha1::new(Hash::Sha512_256, user, question.realm, &password.into());
    assert_eq!(
        stored.expose(),
        "2d3d9f12c9f3d30011259dc5fecee005ae24de40e3e1f61806d03e65f1e6024f"
    );
    assert_eq!(
        Hash::Sha512_256.hex(&[b"GET:/doe.json"]),
        "1734b070bafdeb53ae52f93659427bb4bc545e2ef4d5e74ba247dad4861b4634"
    );
    assert_eq!(
        answer(user, password, &question),
        "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"
    );
    let question = Question {
        cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm",
        ..question
    };
    assert_eq!(
        answer(user, password, &question),
        "7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c"
    );
}

#[test]
fn the_example_of_rfc_2617() {
    let question = Question {
        algorithm: MD5,
        realm: "testrealm@host.com",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce: "0a4f113b",
        ..QUESTION
    };
    let stored = Ha1::new(Hash::Md5, USER, question.realm, &"Circle Of Life".into());
    assert_eq!(stored.expose(), "939e7578ed9e3c518a452acee763bce9");
    assert_eq!(
        answer(USER, "Circle Of Life", &question),
        "6629fae49393a05397450978507c4ef1"
    );
}

// What the standard prints is wrong.
#[test]
fn the_example_of_rfc_2069() {
    let question = Question {
        algorithm: MD5,
        realm: "testrealm@host.com",
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        qop: None,
        ..QUESTION
    };
    let stored = Ha1::new(Hash::Md5, USER, question.realm, &"CircleOfLife".into());
    assert_eq!(stored.expose(), "4945ecf42b1bb868634058a845bedde8");
    assert_eq!(
        answer(USER, "CircleOfLife", &question),
        "1949323746fe6a43ef61f9606e7febea"
    );
}

#[test]
fn answers_in_an_opening_handshake_and_to_a_proxy() {
    let targets = [
        ("GET", "/chat"),
        ("GET", "/chat?room=1"),
        ("CONNECT", "server.example.com:443"),
    ];
    for (hash, first, hidden, answers) in [
        (
            Hash::Md5,
            "01d83bfe6a07bd76b0cee1e44affc569",
            "fa132386881c5d22e7fda8129280a32a",
            [
                "576bbe316e0b0e51b5c73db253bc9612",
                "ef7f7b87f0ec537ab66db37756d33fe1",
                "0777795b5dd0030370f71a6a64cc6913",
            ],
        ),
        (
            Hash::Sha256,
            "c1e35e9f5bedf276fee063cd70f0489c67f085dcd8f2a5a63013a50624e2a7b9",
            "f3547d5fffc60bb182b34a885ddd25de21c60ca3f3226f66ab7fa619e322c94b",
            [
                "e794063b18aa97ecb9c9f0d3c2be08411dab52fa7bca03eb6412bb7e033965d3",
                "26414e44ed2b57616b3207dbca409295e17051c785cd76d221c7cc3af7173c64",
                "a14a9fe170035eb5e4f878ec40f2d329f460b0ec028d2334c4f8edcc04e3f633",
            ],
        ),
        (
            Hash::Sha512_256,
            "cd724a09350a7c1bdb1b6c416c6618484741a9b32e350a10b6b9dc6bdeb0192d",
            "1d79b7f292183826dff445d3ae70afb982a7cfa67ece9561260c2c1bce469f25",
            [
                "7d85d65fcf94c899c47e03261b77469e3e8801f86b61bac5fcb1983843287163",
                "0db1ce8f1e2fa83f4da76e574d5c97aaf3b57c7fe714ee2f35dda1a2b1bde97c",
                "0ce01aa5a364e473abaf83001c63f415a6269401679fe687d8478cda1f0f53d4",
            ],
        ),
    ] {
        let realm = "ws@example.com";
        assert_eq!(
            Ha1::new(hash, "user", realm, &"pass".into()).expose(),
            first
        );
        assert_eq!(userhash(hash, "user", realm), hidden);
        for ((method, uri), expected) in targets.into_iter().zip(answers) {
            let question = Question {
                algorithm: plain(hash),
                realm,
                nonce: "dGVzdG5vbmNl",
                cnonce: "0a4f113b",
                method,
                uri,
                ..QUESTION
            };
            assert_eq!(answer("user", "pass", &question), expected, "{question:?}");
        }
    }
}

// Hashed is what a quoted string means, not how it is written.
#[test]
fn quotes_and_backslashes_count_once() {
    let stored = Ha1::new(Hash::Md5, r#"a"b\c"#, "ws@example.com", &"pass".into());
    assert_eq!(stored.expose(), "e0596ececde4aa010010dc6d1dd887c0");
}

#[test]
fn a_count_in_upper_case_is_hashed_as_it_was_sent() {
    let with = |digits: &[u8]| Question {
        nc: NonceCount::parse(digits).expect("a count"),
        ..QUESTION
    };
    let (upper, lower) = (with(b"0000000A"), with(b"0000000a"));
    assert_ne!(ha1(SHA_256).response(&upper), ha1(SHA_256).response(&lower));
}

#[test]
fn a_kept_hash_has_its_length_and_is_not_printed() {
    let kept = ha1(SHA_256);
    let again = Ha1::from_hex(Hash::Sha256, &kept.expose().to_ascii_uppercase()).expect("a hash");
    assert!(kept.is(&again) && !kept.is(&ha1(SHA_512_256)));
    assert!(!kept.is(&Ha1::new(Hash::Sha256, USER, "other", &PASSWORD.into())));
    for digits in ["", "0", &"0".repeat(32), &"0".repeat(63), &"g".repeat(64)] {
        assert!(Ha1::from_hex(Hash::Sha256, digits).is_none(), "{digits}");
    }
    assert!(Ha1::from_hex(Hash::Sha256, &"\u{e9}".repeat(32)).is_none());
    assert_eq!(format!("{kept:?}"), "Ha1 { hash: Sha256, hex: Secret(..) }");
}

#[test]
fn digits_match_in_either_case_and_as_a_whole() {
    assert!(matches("0a", "0A") && matches("0a", "0a"));
    for received in ["", "0", "0a0", "0b", "\u{e9}"] {
        assert!(!matches("0a", received), "{received}");
    }
}

#[test]
fn a_password_that_is_not_utf_8_is_hashed_as_octets() {
    let password = Secret::new(*b"\xff\xfe");
    let stored = Ha1::new(Hash::Sha256, USER, QUESTION.realm, &password);
    assert_eq!(
        response(USER, &password, &QUESTION),
        stored.response(&QUESTION)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    // `digest_auth` beside the few lines here: `answer` compares them.
    #[test]
    fn both_ways_lead_to_the_same_answer(
        user in ".*", password in ".*", realm in ".*", nonce in ".*", cnonce in ".*", uri in ".*",
        nc: u32, number in 0..6_usize, qop in 0..3_usize,
        content in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let names = ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256", "SHA-512-256-sess"];
        let question = Question {
            algorithm: Algorithm::from_name(names[number]).expect("known"),
            realm: &realm,
            nonce: &nonce,
            cnonce: &cnonce,
            nc: NonceCount::new(nc),
            qop: [None, Some(Qop::Auth), Some(Qop::AuthInt)][qop],
            method: "GET",
            uri: &uri,
            content: &content,
        };
        answer(&user, &password, &question);
    }
}
