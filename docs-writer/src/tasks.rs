//! What people want to do, in their words, and the operations that do it: `docs/tasks.toml`, kept by hand and held
//! against the catalogue.

use serde::Deserialize;
use stripe_connector::catalogue::{self, Entry};
use toml::Spanned;

use crate::problem::Problem;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    topic: Vec<WrittenTopic>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTopic {
    title: String,
    tasks: Vec<WrittenTask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTask {
    say: Spanned<String>,
    run: Vec<Spanned<String>>,
}

/// Tasks that belong together.
#[derive(Debug)]
pub struct Topic {
    /// What they are about.
    pub title: String,
    /// In the file's order.
    pub tasks: Vec<Task>,
}

/// What somebody wants to do.
#[derive(Debug)]
pub struct Task {
    /// In everyday words.
    pub say: String,
    /// What does it, the likeliest first.
    pub run: Vec<Entry>,
}

/// The topics of the file.
///
/// # Errors
/// What is not as it should be, with its line: an id that is none, or only another name of one; a task told twice.
pub fn parse(source: &str) -> Result<Vec<Topic>, Problem> {
    let file: File = toml::from_str(source)?;
    let mut told: Vec<String> = Vec::new();
    let mut topics = Vec::new();
    for topic in file.topic {
        let mut tasks = Vec::new();
        for task in topic.tasks {
            let wrong = |what: String| Problem::Task { line: line_of(source, &task.say), what };
            let say = task.say.get_ref();
            if told.contains(say) {
                return Err(wrong(format!("“{say}” is told twice: name all that does it in one")));
            }
            if task.run.is_empty() {
                return Err(wrong(format!("“{say}” runs nothing: name the operation that does it")));
            }
            told.push(say.clone());
            let run = task.run.iter().map(|id| entry(source, id)).collect::<Result<_, _>>()?;
            tasks.push(Task { say: say.clone(), run });
        }
        topics.push(Topic { title: topic.title, tasks });
    }
    Ok(topics)
}

fn entry(source: &str, id: &Spanned<String>) -> Result<Entry, Problem> {
    let wrong = |what: String| Problem::Task { line: line_of(source, id), what };
    let entry = catalogue::entry(id.get_ref(), None)
        .map_err(|error| wrong(format!("{}. {}", error.message, error.hint.unwrap_or_default())))?;
    if entry.id() != id.get_ref().as_str() {
        return Err(wrong(format!("`{}` is another name of `{}`: write that", id.get_ref(), entry.id())));
    }
    match entry {
        Entry::Operation(operation) if operation.entry().is_none() || operation.alias().is_some() => {
            Err(wrong(format!("`{}` has no section to point at: name an operation of the catalogue", entry.id())))
        }
        entry => Ok(entry),
    }
}

fn line_of(source: &str, text: &Spanned<String>) -> usize {
    source.get(..text.span().start).unwrap_or_default().matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(tasks: &str) -> String {
        let source = format!("[[topic]]\ntitle = \"Refunds\"\ntasks = [\n{tasks}\n]\n");
        parse(&source).expect_err("refused").to_string()
    }

    #[test]
    fn a_task_names_what_there_is() {
        let source = r#"topic = [{ title = "T", tasks = [{ say = "pay", run = ["refund.create", "api.read", "invoice.paid"] }] }]"#;
        let topics = parse(source).expect("read");
        let ids: Vec<_> = topics[0].tasks[0].run.iter().map(|entry| entry.id()).collect();
        assert_eq!(ids, ["refund.create", "api.read", "invoice.paid"]);
    }

    #[test]
    fn refuses_an_id_that_is_none_with_its_line_and_the_nearest() {
        let told = problem(r#"{ say = "refund", run = ["refund.creat"] },"#);
        assert!(told.starts_with("docs/tasks.toml:4: ") && told.contains("`refund.create`"), "{told}");
    }

    #[test]
    fn refuses_what_has_no_section() {
        assert!(problem(r#"{ say = "x", run = ["create_refund"] }"#).contains("another name of `refund.create`"));
        assert!(problem(r#"{ say = "x", run = ["v1.refunds.create"] }"#).contains("no section"));
        assert!(problem(r#"{ say = "x", run = ["stripe-create-customer"] }"#).contains("no section"));
    }

    #[test]
    fn refuses_a_task_told_twice_or_without_an_operation() {
        let told = problem("{ say = \"x\", run = [\"refund.create\"] },\n{ say = \"x\", run = [\"refund.list\"] }");
        assert!(told.starts_with("docs/tasks.toml:5: ") && told.contains("twice"), "{told}");
        assert!(problem(r#"{ say = "x", run = [] }"#).contains("runs nothing"));
        assert!(problem(r#"{ say = "x", does = [] }"#).contains("does"));
    }
}
