//! How much memory there is for this process.

use std::fs;

/// The machine's memory, or what the process's container may have of it, in bytes. None where nobody says so.
pub(crate) fn memory() -> Option<usize> {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let container = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse().ok());
    [machine, container].into_iter().flatten().min()
}

fn total(text: &str) -> Option<usize> {
    let kibibytes = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?.trim().strip_suffix(" kB")?;
    kibibytes.parse::<usize>().ok()?.checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_read_where_it_is() {
        assert_eq!(total("MemTotal:       24117248 kB\nMemFree:        1 kB\n"), Some(24_117_248 << 10));
        assert_eq!(total("MemFree: 1 kB\n"), None);
        assert_eq!(total("MemTotal: much\n"), None);
        #[cfg(target_os = "linux")]
        assert!(memory().is_some_and(|bytes| bytes > 64 << 20));
    }
}
