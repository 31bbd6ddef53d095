//! Autobahn's options as the judge takes them.

use std::time::Duration;

use cloverleaf_judge::session;

use crate::spec::Options;

/// As good as never: spec files can switch a timeout off.
const NEVER: Duration = Duration::from_secs(3600);

/// How the judge behaves under these options. What is not said in them stays as the original
/// suite has it.
pub fn judge_options(options: &Options) -> session::Options {
    let mut judge = session::Options::default();
    judge.mask_client_frames = options.mask_client_frames;
    judge.mask_server_frames = options.mask_server_frames;
    judge.require_masked_client_frames = options.require_masked_client_frames;
    judge.accept_masked_server_frames = options.accept_masked_server_frames;
    judge.validate_utf8 = options.utf8_validate_incoming;
    judge.apply_mask = options.apply_mask;
    if let Some(octets) = options.max_message_payload_size {
        judge.max_message = octets;
    }
    judge.max_frame = options.max_frame_payload_size;
    judge.auto_fragment = options
        .auto_fragment_size
        .map_or(0, |octets| usize::try_from(octets).unwrap_or(usize::MAX));
    judge.fail_by_drop = options.fail_by_drop;
    judge.echo_close = options.echo_close_code_reason;
    judge.opening_timeout = options.open_handshake_timeout.unwrap_or(NEVER);
    judge.closing_timeout = options.close_handshake_timeout.unwrap_or(NEVER);
    judge.server_drop_timeout = options.server_connection_drop_timeout.unwrap_or(NEVER);
    judge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_of_spec_files_are_those_of_the_judge() {
        assert_eq!(
            judge_options(&Options::default()),
            session::Options::default()
        );
    }
}
