//! How many files, and so connections, this process may have open.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::listen::Bounds;

/// What a process needs beside its connections: the three streams, the cache, the connector's own connections.
const OTHERS: u64 = 64;

/// So many are of use; a limit without an end is not.
const MOST: u64 = 65_536;

/// Raises the soft limit as far as the hard one goes, and fits the bounds into what there is. What is said where that is
/// less than they ask for.
#[cfg(unix)]
pub fn fit(bounds: &mut Bounds) -> Option<String> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(MOST).min(MOST);
    let raised = current.is_some_and(|current| current < wanted)
        && setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok();
    let open = if raised { wanted } else { current.unwrap_or(MOST) };
    within(bounds, open)
}

/// Elsewhere files have no such limit.
#[cfg(not(unix))]
pub fn fit(bounds: &mut Bounds) -> Option<String> {
    within(bounds, MOST)
}

/// The bounds within so many open files.
fn within(bounds: &mut Bounds, open: u64) -> Option<String> {
    let room = usize::try_from(open.saturating_sub(OTHERS)).unwrap_or(usize::MAX).max(1);
    if room >= bounds.connections {
        return None;
    }
    bounds.connections = room;
    Some(format!("{open} open files are allowed (ulimit -n): at most {room} connections at once"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_mean_few_connections_and_are_told() {
        let mut bounds = Bounds::default();
        assert_eq!(within(&mut bounds, 4096), None);
        let said = within(&mut bounds, 200).unwrap();
        assert!(bounds.connections == 136 && said.contains("200 open files") && said.contains("136"), "{said}");
        within(&mut bounds, 3);
        assert_eq!(bounds.connections, 1);
    }
}
