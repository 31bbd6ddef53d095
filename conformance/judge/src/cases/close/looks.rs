//! What a look at the end of a connection finds.

use cloverleaf_reports::Role;

use crate::frame::PING;
use crate::session::Session;

/// The subject sent no data, no pong and no second close frame behind its close frame (RFC 6455
/// §5.5.1: no data; §7.1.7: nothing is answered any more).
pub(super) fn nothing_behind(session: &Session) -> Result<(), String> {
    let mut behind = session.log.behind_close().iter();
    // A ping of its own does no harm.
    match behind.find(|head| head.opcode != PING) {
        None => Ok(()),
        Some(head) => Err(format!(
            "Behind its close frame the subject sent a frame with opcode {}.",
            head.opcode
        )),
    }
}

/// The subject's close frame, if it sent one, is one that may be sent (RFC 6455 §5.5.1, §7.4).
pub(super) fn well_formed(session: &Session) -> Result<(), String> {
    if session.close_facts().failed_by_suite {
        return Err("The subject broke a rule of framing.".to_owned());
    }
    let Some((head, payload)) = session.log.close_frame() else {
        return Ok(());
    };
    let masked = session.subject() == Role::Client;
    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
    let reason = payload.get(2..).unwrap_or_default();
    let finding = if !head.fin {
        "is fragmented"
    } else if head.rsv != 0 {
        "has a reserved bit set"
    } else if head.length > 125 {
        "has more than 125 octets"
    } else if head.key.is_some() != masked {
        "is not masked as the role asks"
    } else if payload.len() == 1 {
        "has half a code"
    } else if code.is_some_and(|code| !may_be_sent(code)) {
        "has a code that may not be sent"
    } else if std::str::from_utf8(reason).is_err() {
        "has a reason that is not UTF-8"
    } else {
        return Ok(());
    };
    Err(format!("The subject's close frame {finding}."))
}

/// Codes of RFC 6455 §7.4.1 and of the registry, and those for libraries and applications.
fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
