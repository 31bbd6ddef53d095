//! A folder for reports, held by one run at a time.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Holds a folder until it is dropped.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Creates the folder if need be, and takes it.
    ///
    /// # Errors
    ///
    /// If it cannot be created, or another run holds it.
    pub fn take(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let file = File::create(folder.join(".lock"))?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| io::Error::other("another run is writing there; choose another folder"))?;
        Ok(Self { _file: file })
    }
}
