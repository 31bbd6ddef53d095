//! Lines of standard input, as they come.

use std::io::{BufRead as _, stdin};

use tokio::sync::mpsc;

/// So many lines may wait to be sent; reading goes on when there is room.
const WAITING: usize = 16;

/// Reads standard input in a thread of its own: the runtime would wait for a blocking read before it
/// ends. A line that is no UTF-8 is an error, and the end is the end of the channel.
pub(super) fn lines() -> mpsc::Receiver<Result<String, String>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    std::thread::spawn(move || {
        let mut input = stdin().lock();
        loop {
            let mut line = Vec::new();
            match input.read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    let _ = sender.blocking_send(Err(format!("cannot read the input: {error}")));
                    return;
                }
            }
            let line = line.strip_suffix(b"\n").unwrap_or(&line);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = String::from_utf8(line.to_vec())
                .map_err(|_| "a line is not UTF-8, not sent; --binary takes octets".to_owned());
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Lines that are there already.
pub(super) fn these(lines: Vec<String>) -> mpsc::Receiver<Result<String, String>> {
    let (sender, receiver) = mpsc::channel(lines.len().max(1));
    for line in lines {
        // There is room for all.
        let _ = sender.try_send(Ok(line));
    }
    receiver
}
