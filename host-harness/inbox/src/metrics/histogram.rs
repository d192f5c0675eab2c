//! How long things take, counted in buckets.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The upper ends of the buckets, in microseconds: from a delivery that took a millisecond to a run that took a minute.
const ENDS: [u64; 12] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000, 15_000_000, 60_000_000];

/// Durations.
#[derive(Debug, Default)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; ENDS.len()],
    count: AtomicU64,
    microseconds: AtomicU64,
}

impl Histogram {
    /// Counts one.
    pub(crate) fn add(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some((bucket, _)) = self.buckets.iter().zip(ENDS).find(|(_, end)| micros <= *end) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(micros, Ordering::Relaxed);
    }

    /// As Prometheus reads it: every bucket counts what is in the smaller ones as well.
    pub(crate) fn write(&self, out: &mut String, name: &str, labels: &str) {
        let mut below = 0;
        let comma = if labels.is_empty() { "" } else { "," };
        for (bucket, end) in self.buckets.iter().zip(ENDS) {
            below += bucket.load(Ordering::Relaxed);
            let end = end as f64 / 1e6;
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{end}\"}} {below}");
        }
        // What is counted meanwhile must not make a bucket larger than all of them.
        let count = self.count.load(Ordering::Relaxed).max(below);
        let sum = self.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {count}");
        let _ = writeln!(out, "{name}_sum{{{labels}}} {sum}");
        let _ = writeln!(out, "{name}_count{{{labels}}} {count}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_counts_what_is_in_the_smaller_ones() {
        let histogram = Histogram::default();
        for millis in [1, 2, 30, 3_600_000] {
            histogram.add(Duration::from_millis(millis));
        }
        let mut text = String::new();
        histogram.write(&mut text, "took_seconds", "source=\"a\"");
        for line in [
            "took_seconds_bucket{source=\"a\",le=\"0.001\"} 1",
            "took_seconds_bucket{source=\"a\",le=\"0.0025\"} 2",
            "took_seconds_bucket{source=\"a\",le=\"0.025\"} 2",
            "took_seconds_bucket{source=\"a\",le=\"60\"} 3",
            "took_seconds_bucket{source=\"a\",le=\"+Inf\"} 4",
            "took_seconds_sum{source=\"a\"} 3600.033",
            "took_seconds_count{source=\"a\"} 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
