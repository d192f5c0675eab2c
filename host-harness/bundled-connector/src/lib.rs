//! The connector component as bytes, and its manifest as text: what a binary carries so that it runs with nothing
//! beside it.
//!
//! `build.rs` builds the component from the workspace's root package, in release mode, in a target directory of its
//! own. `CONNECTOR_WASM=path` puts another component in its place. Nothing here loads or runs it: that is the host.

/// The component, as `cargo build --release --target wasm32-wasip2` wrote it or `CONNECTOR_WASM` named it.
pub static COMPONENT: &[u8] = include_bytes!(env!("BUNDLED_CONNECTOR_WASM"));

/// The text of the `manifest.toml` that the component was built with.
pub static MANIFEST: &str = include_str!(env!("BUNDLED_CONNECTOR_MANIFEST"));
