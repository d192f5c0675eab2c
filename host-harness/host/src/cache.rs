//! Compiled code, kept between runs: a component compiles in seconds and loads in a millisecond.
//!
//! Loading compiled code is running it, so the cache is only used when nobody else can have written it: the folder belongs
//! to this user and no one else may even look into it (mode 0700), and each file belongs to this user as well. Where that
//! cannot be established (another system than Unix, a shared folder, no home), there is no cache and everything else works.
//!
//! An entry is found by the component's SHA-256 and the engine's compatibility hash, and starts with the SHA-256 of the
//! code: one that was cut off or changed is compiled anew. Entries are written beside and renamed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// So many components and engine versions are kept. A platform has a few dozen connectors, an entry has a few megabytes.
const MOST_ENTRIES: usize = 64;

const SUFFIX: &str = "cwasm";

/// Where compiled code is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum CacheFolder {
    /// The user's cache folder: `$XDG_CACHE_HOME/host-harness`, or `~/.cache/host-harness`.
    #[default]
    User,
    /// This one. It is made when it is not there; one that others may write is not used.
    At(PathBuf),
    /// Nowhere.
    Off,
}

/// A folder that was found safe.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    owner: u32,
}

impl Cache {
    /// Opens the folder; none where it is off or not safe.
    pub(crate) fn open(folder: &CacheFolder) -> Option<Self> {
        let folder = match folder {
            CacheFolder::Off => return None,
            CacheFolder::At(folder) => folder.clone(),
            CacheFolder::User => user_folder()?,
        };
        match owned_folder(&folder) {
            Ok(owner) => Some(Self { folder, owner }),
            Err(reason) => {
                tracing::warn!(folder = %folder.display(), %reason, "compiled code is not cached");
                None
            }
        }
    }

    fn path(&self, engine: &Engine, component: &[u8; 32]) -> PathBuf {
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        self.folder.join(format!("{}-{:016x}.{SUFFIX}", hex(component), hasher.finish()))
    }

    /// The compiled code of the component with this hash, if it is there and whole.
    pub(crate) fn load(&self, engine: &Engine, component: &[u8; 32]) -> Option<Component> {
        let path = self.path(engine, component);
        let bytes = self.read(&path).ok()?;
        let (digest, code) = bytes.split_first_chunk::<32>()?;
        if <[u8; 32]>::from(Sha256::digest(code)) != *digest {
            tracing::warn!(path = %path.display(), "cached code is damaged and will be compiled anew");
            return None;
        }
        #[expect(unsafe_code, reason = "wasmtime has no safe way to load compiled code")]
        // SAFETY: `deserialize` needs bytes that `precompile_component` made and nobody changed. They come from a file of
        // this user in a folder of this user that nobody else may write, both checked, and carry their digest; wasmtime
        // itself checks that the engine's version and settings are the same.
        let loaded = unsafe { Component::deserialize(engine, code) };
        loaded.inspect_err(|error| tracing::warn!(path = %path.display(), %error, "cached code does not load")).ok()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut file = fs::File::open(path)?;
        check_owner(&file.metadata()?, self.owner)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Keeps compiled code. A failure costs the next start some time and nothing else.
    pub(crate) fn store(&self, engine: &Engine, component: &[u8; 32], code: &[u8]) {
        let path = self.path(engine, component);
        let kept = (|| {
            let mut file = tempfile::Builder::new().suffix(".tmp").tempfile_in(&self.folder)?;
            file.write_all(&Sha256::digest(code))?;
            file.write_all(code)?;
            file.persist(&path).map_err(|error| error.error)?;
            self.evict()
        })();
        if let Err(error) = kept {
            tracing::warn!(path = %path.display(), %error, "compiled code was not cached");
        }
    }

    /// Removes the oldest entries over the limit.
    fn evict(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == SUFFIX) {
                entries.push((fs::metadata(&path)?.modified()?, path));
            }
        }
        entries.sort();
        let surplus = entries.len().saturating_sub(MOST_ENTRIES);
        entries.iter().take(surplus).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn user_folder() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(caches.join("host-harness"))
}

/// Makes the folder if needed, and returns its owner when that is this user and nobody else may enter.
#[cfg(unix)]
fn owned_folder(folder: &Path) -> io::Result<u32> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

    if let Some(parent) = folder.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let user = rustix::process::geteuid().as_raw();
    // A link would lead to a folder that was not looked at.
    let found = fs::symlink_metadata(folder)?;
    if !found.is_dir() {
        return Err(io::Error::other("it is not a folder"));
    }
    if found.uid() != user {
        return Err(io::Error::other("it belongs to another user"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        return Err(io::Error::other("others may enter it: its mode must be 0700"));
    }
    Ok(user)
}

#[cfg(unix)]
fn check_owner(found: &fs::Metadata, owner: u32) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;

    if found.uid() != owner || found.mode() & 0o022 != 0 || !found.is_file() {
        return Err(io::Error::other("it is not this user's own file"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn owned_folder(_: &Path) -> io::Result<u32> {
    Err(io::Error::other("who may write it cannot be established on this system"))
}

#[cfg(not(unix))]
fn check_owner(_: &fs::Metadata, _: u32) -> io::Result<()> {
    Err(io::Error::other("who may write it cannot be established on this system"))
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_folder_that_others_may_enter_is_not_used() {
        let outer = tempfile::tempdir().unwrap();
        for (mode, used) in [(0o700, true), (0o710, false), (0o750, false), (0o777, false), (0o702, false)] {
            let folder = outer.path().join(format!("{mode:o}"));
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Cache::open(&CacheFolder::At(folder)).is_some(), used, "{mode:o}");
        }
    }

    #[test]
    fn a_link_or_a_file_is_not_used() {
        let outer = tempfile::tempdir().unwrap();
        let (real, link, file) = (outer.path().join("real"), outer.path().join("link"), outer.path().join("file"));
        fs::create_dir(&real).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o700)).unwrap();
        symlink(&real, &link).unwrap();
        fs::write(&file, b"").unwrap();
        assert!(Cache::open(&CacheFolder::At(real)).is_some());
        assert!(Cache::open(&CacheFolder::At(link)).is_none());
        assert!(Cache::open(&CacheFolder::At(file)).is_none());
        assert!(Cache::open(&CacheFolder::Off).is_none());
    }

    #[test]
    fn a_folder_is_made_for_this_user_only() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("a/b");
        assert!(Cache::open(&CacheFolder::At(folder.clone())).is_some());
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
