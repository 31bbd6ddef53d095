//! When a subject shall end.

use std::io::{Read as _, stdin};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Completes when the program is interrupted or told to end, or, if `with_stdin`, when its
/// standard input ends: what started it is gone then.
pub(super) async fn requested(with_stdin: bool) -> std::io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let input_ends = async {
        if !with_stdin {
            return std::future::pending().await;
        }
        let (sender, ended) = oneshot::channel();
        // A thread of its own: the runtime would wait for a blocking read before it ends.
        std::thread::spawn(move || {
            let mut discarded = [0; 1024];
            while matches!(stdin().read(&mut discarded), Ok(read) if read > 0) {}
            let _ = sender.send(());
        });
        let _ = ended.await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        () = input_ends => {}
    }
    Ok(())
}
