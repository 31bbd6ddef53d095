//! 10: messages that the judge fragments by itself.

use crate::case::{Case, Script, Step, text};

pub(super) const SECTIONS: &[(&str, &str)] = &[
    ("10", "Automatic fragmentation"),
    ("10.1", "Of text messages"),
];

const LENGTH: usize = 65_536;
const FRAGMENT: usize = 1_300;

pub(super) fn cases() -> Vec<Case> {
    let payload = vec![b'*'; LENGTH];
    let script = Script::new()
        .step(Step::SendFragmented(payload.clone(), FRAGMENT))
        .kill_after(10_000)
        .ok([text(payload)])
        .frames_sent(1, (LENGTH / FRAGMENT) as u64);
    vec![
        Case::new(
            "10.1.1",
            format!("A text message of {LENGTH} octets in fragments of {FRAGMENT}"),
            script,
        )
        .expect("The same message comes back; then a clean close with 1000.")
        .section("RFC 6455 §5.4"),
    ]
}
