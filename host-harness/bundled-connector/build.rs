//! Builds the connector component, so that `cargo run` and `cargo test` need no other step.
//!
//! The nested cargo gets a target directory of its own: in the outer one it would wait for the lock that the outer
//! cargo holds while it waits for this script.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";
/// The workspace's profile for the component as it ships.
const PROFILE: &str = "component";
const ADD_TARGET: &str = "rustup target add wasm32-wasip2";

/// What the outer cargo (or clippy, or a coverage tool) sets for its own target and must not reach the component's build.
const NOT_INHERITED: &[&str] = &[
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

fn main() {
    let root = workspace_root();
    println!("cargo::rerun-if-env-changed=CONNECTOR_WASM");
    println!("cargo::rerun-if-changed=build.rs");
    let manifest = root.join("manifest.toml");
    println!("cargo::rerun-if-changed={}", manifest.display());
    println!("cargo::rustc-env=BUNDLED_CONNECTOR_MANIFEST={}", manifest.display());

    let component = match env::var_os("CONNECTOR_WASM").filter(|path| !path.is_empty()) {
        Some(path) => {
            let path = root.join(path);
            println!("cargo::rerun-if-changed={}", path.display());
            if !path.is_file() {
                fail(&format!("CONNECTOR_WASM names {}, which is not a file", path.display()));
            }
            path
        }
        None => {
            watch(&root);
            let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
            ensure_target(&rustc, &root);
            build(&root)
        }
    };
    println!("cargo::rustc-env=BUNDLED_CONNECTOR_WASM={}", component.display());
}

fn workspace_root() -> PathBuf {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    match here.ancestors().nth(2) {
        Some(root) => root.to_path_buf(),
        None => fail("bundled-connector is not where the workspace keeps it: host-harness/bundled-connector"),
    }
}

/// Everything that the component is made from.
fn watch(root: &Path) {
    let single = [
        "Cargo.toml",
        "Cargo.lock",
        "build.rs",
        "build/Cargo.toml",
        "facts/Cargo.toml",
        "json/Cargo.toml",
        "rust-toolchain.toml",
        "table/Cargo.toml",
    ];
    let folders = ["src", "build/src", "catalogue", "wit", "facts/src", "json/src", "table/src"];
    for path in single.iter().chain(&folders).map(|name| root.join(name)).filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    for entry in fs::read_dir(root.join("facts")).into_iter().flatten().flatten() {
        if entry.path().extension() == Some(OsStr::new("facts")) {
            println!("cargo::rerun-if-changed={}", entry.path().display());
        }
    }
}

/// `rust-toolchain.toml` names the target, but where rustup may not install by itself it is still missing.
fn ensure_target(rustc: &OsStr, root: &Path) {
    if has_target(rustc) {
        return;
    }
    println!("cargo::warning=the {TARGET} target is missing, running `{ADD_TARGET}`");
    let added = Command::new("rustup").args(["target", "add", TARGET]).current_dir(root).status();
    match added {
        Ok(status) if status.success() && has_target(rustc) => {}
        Ok(_) => fail(&format!("the {TARGET} target is missing and could not be added; run this once: {ADD_TARGET}")),
        Err(error) => fail(&format!(
            "the {TARGET} target is missing and rustup could not be started ({error}); run this once: {ADD_TARGET}"
        )),
    }
}

fn has_target(rustc: &OsStr) -> bool {
    let answer = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let Ok(answer) = answer else { return false };
    let folder = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

fn build(root: &Path) -> PathBuf {
    let target_dir = target_dir();
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            // The versions that were chosen, or none: the outer build has brought the lock file up to date.
            "--locked",
            "--profile",
            PROFILE,
            "--lib",
            "--target",
            TARGET,
            "--package",
            "stripe-connector",
            "--target-dir",
        ])
        .arg(&target_dir)
        .current_dir(root);
    for name in NOT_INHERITED {
        command.env_remove(name);
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", without_folders(root));
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => fail(&format!("the connector does not build:\n{}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => fail(&format!("cargo could not be started to build the connector: {error}")),
    }
    let built = target_dir.join(TARGET).join(PROFILE).join("stripe_connector.wasm");
    // A copy, so that the bytes that this build included stay what they were when another profile builds at once.
    let kept = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("stripe_connector.wasm");
    let copied = fs::read(&built).and_then(|component| fs::write(&kept, without_names(&component)));
    if let Err(error) = copied {
        fail(&format!("the connector was built, but {} cannot be copied: {error}", built.display()));
    }
    kept
}

/// The component without its custom sections, which carry names for debuggers and nothing that runs. The toolchain strips
/// those of the modules within and leaves the component's own. What is not understood is left as it is.
fn without_names(component: &[u8]) -> Vec<u8> {
    const HEAD: usize = 8;
    const CUSTOM: u8 = 0;
    let mut kept = component.get(..HEAD).unwrap_or(component).to_vec();
    let mut rest = component.get(HEAD..).unwrap_or_default();
    while let Some((section, length)) = section(rest) {
        let (this, after) = rest.split_at(length);
        if section != CUSTOM {
            kept.extend_from_slice(this);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// The first section: its id, and its length with its head.
fn section(bytes: &[u8]) -> Option<(u8, usize)> {
    let (id, rest) = bytes.split_first()?;
    let (mut size, mut head) = (0, 1);
    for (position, byte) in rest.iter().take(5).enumerate() {
        size |= usize::from(byte & 0x7f) << (7 * position);
        head += 1;
        if byte & 0x80 == 0 {
            return (bytes.len() >= head + size).then_some((*id, head + size));
        }
    }
    None
}

/// Flags that keep the folders of this machine out of the component's panic messages: the same source gives the same
/// bytes everywhere, and they tell nothing about who built them.
fn without_folders(root: &Path) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let mut prefixes = vec![(root.to_path_buf(), "connector")];
    for index in home.into_iter().flat_map(|home| fs::read_dir(home.join("registry/src"))).flatten().flatten() {
        prefixes.push((index.path(), "crates"));
    }
    let flags = prefixes.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    flags.collect::<Vec<_>>().join("\x1f")
}

/// `<target>/connector`, shared by all profiles of the outer build. `OUT_DIR` is `<target>[/<triple>]/<profile>/build/<package>/out`.
fn target_dir() -> PathBuf {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let outer = out.ancestors().skip(4).take(2).find(|folder| folder.join("CACHEDIR.TAG").exists());
    outer.unwrap_or(&out).join("connector")
}

fn fail(message: &str) -> ! {
    eprintln!("error: {message}");
    exit(1)
}
