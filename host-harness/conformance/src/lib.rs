//! Checks any component that claims the contract `automation:connector`, whatever service it is for.
//!
//! [`examine`] loads it with its manifest, calls what needs no service, gives it input that is wrong, and a service that
//! never answers, and says what it found: a [`Report`], readable ([`std::fmt::Display`]) and as JSON (serde). Nothing
//! leaves this machine: what a component may reach is nothing, or a silent port on loopback.
//!
//! What lives here: one file a promise of the contract in `checks`, what they share in `subject` (the component, with a
//! connection whose secrets are planted), and the report. What does not: anything of one connector, and anything that needs
//! a real service; a platform tries that with real credentials. Arrows point one way: `report`, `subject` → `checks` → here.

mod checks;
mod report;
mod subject;

use host::{Host, Manifest};

pub use report::{Check, Report, Verdict};

use crate::report::Findings;
use crate::subject::Subject;

/// Examines a component. A component that cannot be loaded has a report as well: why not.
pub async fn examine(host: &Host, component: &[u8], manifest: &Manifest) -> Report {
    let title = format!("{} {}", manifest.id, manifest.version);
    let mut checks = Vec::new();
    let mut loading = Findings::default();
    let subject = match Subject::load(host, component, manifest) {
        Ok(subject) => {
            loading.held();
            Some(subject)
        }
        Err(error) => {
            loading.broken(error);
            None
        }
    };
    checks.push(loading.named("loads", "it is a component of the world, and imports what its manifest declares"));
    let Some(subject) = subject else { return Report { title, checks } };
    checks.push(checks::connection::form(&subject).await);
    let (listed, catalogue) = checks::operations::list(&subject).await;
    checks.push(listed);
    checks.push(checks::operations::pages(&subject).await);
    let (described, operations) = checks::schemas::describe(&subject, &catalogue).await;
    checks.push(described);
    checks.push(checks::schemas::valid(&operations));
    checks.push(checks::schemas::samples(&operations));
    let (resources, names) = checks::resources::list(&subject).await;
    checks.push(resources);
    checks.push(checks::triggers::samples(&subject, &catalogue, &names).await);
    checks.push(checks::triggers::forged(&subject).await);
    checks.push(checks::inputs::unknown(&subject).await);
    checks.push(checks::inputs::refused(&subject, &operations).await);
    checks.push(checks::deadlines::kept(host, component, &subject, &operations).await);
    // What was said in all of them.
    checks.push(subject.secrets());
    Report { title, checks }
}
