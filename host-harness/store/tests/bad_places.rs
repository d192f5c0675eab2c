//! Files that are none, are damaged, are gone, or have no room around them.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used, reason = "a test may stop")]

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use store::{Arrival, Error, Moment, Place, Store, Via};

fn event(id: &str, length: usize) -> Arrival {
    Arrival {
        source: "/shop".to_owned(),
        event_id: id.to_owned(),
        event_type: "customer.created".to_owned(),
        occurred_at: Moment::default(),
        object: None,
        via: Via::Webhook,
        body: "x".repeat(length),
        triggers: vec!["a".to_owned()],
    }
}

async fn open(path: &Path) -> Result<Arc<dyn Store>, Error> {
    store::open(&Place::parse(path.to_str().unwrap()).unwrap()).await
}

#[tokio::test]
async fn a_file_that_is_none_of_ours_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    let text = "these are my notes, and no database\n".repeat(100);
    std::fs::write(&path, &text).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(&error, Error::Damaged(said) if said.contains("notes.txt")), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[tokio::test]
async fn a_folder_and_a_missing_folder_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().to_owned(), folder.path().join("none").join("events.db")] {
        let error = open(&path).await.unwrap_err();
        assert!(matches!(&error, Error::Denied(said) if said.contains(path.to_str().unwrap())), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_said_to_be_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let store = open(&path).await.unwrap();
    store.take((0..500).map(|n| event(&format!("evt_{n}"), 3000)).collect(), Moment::now()).await.unwrap();
    drop(store);
    // The journal is written into the file by whoever opens it next.
    drop(rusqlite::Connection::open(&path).unwrap().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(8192)).unwrap();
    file.write_all(&vec![0xa5; 400_000]).unwrap();
    let looked = async {
        let store = open(&path).await?;
        store.counts(None).await?;
        store
            .claim(
                &store::Lease { worker: String::new(), length: Default::default(), sources: Vec::new() },
                9999,
                Moment::now(),
            )
            .await?;
        store.take((0..500).map(|n| event(&format!("evt_{n}"), 3000)).collect(), Moment::now()).await
    };
    let error = looked.await.unwrap_err();
    assert!(matches!(error, Error::Damaged(_)), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_stored() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let store = open(&path).await.unwrap();
    store.take(vec![event("evt_1", 10)], Moment::now()).await.unwrap();
    for name in ["events.db", "events.db-wal"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_deleted_or_replaced_takes_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.db");
    let store = open(&path).await.unwrap();
    store.take(vec![event("evt_1", 10)], Moment::now()).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    let error = store.take(vec![event("evt_2", 10)], Moment::now()).await.unwrap_err();
    assert!(matches!(&error, Error::Denied(said) if said.contains("removed")), "{error}");
    assert!(store.ready().await.is_err());
}

/// A disk of its own that is small, where the machine lets us make one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_said_and_nothing_that_was_taken_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |program: &str, arguments: &[&str]| {
        let mut command = std::process::Command::new(program);
        command
            .args(arguments)
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
    };
    if !mount("mount", &["-t", "tmpfs", "-o", "size=4m", "tmpfs"]) {
        eprintln!("*** NOT TESTED: a full disk; this account may not mount one ***");
        return;
    }
    let path = folder.path().join("events.db");
    let store = open(&path).await.unwrap();
    let mut taken = Vec::new();
    let full = loop {
        let id = format!("evt_{}", taken.len());
        match store.take(vec![event(&id, 50_000)], Moment::now()).await {
            Ok(_) => taken.push(id),
            Err(error) => break error,
        }
        assert!(taken.len() < 1000);
    };
    assert!(matches!(full, Error::Full(_)), "{full}");
    assert!(full.is_passing());
    // Each of those is there, and when there is room again it goes on.
    assert_eq!(store.counts(None).await.unwrap().events, taken.len() as u64);
    assert!(mount("mount", &["-o", "remount,size=16m"]));
    store.take(vec![event("evt_again", 50_000)], Moment::now()).await.unwrap();
    drop(store);
    let store = open(&path).await.unwrap();
    assert_eq!(store.counts(None).await.unwrap().events, taken.len() as u64 + 1);
    drop(store);
    mount("umount", &["-l"]);
}

#[test]
fn addresses_are_read_and_refused() {
    for (text, shown) in
        [("events.db", "sqlite:events.db"), ("sqlite:a/b.db", "sqlite:a/b.db"), ("sqlite:///a/b", "sqlite:/a/b")]
    {
        assert_eq!(Place::parse(text).unwrap().to_string(), shown);
    }
    for text in ["", "sqlite:", "mysql://shop:hunter2@host/db", ":memory:", "sqlite::memory:"] {
        let error = Place::parse(text).unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{text}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
