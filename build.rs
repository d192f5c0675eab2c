//! Writes what the connector knows: see the package `catalogue-build` in `build/`.

use std::process::ExitCode;

fn main() -> ExitCode {
    catalogue_build::run()
}
