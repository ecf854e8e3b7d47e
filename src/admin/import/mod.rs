//! Rows from CSV files: the pages, the rehearsal, the files themselves.

pub mod csv_file;
pub mod job;
pub mod page;
pub mod reader;
pub mod report;
