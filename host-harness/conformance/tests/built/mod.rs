//! The notes connector as a component, built once for these tests as the bundled one is built: in a target directory of
//! its own, where the outer cargo holds no lock, with the same flags, so that what both need is compiled once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::{env, fs};

/// What the outer cargo sets for its own target and must not reach the component's build.
const NOT_INHERITED: [&str; 8] = [
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTFLAGS",
];

/// Its bytes.
pub fn notes() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("connector");
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(["build", "--profile", "component", "--lib", "--target", "wasm32-wasip2"]);
        command.args(["--package", "notes-connector", "--target-dir"]).arg(&target).current_dir(root);
        for name in NOT_INHERITED {
            command.env_remove(name);
        }
        let output = command.env("CARGO_ENCODED_RUSTFLAGS", without_folders(root)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read(target.join("wasm32-wasip2/component/notes_connector.wasm")).unwrap()
    })
}

/// The flags of the bundled component's build.
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
