//! A component and its manifest, bound together.
//!
//! An operator reads a manifest, agrees to what it asks for, and from then on means this component with this manifest: not
//! another component under the same manifest, and not the same one that asks for more. One digest over both says which.

use bytes::Bytes;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::cache::hex;
use crate::manifest::{Manifest, ManifestError};

/// A component with its manifest.
#[derive(Clone, Debug)]
pub struct Package {
    manifest: Manifest,
    component: Bytes,
    digest: String,
}

/// Why a package cannot be used.
#[derive(Debug, Error)]
pub enum PackageError {
    /// Its manifest makes no sense.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// It is not the one that was agreed to.
    #[error(
        "the package has the digest {found} and not {expected}: its component or its manifest is another one; look at what it asks for before agreeing to it anew"
    )]
    Other {
        /// Its digest.
        found: String,
        /// The one that was agreed to.
        expected: String,
    },
}

impl Package {
    /// Puts a manifest's text and a component together.
    pub fn new(manifest: &str, component: impl Into<Bytes>) -> Result<Self, PackageError> {
        let component = component.into();
        let mut digest = Sha256::new();
        // The length keeps the end of the one from being taken for the beginning of the other.
        digest.update((manifest.len() as u64).to_le_bytes());
        digest.update(manifest);
        digest.update(&component);
        let digest = hex(&digest.finalize());
        Ok(Self { manifest: Manifest::parse(manifest)?, component, digest })
    }

    /// Puts them together where they are what was agreed to: the package of this digest.
    pub fn agreed(manifest: &str, component: impl Into<Bytes>, digest: &str) -> Result<Self, PackageError> {
        let package = Self::new(manifest, component)?;
        if package.digest.eq_ignore_ascii_case(digest) {
            return Ok(package);
        }
        Err(PackageError::Other { found: package.digest, expected: digest.to_owned() })
    }

    /// The SHA-256 of both, in hexadecimal: what to keep of a package that somebody agreed to.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What the component asks for.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The component's bytes.
    #[must_use]
    pub fn component(&self) -> &Bytes {
        &self.component
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = include_str!("../../../manifest.toml");

    #[test]
    fn only_the_same_component_with_the_same_manifest_is_agreed_to() {
        let digest = Package::new(MANIFEST, "component").unwrap().digest().to_owned();
        assert!(Package::agreed(MANIFEST, "component", &digest.to_uppercase()).is_ok());
        let more = MANIFEST.replace("memory_mib = 64", "memory_mib = 65");
        for (manifest, component) in [(MANIFEST, "another"), (more.as_str(), "component")] {
            let error = Package::agreed(manifest, component, &digest).unwrap_err();
            assert!(matches!(&error, PackageError::Other { expected, .. } if *expected == digest), "{error}");
        }
    }

    #[test]
    fn where_the_manifest_ends_is_part_of_the_digest() {
        let (shorter, longer) = (format!("{MANIFEST}\n"), format!("{MANIFEST}\n\n"));
        let one = Package::new(&shorter, "\ncomponent").unwrap();
        let other = Package::new(&longer, "component").unwrap();
        assert_ne!(one.digest(), other.digest());
    }
}
