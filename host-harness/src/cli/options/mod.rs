//! What flags mean, whichever command takes them.
//!
//! What lives here: the flags of every command, and the values that flags are read into: lengths of time, inputs, files
//! that go in and files that come out. What does not: what one command alone takes, which is in its own file. Data flows
//! from the command line's words to checked values.

pub mod download;
pub mod input;
pub mod upload;
pub mod values;

use std::path::PathBuf;

use clap::Args;

use crate::cli::terminal::Color;

/// What every command takes.
#[derive(Args, Clone)]
#[command(next_help_heading = "Every command")]
pub struct Options {
    /// Print JSON: one document, or one line for each thing that happens
    #[arg(long, global = true)]
    pub json: bool,
    /// When to use colour; NO_COLOR is respected
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
    /// Take the connection from this file (TOML or JSON: its fields, and `environment`) and not from the environment
    #[arg(long, global = true, value_name = "FILE")]
    pub connection: Option<PathBuf>,
    /// Allow a live key: real money moves
    #[arg(long, global = true)]
    pub production: bool,
    /// Let every call pass the guard of this file (TOML); without it `harness-guard.toml` of this folder, if there is one
    #[arg(long, global = true, value_name = "FILE", env = "HARNESS_GUARD")]
    pub guard: Option<PathBuf>,
    /// Load this component in place of the one that is built in
    #[arg(long, global = true, value_name = "FILE")]
    pub component: Option<PathBuf>,
    /// Load the component with this manifest in place of the one that is built in
    #[arg(long, global = true, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Log a line for each call of the component on standard error
    #[arg(short, long, global = true)]
    pub verbose: bool,
}
