//! A file system that a test fills.

use std::path::Path;

use tempfile::TempDir;

use super::program::as_root;

/// A file system of a few megabytes.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    pub fn mount(megabytes: u32) -> Option<SmallDisk> {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().to_str().expect("a path in UTF-8").to_owned();
        let options = format!("size={megabytes}m,mode=1777");
        as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", &path]).then_some(SmallDisk { folder })
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it to the last byte.
    pub fn fill(&self) {
        use std::io::Write;
        let mut ballast = std::fs::File::create(self.path().join("ballast")).expect("a file");
        for size in [65536, 4096, 1] {
            while ballast.write(&[0; 65536][..size]).is_ok_and(|written| written > 0) {}
        }
    }

    pub fn make_room(&self) {
        std::fs::remove_file(self.path().join("ballast")).expect("the ballast is removed");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        as_root(&["umount", "-l", self.path().to_str().expect("a path in UTF-8")]);
    }
}
