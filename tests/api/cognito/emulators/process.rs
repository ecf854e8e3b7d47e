//! A process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A process that ends with the test, however the test ends, and then shows what it wrote if the test failed.
pub struct Process {
    pub name: &'static str,
    pub child: Child,
    pub output: PathBuf,
    pub log: PathBuf,
    /// Where it runs; removed once the process has ended.
    pub _folder: Option<TempDir>,
}

impl Process {
    pub fn start(name: &'static str, command: Command, folder: TempDir) -> Process {
        let path = folder.path().to_owned();
        Process::start_in(&path, name, command, Some(folder))
    }

    pub fn start_in(path: &Path, name: &'static str, mut command: Command, folder: Option<TempDir>) -> Process {
        let (output, log) = (path.join("stdout"), path.join("stderr"));
        command
            .current_dir(path)
            .stdin(Stdio::null())
            .stdout(File::create(&output).expect("a file"))
            .stderr(File::create(&log).expect("a file"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Process { name, child, output, log, _folder: folder }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the process is known").is_none()
    }

    pub fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap_or_default()).into_owned()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}{}---", self.name, self.output(), self.log());
        }
    }
}
