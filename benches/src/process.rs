//! What the kernel says of a process: CPU time used and memory held.
//!
//! Read from `/proc`, so these figures exist on Linux only. Some servers are several processes (nginx has a master
//! and workers); their figures are added up.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

/// The kernel counts CPU time in hundredths of a second for programs, whatever its own tick is (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// CPU time that the processes used so far, in user and kernel mode, exited threads included.
///
/// # Errors
///
/// When a process is gone.
pub fn cpu_time(pids: &[u32]) -> anyhow::Result<Duration> {
    let mut total = Duration::ZERO;
    for pid in pids {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).with_context(|| format!("process {pid}"))?;
        total += cpu_time_of_stat(&text).with_context(|| format!("process {pid}: unknown form of stat"))?;
    }
    Ok(total)
}

/// See proc(5): the second field is the name in parentheses, which may hold blanks; `utime` and `stime` are the
/// fourteenth and fifteenth.
fn cpu_time_of_stat(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let user: u32 = fields.next()?.parse().ok()?;
    let kernel: u32 = fields.next()?.parse().ok()?;
    Some(TICK * user + TICK * kernel)
}

/// Resident memory of some processes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub resident: u64,
    /// The most there ever was, each process by itself.
    pub peak: u64,
}

/// Memory that the processes hold.
///
/// # Errors
///
/// When a process is gone.
pub fn memory(pids: &[u32]) -> anyhow::Result<Memory> {
    let mut total = Memory { resident: 0, peak: 0 };
    for pid in pids {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).with_context(|| format!("process {pid}"))?;
        let field =
            |name| bytes_of_field(&text, name).with_context(|| format!("process {pid}: no {name} in its status"));
        total.resident += field("VmRSS:")?;
        total.peak += field("VmHWM:")?;
    }
    Ok(total)
}

fn bytes_of_field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_behind_a_name_with_blanks_and_parentheses() {
        let stat = "71 (a (b) c) S 1 71 71 0 -1 4194560 2030 0 0 0 150 25 0 0 20 0 3 0 812 0 0";
        assert_eq!(cpu_time_of_stat(stat), Some(Duration::from_millis(1750)));
        assert_eq!(cpu_time_of_stat("71 (cut) S 1"), None);
    }

    #[test]
    fn memory_is_read_in_kibibytes() {
        let status = "Name:\tserver\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(bytes_of_field(status, "VmRSS:"), Some(10 * 1024 * 1024));
        assert_eq!(bytes_of_field(status, "VmHWM:"), Some(20 * 1024 * 1024));
        assert_eq!(bytes_of_field(status, "VmSwap:"), None);
    }

    #[test]
    fn a_living_process_has_memory_and_a_dead_one_is_an_error() {
        let own = memory(&[std::process::id()]).unwrap();
        assert!(own.resident > 0 && own.peak >= own.resident);
        assert!(cpu_time(&[std::process::id()]).is_ok());
        assert!(memory(&[u32::MAX]).is_err());
    }
}
