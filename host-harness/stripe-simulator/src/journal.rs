//! What was asked: the newest requests in order of arrival, for tests and for people to look at.
//!
//! Credentials never get in here. Nothing in the simulator reads the journal to decide anything.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// One request that reached the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRequest {
    /// When it arrived, in Unix seconds.
    pub time: i64,
    /// The HTTP method, upper case.
    pub method: String,
    /// The path as it was sent, without the query.
    pub path: String,
    /// The query as it was sent, without `?`.
    pub query: String,
    /// The body as it was sent; bytes that are not UTF-8 are replaced.
    pub body: String,
    /// Header names (lower case) and values in the order that they came, without `authorization`.
    pub headers: Vec<(String, String)>,
    /// The status of the answer; 0 while there is none.
    pub status: u16,
    /// The id that the answer carries in `Request-Id`.
    pub request_id: String,
}

impl RecordedRequest {
    /// The first value of a header; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

#[derive(Debug)]
pub(crate) struct Journal {
    entries: Mutex<Entries>,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Entries {
    /// The number of the oldest request that is kept.
    first: u64,
    kept: VecDeque<RecordedRequest>,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    /// Notes a request as it arrives; the number is for [`Self::answered`].
    pub(crate) fn arrived(&self, request: RecordedRequest) -> u64 {
        let mut entries = self.lock();
        entries.kept.push_back(request);
        let number = entries.first + entries.kept.len() as u64 - 1;
        while entries.kept.len() > self.capacity {
            entries.kept.pop_front();
            entries.first += 1;
        }
        number
    }

    pub(crate) fn answered(&self, number: u64, status: u16) {
        let mut entries = self.lock();
        let index = number.checked_sub(entries.first).and_then(|i| usize::try_from(i).ok());
        if let Some(request) = index.and_then(|i| entries.kept.get_mut(i)) {
            request.status = status;
        }
    }

    pub(crate) fn all(&self) -> Vec<RecordedRequest> {
        self.lock().kept.iter().cloned().collect()
    }

    /// The newest requests, newest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<RecordedRequest> {
        self.lock().kept.iter().rev().take(count).cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut entries = self.lock();
        entries.first += entries.kept.len() as u64;
        entries.kept.clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
