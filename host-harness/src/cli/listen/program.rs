//! Where the Stripe command line is, and how it is asked to listen.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use host::Secret;

/// Its name on PATH.
const NAME: &str = if cfg!(windows) { "stripe.exe" } else { "stripe" };

/// What it reads the key from. It wins over a key of a login.
const KEY: &str = "STRIPE_API_KEY";

/// Ours, which it does not need and so does not get.
const OURS: [&str; 2] = ["STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"];

/// The program, under its keeper.
#[derive(Clone)]
pub struct Program {
    begins: Vec<OsString>,
}

/// What it is asked for.
#[derive(Clone)]
pub struct Asked {
    pub key: Secret,
    /// The URL that it posts events to.
    pub forward_to: String,
    /// Where the API is, if not at Stripe.
    pub api_base: Option<String>,
}

impl Program {
    /// The one on PATH, run under the keeper that this command of ours is.
    pub fn found(keeper: &[&str]) -> Option<Self> {
        let program = on_path(env::split_paths(&env::var_os("PATH")?))?;
        let this = env::current_exe().ok()?;
        let mut begins = vec![this.into_os_string()];
        begins.extend(keeper.iter().map(OsString::from));
        begins.push(program.into_os_string());
        Some(Self { begins })
    }

    /// A stand-in, with nothing above it.
    #[cfg(test)]
    pub fn standing_in(script: &Path) -> Self {
        Self { begins: vec!["/bin/sh".into(), script.into()] }
    }

    /// How it is started. A program before 1.40 or so takes everything when nothing is named, and knows no word for it.
    pub fn command(&self, asked: &Asked, names_what: bool) -> Option<Command> {
        let (first, rest) = self.begins.split_first()?;
        let mut command = Command::new(first);
        command.args(rest).arg("listen").args(["--skip-update", "--color", "off"]);
        if names_what {
            command.arg("--all-snapshot");
        }
        // In the newest version, as a subscription of the connector's own has it, and not in the account's, which may be
        // years old.
        command.args(["--latest", "--forward-to", &asked.forward_to]);
        if let Some(base) = &asked.api_base {
            command.args(["--api-base", base]);
        }
        for name in OURS {
            command.env_remove(name);
        }
        command.env(KEY, asked.key.expose());
        Some(command)
    }
}

/// The first of the folders that has it.
fn on_path(folders: impl Iterator<Item = PathBuf>) -> Option<PathBuf> {
    // A folder without a name is the one that somebody happens to stand in.
    folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join(NAME)).find(|path| runs(path))
}

#[cfg(unix)]
fn runs(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn runs(path: &Path) -> bool {
    path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Asked {
        let key = Secret::new("sk_test_hidden".to_owned());
        Asked { key, forward_to: "http://127.0.0.1:4242/webhooks/stripe".to_owned(), api_base: None }
    }

    #[test]
    fn the_key_is_in_the_environment_and_in_no_argument() {
        let command = Program::standing_in(Path::new("script")).command(&asked(), true).unwrap();
        assert!(!command.get_args().any(|argument| argument.to_string_lossy().contains("hidden")));
        let set: Vec<_> = command.get_envs().filter_map(|(name, value)| Some((name, value?))).collect();
        assert_eq!(set, [(KEY.as_ref(), "sk_test_hidden".as_ref())]);
        assert!(command.get_envs().any(|(name, value)| name == "STRIPE_SECRET_KEY" && value.is_none()));
    }

    #[test]
    fn an_old_program_is_not_told_what_it_does_not_know() {
        let names = |names_what| {
            let command = Program::standing_in(Path::new("script")).command(&asked(), names_what).unwrap();
            command.get_args().any(|argument| argument == "--all-snapshot")
        };
        assert!(names(true) && !names(false));
    }

    #[test]
    fn only_a_file_that_can_be_run_in_a_folder_with_a_whole_path_is_the_program() {
        use std::os::unix::fs::PermissionsExt;
        let folders: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
        let paths = || [PathBuf::new(), PathBuf::from(".")].into_iter().chain(folders.iter().map(|f| f.path().into()));
        assert_eq!(on_path(paths()), None);
        std::fs::create_dir(folders[0].path().join(NAME)).unwrap();
        for folder in &folders[1..] {
            std::fs::write(folder.path().join(NAME), "").unwrap();
        }
        assert_eq!(on_path(paths()), None);
        let last = folders[2].path().join(NAME);
        std::fs::set_permissions(&last, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(on_path(paths()), Some(last));
    }
}
