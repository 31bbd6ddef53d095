//! The subjects file of this program, and the programs it names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::SubjectsError;
use crate::suite;

/// Path and content, as they lie in the repository.
pub(super) const FILES: [(&str, &str); 15] = [
    ("subjects.toml", include_str!("../../subjects.toml")),
    (
        "peers/aiohttp_peer.py",
        include_str!("../../peers/aiohttp_peer.py"),
    ),
    (
        "peers/autobahn_peer.py",
        include_str!("../../peers/autobahn_peer.py"),
    ),
    (
        "peers/faye_websocket_peer.mjs",
        include_str!("../../peers/faye_websocket_peer.mjs"),
    ),
    (
        "peers/websocket_peer.mjs",
        include_str!("../../peers/websocket_peer.mjs"),
    ),
    (
        "peers/websockets_peer.py",
        include_str!("../../peers/websockets_peer.py"),
    ),
    (
        "peers/ws4py_peer.py",
        include_str!("../../peers/ws4py_peer.py"),
    ),
    ("peers/ws_peer.mjs", include_str!("../../peers/ws_peer.mjs")),
    (
        "peers/wsproto_peer.py",
        include_str!("../../peers/wsproto_peer.py"),
    ),
    (
        "peers/rust/manifest.toml",
        include_str!("../../peers/rust/manifest.toml"),
    ),
    (
        "peers/rust/Cargo.lock",
        include_str!("../../peers/rust/Cargo.lock"),
    ),
    (
        "peers/rust/src/bin/fastwebsockets.rs",
        include_str!("../../peers/rust/src/bin/fastwebsockets.rs"),
    ),
    (
        "peers/rust/src/bin/soketto.rs",
        include_str!("../../peers/rust/src/bin/soketto.rs"),
    ),
    (
        "peers/rust/src/bin/tokio_tungstenite.rs",
        include_str!("../../peers/rust/src/bin/tokio_tungstenite.rs"),
    ),
    (
        "peers/rust/src/bin/yawc.rs",
        include_str!("../../peers/rust/src/bin/yawc.rs"),
    ),
];

/// Writes them into the cache, unless they are there, and says where the subjects file is.
pub(super) fn place() -> Result<PathBuf, SubjectsError> {
    let name = format!("subjects-{}", env!("CARGO_PKG_VERSION"));
    let folder = suite::cache_folder().join(name);
    for (path, text) in FILES {
        let path = folder.join(path);
        write(&path, text).map_err(|error| SubjectsError::new(&path, "", error.to_string()))?;
    }
    Ok(folder.join("subjects.toml"))
}

/// Another run may read the file at the same time: it sees the old text or the new one.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|found| found == text) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let unfinished = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&unfinished, text)?;
    fs::rename(&unfinished, path)
}
