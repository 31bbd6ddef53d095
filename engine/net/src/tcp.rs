//! Settings of TCP sockets.

use std::time::Duration;

use tokio::net::TcpStream;

/// After so long without an acknowledgement the kernel gives a connection up.
const USER_TIMEOUT: Duration = Duration::from_secs(30);

/// No delay for small messages, and an end for dead peers even while nothing but the kernel writes.
pub(crate) fn prepare(stream: &TcpStream) {
    // Both are improvements, not needs: a socket that refuses them works.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    let _ = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(USER_TIMEOUT));
    #[cfg(not(target_os = "linux"))]
    let _ = USER_TIMEOUT;
}
