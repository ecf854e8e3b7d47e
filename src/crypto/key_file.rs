//! Key files beside the database. Only their owner may read them.

use std::io::{self, Read, Write};
use std::path::Path;

/// Fails if other users may read the file: a copy or a backup may have lost its mode.
pub fn read(path: &Path) -> io::Result<String> {
    refuse_if_open_to_others(path)?;
    std::fs::read_to_string(path)
}

fn refuse_if_open_to_others(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(path) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            let problem = "holds keys and is accessible to other users of this machine; run chmod 600 on it";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, problem));
        }
    }
    Ok(())
}

/// A missing or empty file gets new content, with mode 0600. If several processes find no key, the first to lock the
/// file creates it.
pub fn read_or_create(path: &Path, content: impl FnOnce() -> io::Result<String>) -> io::Result<String> {
    refuse_if_open_to_others(path)?;
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    // A process that was killed right after creating the file leaves it empty.
    if text.is_empty() {
        text = content()?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all())?;
    }
    Ok(text)
}
