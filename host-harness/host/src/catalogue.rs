//! What a component says of itself, kept: a list or a form that is shown again needs no instance.
//!
//! A component has no state and these functions get nothing from outside, so what one component says once it says always;
//! it is kept by the component's hash, and outlives a reload of the same one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::contract::{
    ConnectionType, DescribeRequest, Operation, OperationKind, OperationSummary, ResourceType, SchemaDegree,
};

/// So many descriptions of one component are kept. A full one has up to 200 KiB, and a list of them is shown in parts.
const MOST_DESCRIPTIONS: usize = 64;

/// What a component offers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Catalogue {
    /// The form that a user fills in to connect.
    pub connection: ConnectionType,
    /// Its own operations, in order.
    pub operations: Vec<OperationSummary>,
    /// The kinds of object that it knows.
    pub resources: Vec<ResourceType>,
}

/// Which description is meant: operation, kind and degree.
type Key = (String, Option<&'static str>, &'static str);

/// What is kept of one component.
#[derive(Default)]
pub(crate) struct Kept {
    catalogue: Mutex<Option<Arc<Catalogue>>>,
    descriptions: Mutex<HashMap<Key, Arc<Operation>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A description that may be kept: one that depends on no input.
fn key(request: &DescribeRequest) -> Option<Key> {
    let degree = match (&request.input, &request.degree) {
        (None, SchemaDegree::Shown) => "shown",
        (None, SchemaDegree::Full) => "full",
        _ => return None,
    };
    let kind = request.kind.map(OperationKind::name);
    Some((request.id.clone(), kind, degree))
}

impl Kept {
    pub(crate) fn catalogue(&self) -> Option<Arc<Catalogue>> {
        lock(&self.catalogue).clone()
    }

    pub(crate) fn keep_catalogue(&self, catalogue: Catalogue) -> Arc<Catalogue> {
        Arc::clone(lock(&self.catalogue).get_or_insert(Arc::new(catalogue)))
    }

    pub(crate) fn description(&self, request: &DescribeRequest) -> Option<Arc<Operation>> {
        lock(&self.descriptions).get(&key(request)?).cloned()
    }

    pub(crate) fn keep_description(&self, request: &DescribeRequest, operation: Operation) -> Arc<Operation> {
        let operation = Arc::new(operation);
        if let Some(key) = key(request) {
            let mut kept = lock(&self.descriptions);
            if kept.len() >= MOST_DESCRIPTIONS {
                kept.clear();
            }
            kept.insert(key, Arc::clone(&operation));
        }
        operation
    }
}

/// What is kept of all components of a host, by their hash.
#[derive(Default)]
pub(crate) struct Catalogues {
    kept: Mutex<HashMap<String, Arc<Kept>>>,
}

impl Catalogues {
    /// So many components are remembered after they are gone; those that are loaded have what is kept of them anyhow.
    const MOST: usize = 64;

    pub(crate) fn of(&self, sha256: &str) -> Arc<Kept> {
        let mut kept = lock(&self.kept);
        if kept.len() >= Self::MOST && !kept.contains_key(sha256) {
            kept.retain(|_, kept| Arc::strong_count(kept) > 1);
        }
        Arc::clone(kept.entry(sha256.to_owned()).or_default())
    }
}
