//! CSV imports: the pages, the rehearsal and the files.

pub mod csv_file;
pub mod finished;
pub mod job;
pub mod lines;
pub mod page;
pub mod reader;
pub mod report;
