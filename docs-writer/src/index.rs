//! The first page: by task, by resource, and the words that the others use.

use std::fmt::Write;

use stripe_connector::{catalogue, triggers};

use crate::markdown::{code, table, text};
use crate::place::{Page, WHOLE_API};
use crate::problem::Problem;
use crate::tasks::{Task, Topic};
use crate::{field, operation, resource};

/// The words of the column `type`, and what each means.
const WORDS: [(&str, &str); 7] = [
    (
        "amount",
        "A whole number in the currency's smallest unit, `1099`, or `{\"decimal\": \"10.99\", \"currency\": \"usd\"}`",
    ),
    ("time", "Seconds since 1970, or a date with time and zone, `2026-01-31T09:00:00Z`"),
    ("decimal", "A number written as text, `\"0.05\"`, where a fraction would not survive"),
    ("currency", "Three letters, `usd`"),
    ("id of: …", "An id; a platform shows a drop-down"),
    (
        "object, list",
        "As in JSON; `items[].price` is a field of each entry of the list `items`, `options.*.label` one of each name of your own",
    ),
    ("file", "Bytes with a name and a type, beside the JSON"),
];

/// The first page.
pub fn page(topics: &[Topic]) -> Result<String, Problem> {
    let all = catalogue::table()?;
    let mut out = resource::notice("docs/tasks.toml and catalogue/");
    let _ = write!(
        out,
        "# What the connector can do\n\n{} actions and queries and {} triggers, with names, checks and samples of their own, and \
         [everything else of Stripe's API]({WHOLE_API}). What stands here is what the connector tells a platform; version {} of the API.\n\n\
         - [By task](#by-task)\n- [By resource](#by-resource)\n- [How to read the pages](#how-to-read-the-pages)\n\n## By task\n\n",
        all.operations().len(),
        all.triggers().len(),
        code(catalogue::API_VERSION),
    );
    for topic in topics {
        let _ = write!(out, "### {}\n\n", text(&topic.title));
        out.push_str(&table(["to …", "run, or wait for"], topic.tasks.iter().map(row)));
        out.push('\n');
    }
    out.push_str("## By resource\n\n");
    let lines = all.resources().iter().map(resource::line).collect::<Result<Vec<_>, _>>()?;
    out.push_str(&table(["resource", "to the platform", "ids", "operations", "triggers"], lines));
    out.push_str(
        "\n## How to read the pages\n\nAn operation runs by its id: `harness call refund.create --input '{…}'`. Its other names mean the same. \
         Only the fields that a form shows first have a row; the others are named below, `expand` aside, which nearly all take; `harness describe ID --full` tells them all. \
         “Within it” is required where the field around it is given.\n\n",
    );
    let words = WORDS.iter().map(|(word, meaning)| [text(word), text(meaning)]);
    out.push_str(&table(["type", "what it takes"], words));
    out.push_str(
        "\nA trigger fires at one event type, and every event type of the API is one by its name, whether it stands here or not. `customer.subscription.*` is \
         every type that begins so, and `*` any event, also of a type that is not known yet. `v1.` before a type means the same, \
         and asks for thin events of it where one subscribes. What a trigger may be told, each where what it is about has such a field, \
         as a payment has them all:\n\n",
    );
    let trigger = catalogue::trigger("payment_intent.succeeded")?;
    out.push_str(&field::table(&operation::json("a trigger", &triggers::input_schema(trigger))?, Page::Top));
    Ok(out)
}

fn row(task: &Task) -> [String; 2] {
    let run: Vec<String> =
        task.run.iter().map(|entry| format!("[{}]({})", code(&entry.id()), Page::Top.to_entry(*entry))).collect();
    [text(&task.say), run.join(", ")]
}
