//! From what was asked for to a source that can be served: its connection, its subscription, its handler.

use std::net::SocketAddr;
use std::sync::Arc;

use guard::Guarded;
use host::contract::{DescribeRequest, OperationKind, Outcome, SubscriptionState, TriggerUse};
use host::{Manifest, Secret};
use inbox::{CatchUp, Expected, Handler, PATH, Source};

use crate::cli::commands::lines::triggers;
use crate::cli::commands::serve::forwarded::{Plan, WEBHOOK_SECRET};
use crate::cli::commands::serve::renewal::Renewal;
use crate::cli::commands::serve::spec::{ForwardSpec, Spec};
use crate::cli::commands::subscribe::{self, subscribe};
use crate::cli::failure::{Failure, Untold};
use crate::cli::handlers::forward::Forward;
use crate::cli::handlers::target::Target;
use crate::cli::listen::Listening;
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::guarding;
use crate::cli::setup::loading::Loader;
use crate::cli::setup::state_file::StateFile;
use crate::cli::setup::stopping::LastWords;
use crate::cli::terminal::Terminal;

/// A source as this command serves it.
pub struct Served {
    pub spec: Spec,
    pub link: Link,
    pub connector: Guarded,
    pub expected: Expected,
    pub renewal: Renewal,
    /// Where the service delivers, where we made it.
    pub url: Option<String>,
    /// What brings the deliveries, if not the service itself.
    pub listening: Option<Listening>,
}

impl Served {
    /// Connects, and subscribes where that was asked for.
    pub async fn begin(
        spec: Spec,
        options: &Options,
        terminal: &mut Terminal,
        manifest: &Manifest,
        loader: &Loader<'_>,
        address: SocketAddr,
    ) -> Result<Self, Failure> {
        let mut options = options.clone();
        options.production |= spec.production;
        options.connection = spec.connection.clone().or(options.connection);
        let file = spec.state_file.as_deref().map(|path| StateFile::new(path, &manifest.id));
        let kept = match &file {
            Some(file) if !spec.subscribe => Some(file.existing(terminal)?),
            _ => None,
        };
        let mut link = match spec.subscribe {
            true => Link::open(&options, terminal, manifest).await?,
            // To check a signature needs no key.
            false => Link::given(&options, terminal, manifest)?,
        };
        let plan = match spec.subscribe || kept.is_some() {
            true => None,
            false => Plan::wanted(terminal, spec.listen, &link, manifest)?,
        };
        let connector = guarding::behind(&options, terminal, &link, loader.load(&link.grants)?).await?;
        known(&connector, &spec.triggers).await?;
        let listening = match plan {
            Some(plan) => Some(plan.begin(terminal, &mut link, manifest, address, &spec.name).await?),
            None => None,
        };
        let mut renewal = Renewal::default();
        let (mut url, mut state) = (None, kept.map(|kept| kept.state));
        if spec.subscribe {
            let own = spec.url.clone().unwrap_or_else(|| format!("http://{address}{PATH}/{}", spec.name));
            let wanted = triggers(&connector, &spec.triggers).await?;
            let (made, _) = subscribe(terminal, &connector, &link, &own, wanted, file.as_ref()).await?;
            renewal.due(&made);
            state = Some(made.state);
            url = Some(own);
        }
        let expected = Expected::of(state, spec.triggers.clone());
        Ok(Self { spec, link, connector, expected, renewal, url, listening })
    }

    /// Where its events go, as it is shown; nowhere but here, where they are printed.
    pub fn place(&self) -> Result<Option<String>, Failure> {
        let target = |spec: &ForwardSpec| Target::new(&spec.url, spec.unencrypted).map(|target| target.to_string());
        self.spec.forward.as_ref().map(target).transpose()
    }

    /// The source, with what is done with its events.
    pub async fn source(&self, manifest: &Manifest, print: Arc<dyn Handler>) -> Result<Source, Failure> {
        let Self { spec, link, connector, expected, .. } = self;
        let handler = match &spec.forward {
            Some(forward) => Arc::new(forwarding(forward)?),
            None => print,
        };
        let catch_up = match spec.catch_up.filter(|_| link.can_call(manifest)) {
            Some(every) => Some(CatchUp { uses: self.uses().await?, every }),
            None => None,
        };
        Ok(Source {
            name: spec.name.clone(),
            connector: connector.clone(),
            connection: link.connection.clone(),
            expected: expected.clone(),
            handler,
            ordered: spec.ordered,
            catch_up,
        })
    }

    /// What brings the deliveries signs them with another secret from now on.
    pub fn check_with(&self, manifest: &Manifest, secret: &Secret) -> Result<(), Failure> {
        self.expected.check_with(self.link.with(manifest, WEBHOOK_SECRET, secret.expose().to_owned())?);
        Ok(())
    }

    async fn uses(&self) -> Result<Vec<TriggerUse>, Failure> {
        triggers(&self.connector, &self.spec.triggers).await
    }

    /// Whether its subscription ends with this process.
    fn is_for_now(&self) -> bool {
        self.spec.subscribe && self.spec.state_file.is_none()
    }

    /// What is to be said should the process end at once.
    pub fn last_words(&self, terminal: &Terminal) -> Option<LastWords> {
        let url = self.url.as_deref().filter(|_| self.is_for_now())?;
        let hint = "Subscribe to the URL with --state-file, and unsubscribe, to end it.";
        let message = format!("stopped at once: the service still delivers to {url}");
        let left = Failure::from(Untold::new(message, Outcome::Committed).hint(hint));
        Some(LastWords::new(left.text(terminal.json), Some(left.status())))
    }

    /// Ends `stripe listen`, and a subscription that was made for as long as this runs: of the triggers that were named, since the URL may have
    /// had others before.
    pub async fn end(&mut self, terminal: &mut Terminal) -> Result<(), Failure> {
        if let Some(listening) = self.listening.take() {
            listening.stop().await;
        }
        let Some(state) = self.expected.state().filter(|_| self.is_for_now()) else { return Ok(()) };
        self.unsubscribe(terminal, &state).await
    }

    async fn unsubscribe(&self, terminal: &mut Terminal, state: &SubscriptionState) -> Result<(), Failure> {
        let named: Vec<String> = self.spec.triggers.iter().map(|named| named.trigger.clone()).collect();
        let named = (!named.is_empty()).then_some(named);
        subscribe::end(terminal, &self.connector, &self.link, state, named).await.map(drop)
    }
}

/// Whether the triggers that were named exist: a mistyped one would be found out by the first delivery.
async fn known(connector: &Guarded, named: &[TriggerUse]) -> Result<(), Failure> {
    // A pattern stands for many.
    for TriggerUse { trigger, .. } in named.iter().filter(|named| !named.trigger.contains('*')) {
        connector.describe_operation(DescribeRequest::shown(trigger).of_kind(OperationKind::Trigger)).await?;
    }
    Ok(())
}

fn forwarding(spec: &ForwardSpec) -> Result<Forward, Failure> {
    let target = Target::new(&spec.url, spec.unencrypted)?;
    let authorization = match &spec.authorization {
        None => None,
        Some(name) => {
            let value = std::env::var(name).ok().filter(|value| !value.trim().is_empty());
            Some(value.ok_or_else(|| {
                Failure::usage(format!("the variable {name} is not set: it is the Authorization to forward with"))
            })?)
        }
    };
    Forward::new(target, authorization.as_deref())
}
