//! What a call may use: the manifest asks, the operator caps.

use std::time::Duration;

use serde::Serialize;

use crate::manifest::Limits;

/// A limit of the manifest that the operator's own is under. The smaller one holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Cap {
    /// The manifest's key: `limits.cpu_ms`.
    pub limit: &'static str,
    /// What the manifest asks for, in the key's unit.
    pub asked: u64,
    /// What the operator gives.
    pub given: u64,
}

/// Of each limit the smaller one, and which of the manifest's were over the operator's.
pub(crate) fn capped(asked: &Limits, most: &Limits) -> (Limits, Vec<Cap>) {
    let mut caps = Vec::new();
    let mut note = |limit: &'static str, asked: u64, given: u64| {
        if asked > given {
            caps.push(Cap { limit, asked, given });
        }
    };
    let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let bytes = |size: usize, shift: u32| (size as u64) >> shift;
    note("limits.memory_mib", bytes(asked.memory, 20), bytes(most.memory, 20));
    note("limits.cpu_ms", milliseconds(asked.cpu), milliseconds(most.cpu));
    note("limits.call_timeout_ms", milliseconds(asked.call_timeout), milliseconds(most.call_timeout));
    note("limits.first_byte_timeout_ms", milliseconds(asked.first_byte_timeout), milliseconds(most.first_byte_timeout));
    let (pause, longest) = (asked.between_bytes_timeout, most.between_bytes_timeout);
    note("limits.between_bytes_timeout_ms", milliseconds(pause), milliseconds(longest));
    note("limits.response_mib", asked.response >> 20, most.response >> 20);
    note("limits.input_kib", bytes(asked.input, 10), bytes(most.input, 10));
    note("limits.file_mib", asked.file.unwrap_or(0) >> 20, most.file.unwrap_or(0) >> 20);
    let limits = Limits {
        memory: asked.memory.min(most.memory),
        cpu: asked.cpu.min(most.cpu),
        call_timeout: asked.call_timeout.min(most.call_timeout),
        first_byte_timeout: asked.first_byte_timeout.min(most.first_byte_timeout),
        between_bytes_timeout: asked.between_bytes_timeout.min(most.between_bytes_timeout),
        response: asked.response.min(most.response),
        input: asked.input.min(most.input),
        file: asked.file.map(|asked| most.file.map_or(0, |most| asked.min(most))),
    };
    (limits, caps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(time: u64, size: usize) -> Limits {
        let time = Duration::from_millis(time);
        Limits {
            memory: size << 20,
            cpu: time,
            call_timeout: time,
            first_byte_timeout: time,
            between_bytes_timeout: time,
            response: (size as u64) << 20,
            input: size << 10,
            file: Some((size as u64) << 20),
        }
    }

    #[test]
    fn the_smaller_of_each_holds_and_every_cap_is_named() {
        let (small, large) = (limits(10, 1), limits(1_000, 64));
        assert_eq!(capped(&small, &large), (small.clone(), Vec::new()));
        let (applied, caps) = capped(&large, &small);
        assert_eq!(applied, small);
        let named: Vec<_> = caps.iter().map(|cap| (cap.limit, cap.asked, cap.given)).collect();
        let expected = [
            ("limits.memory_mib", 64, 1),
            ("limits.cpu_ms", 1_000, 10),
            ("limits.call_timeout_ms", 1_000, 10),
            ("limits.first_byte_timeout_ms", 1_000, 10),
            ("limits.between_bytes_timeout_ms", 1_000, 10),
            ("limits.response_mib", 64, 1),
            ("limits.input_kib", 64, 1),
            ("limits.file_mib", 64, 1),
        ];
        assert_eq!(named, expected);
    }
}
