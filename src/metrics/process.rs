//! Metrics of this process from `/proc` (<https://www.kernel.org/doc/html/latest/filesystems/proc.html>), with the
//! names of Prometheus' own libraries. Without `/proc`, only the start time is available.

use std::fs::{read_dir, read_to_string};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Counter, Gauge};

use super::collectors::made;

/// Kernel clock ticks per second, the same on all of Rust's Linux targets.
const TICKS: f64 = 100.0;

struct Process {
    cpu: Counter,
    resident: Gauge,
    virtual_memory: Gauge,
    threads: Gauge,
    open_files: Gauge,
    most_files: Gauge,
    start: Gauge,
}

/// Call this at start: times in `/proc` count from the boot, which a container may hide.
pub fn collector() -> Box<dyn Collector> {
    let gauge = |name, help| made(Gauge::new(name, help));
    let process = Process {
        cpu: made(Counter::new("process_cpu_seconds_total", "CPU time.")),
        resident: gauge("process_resident_memory_bytes", "Memory in use."),
        virtual_memory: gauge("process_virtual_memory_bytes", "Virtual memory."),
        threads: gauge("process_threads", "Threads."),
        open_files: gauge("process_open_fds", "Open file descriptors."),
        most_files: gauge("process_max_fds", "Maximum number of open file descriptors."),
        start: gauge("process_start_time_seconds", "Start time of the process in Unix seconds."),
    };
    process.start.set(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()));
    Box::new(process)
}

impl Process {
    fn members(&self) -> [&dyn Collector; 7] {
        let Process { cpu, resident, virtual_memory, threads, open_files, most_files, start } = self;
        [cpu, resident, virtual_memory, threads, open_files, most_files, start]
    }

    fn read(&self) -> Option<()> {
        let status = read_to_string("/proc/self/status").ok()?;
        self.resident.set(field(&status, "VmRSS:")? * 1024.0);
        self.virtual_memory.set(field(&status, "VmSize:")? * 1024.0);
        self.threads.set(field(&status, "Threads:")?);
        self.most_files.set(field(&read_to_string("/proc/self/limits").ok()?, "Max open files")?);
        // One of them is the descriptor that reads the folder.
        self.open_files.set(read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64);
        let seconds = cpu_seconds(&read_to_string("/proc/self/stat").ok()?)?;
        self.cpu.inc_by((seconds - self.cpu.get()).max(0.0));
        Some(())
    }
}

impl Collector for Process {
    fn desc(&self) -> Vec<&Desc> {
        self.members().into_iter().flat_map(|member| member.desc()).collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let members = self.members();
        let known = if self.read().is_some() { &members[..] } else { &members[6..] };
        known.iter().flat_map(|member| member.collect()).collect()
    }
}

fn field(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15 of `stat`. Field 2 is the program's name in parentheses and may contain anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_names() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units\n\
                      Max open files            1024                 1048576              files\n";
        assert_eq!(field(limits, "Max open files"), Some(1024.0));
        assert_eq!(field("VmRSS:\t   12345 kB\n", "VmRSS:"), Some(12345.0));
        assert_eq!(field("VmRSS:\n", "VmRSS:"), None);
        // No limit is no number.
        assert_eq!(field("Max open files unlimited unlimited files", "Max open files"), None);
        let stat = "12 (a) b (c) R 1 12 12 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 1000 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("12 gatepost"), None);
    }
}
