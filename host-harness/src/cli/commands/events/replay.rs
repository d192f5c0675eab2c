//! `events replay`.

use serde_json::json;
use store::{Moment, Replay, Replayed, RunKey, Store};

use super::words::events_of;
use crate::cli::failure::Failure;
use crate::cli::terminal::{Terminal, one_line};

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["id", "dead"])))]
pub struct Arguments {
    /// The event's id, or a run's key
    id: Option<String>,
    /// All dead letters
    #[arg(long)]
    dead: bool,
    /// Only of this source
    #[arg(long)]
    source: Option<String>,
}

pub async fn run(terminal: &mut Terminal, store: &dyn Store, arguments: &Arguments) -> Result<(), Failure> {
    let source = arguments.source.as_deref();
    let what = match arguments.id.as_deref() {
        None => vec![Replay::Dead { source: source.map(str::to_owned) }],
        Some(run) if run.starts_with("run_") => vec![Replay::Run(RunKey::from_text(run))],
        Some(id) => {
            let found = events_of(store, id, source).await?;
            if found.len() > 1 {
                return Err(Failure::usage(format!("{} sources have an event {}", found.len(), one_line(id)))
                    .hint("Name one with --source."));
            }
            found.into_iter().map(|event| Replay::Event(event.key)).collect()
        }
    };
    let mut replayed = Vec::new();
    for one in &what {
        replayed.extend(store.replay(one, Moment::now()).await?);
    }
    if let (Some(id), true) = (&arguments.id, replayed.is_empty()) {
        return Err(Failure::usage(format!("the store has no run of {}", one_line(id))));
    }
    for one in &replayed {
        show(terminal, one)?;
    }
    if replayed.is_empty() && !terminal.json {
        terminal.note("there is no dead letter");
    }
    Ok(())
}

fn show(terminal: &mut Terminal, replayed: &Replayed) -> Result<(), Failure> {
    let (run, result, text) = match replayed {
        Replayed::Revived(key) => (key, "revived", format!("{key} was dead, and waits again")),
        Replayed::Further { of, key } => (key, "further", format!("{of} was done; {key} does it once more")),
        Replayed::Unfinished(key) => (key, "unfinished", format!("{key} waits or runs already")),
    };
    let shown = match terminal.json {
        true => terminal.json_line(&json!({ "run": run.as_str(), "result": result })),
        false => terminal.line(one_line(&text)),
    };
    Ok(shown?)
}
