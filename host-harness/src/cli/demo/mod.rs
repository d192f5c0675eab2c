//! `demo`: the whole road once, for people to watch, and a test of everything on it.
//!
//! The story is here, in the order in which it is told; `stage` shows it and keeps the summary; `post` is the forger's
//! HTTP client and signature, `mailbox` a receiver. Every step says what it must give, and the first that does not ends the demo with a failure.

mod mailbox;
mod post;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use guard::Guarded;
use host::contract::{
    self, ActionResult, ChoiceRequest, ErrorKind, Event, Mode, Outcome, ResourceRecord, SubscriptionRequest,
    SubscriptionState, TriggerUse,
};
use host::{Invocation, Manifest};
use inbox::Expected;
use serde_json::{Map, Value, json};
use tokio::time::timeout_at;

use self::mailbox::{Delivery, Mailbox, Receiver};
use self::stage::Stage;
use crate::cli::calling::watch;
use crate::cli::commands::inspect::compiled;
use crate::cli::commands::serve::WEBHOOK_SECRET;
use crate::cli::commands::test_connection::account;
use crate::cli::failure::{Failure, Untold};
use crate::cli::options::Options;
use crate::cli::setup::connecting::Link;
use crate::cli::setup::{guarding, loading};
use crate::cli::terminal::Terminal;
use crate::cli::wording;

/// What the demo wants to hear of.
const TRIGGERS: [&str; 5] = [
    "customer.created",
    "customer.subscription.created",
    "invoice.paid",
    "payment_intent.succeeded",
    "charge.succeeded",
];

/// How long events may take. Webhooks of a simulator are there at once; the service's list of events lags by seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often to poll: four times slower than the service's limit for one endpoint of a sandbox would allow.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// What makes a delivery too old to be taken, and more.
const OLD: u64 = 600;

#[derive(clap::Args, Default)]
pub struct Arguments {
    /// Fetch the events instead of receiving webhooks; with a real key there is no other way
    #[arg(long)]
    poll: bool,
}

pub async fn run(options: &Options, terminal: &mut Terminal, arguments: &Arguments) -> Result<(), Failure> {
    if options.production {
        return Err(
            Failure::usage("the demo makes payments: it runs with test keys only").hint("Leave out --production.")
        );
    }
    let mut stage = Stage::new(terminal);
    let told = tell(options, &mut stage, arguments).await.map_err(|failure| match failure {
        Failure::Stopped(_) => {
            let left = Untold::new("the demo was stopped", Outcome::Committed);
            left.hint("What it had made stays in the test account, a webhook endpoint perhaps among it.").into()
        }
        other => other,
    });
    stage.close(told)
}

async fn tell(options: &Options, stage: &mut Stage<'_>, arguments: &Arguments) -> Result<(), Failure> {
    let manifest = loading::manifest(options)?;
    let link = Link::open(options, stage.terminal(), &manifest).await?;
    stage.title(&format!("{} connector {}", manifest.title, manifest.version), &manifest.world.to_string())?;
    let connector = load(options, stage, &manifest, &link).await?;
    let run = Invocation::fresh()?.id.chars().rev().take(6).collect::<String>().to_lowercase();
    let by_webhook = !arguments.poll && is_this_machine(&link, &manifest);
    let mut demo = Demo { stage, manifest: &manifest, link: &link, connector: &connector, run };

    demo.connect().await?;
    let mut mail = demo.listen(by_webhook).await?;
    let sold = demo.sell().await?;
    demo.be_declined(&sold).await?;
    demo.refund(&sold).await?;
    demo.run_twice(&sold).await?;
    let event = demo.receive(&mut mail, &sold).await?;
    demo.refuse_forgeries(&mut mail, &event).await?;
    demo.tidy_up(&mail, &sold).await?;
    mail.stop().await;
    Ok(())
}

async fn load(options: &Options, stage: &mut Stage<'_>, manifest: &Manifest, link: &Link) -> Result<Guarded, Failure> {
    stage.heading("Load")?;
    stage.begin("load the component");
    let connector = guarding::load(options, stage.terminal(), manifest, link).await?;
    let facts = connector.facts();
    let size = wording::bytes(facts.size);
    stage.done("Load the component", &size, &format!("{size} of WebAssembly, {}", compiled(facts)))?;
    let mut aside = vec![("may import", format!("{}; no files, no sockets", packages(&facts.imports)))];
    for (index, rule) in connector.reach().rules().iter().enumerate() {
        let by = if rule.additional { "for this run only" } else { "by its manifest" };
        let text = format!("{:<24} {}, {by}", rule.origin.to_string(), rule.methods);
        aside.push((if index == 0 { "may reach" } else { "may also reach" }, text));
    }
    if manifest.fields.iter().any(|field| field.inject_at_egress) {
        aside.push(("the key", "stays outside: the component holds a placeholder".to_owned()));
    }
    stage.aside(&aside)?;
    Ok(connector)
}

/// `wasi: cli, http`: the packages of the imports, the contract's own types left out.
fn packages(imports: &[String]) -> String {
    let mut namespaces: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports.iter().filter(|import| !import.starts_with(contract::PACKAGE)) {
        if let Some((namespace, package)) = import.split(['/', '@']).next().and_then(|name| name.split_once(':')) {
            namespaces.entry(namespace).or_default().insert(package);
        }
    }
    let lists = namespaces
        .into_iter()
        .map(|(namespace, packages)| format!("{namespace}: {}", packages.into_iter().collect::<Vec<_>>().join(", ")));
    lists.collect::<Vec<_>>().join("; ")
}

/// Whether the service runs here, and so can deliver here.
fn is_this_machine(link: &Link, manifest: &Manifest) -> bool {
    let address = link.own_address(manifest).and_then(|address| url::Url::parse(address).ok());
    address.is_some_and(|address| match address.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    })
}

struct Demo<'a, 'terminal> {
    stage: &'a mut Stage<'terminal>,
    manifest: &'a Manifest,
    link: &'a Link,
    connector: &'a Guarded,
    /// What tells this run's objects from others in the account.
    run: String,
}

/// What was sold.
struct Sold {
    customer: ResourceRecord,
    subscription: ResourceRecord,
    payment: ResourceRecord,
}

/// Where events come in.
struct Mail {
    source: Source,
    /// A receiver of the demo's own, whose key it knows: what signs as the service does must know the key, and a
    /// subscription's is in its state, which nobody but the connector can read.
    own: Mailbox,
    secret: String,
}

/// How the service's events come.
enum Source {
    /// Delivered to a receiver of this subscription.
    Delivered(Mailbox, SubscriptionState),
    /// Fetched, where no webhook can reach, from this cursor on.
    Fetched(String),
}

impl Mail {
    async fn stop(self) {
        if let Source::Delivered(mailbox, _) = self.source {
            mailbox.close().await;
        }
        self.own.close().await;
    }
}

/// What a step must give.
fn expect(given: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if given { Ok(()) } else { Err(Failure::Unexpected(otherwise())) }
}

impl Demo<'_, '_> {
    async fn connect(&mut self) -> Result<(), Failure> {
        self.stage.heading("Connect")?;
        self.stage.begin("test the connection");
        let call = self.link.fresh_call()?;
        let report = watch("Testing the connection", self.connector.test_connection(&call)).await?.value;
        expect(report.mode == Mode::Test, || "this is a live account: the demo runs with test keys only".to_owned())?;
        let connected = format!("Connected, {}", wording::mode(report.mode));
        let name = report.account_name.clone().unwrap_or_else(|| account(&report));
        Ok(self.stage.done("Test the connection", &connected, &format!("{connected} · {name}"))?)
    }

    /// Opens the receivers, and makes the service deliver to one of them where it can.
    async fn listen(&mut self, by_webhook: bool) -> Result<Mail, Failure> {
        self.stage.begin("listen for events");
        let call = self.link.fresh_call()?;
        let source = if by_webhook {
            let receiver = Receiver::bind().await?;
            let (address, url) = (receiver.address, receiver.url(&self.manifest.id));
            let request = SubscriptionRequest::new(url, uses());
            let made = watch("Making a webhook endpoint", self.connector.subscribe(&call, request)).await?.value;
            let kinds = format!("{} kinds of event", made.event_types.len());
            self.stage.done("Subscribe to events", &kinds, &format!("{kinds}, by webhook to http://{address}"))?;
            let expected = Expected::of(Some(made.state.clone()), uses());
            let connection = self.link.connection.clone();
            Source::Delivered(Mailbox::open(receiver, self.connector, connection, expected).await?, made.state)
        } else {
            let polled = watch("Polling", self.connector.poll(&call, uses(), None)).await?.value;
            self.stage.done(
                "Subscribe to events",
                "by polling",
                "no public URL for webhooks: polling in their place",
            )?;
            Source::Fetched(polled.cursor)
        };
        let secret = format!("whsec_{}", Invocation::fresh()?.id.replace('_', ""));
        let connection = self.link.with(self.manifest, WEBHOOK_SECRET, secret.clone())?;
        let own = Mailbox::open(Receiver::bind().await?, self.connector, connection, Expected::default()).await?;
        Ok(Mail { source, own, secret })
    }

    async fn sell(&mut self) -> Result<Sold, Failure> {
        self.stage.heading("Sell")?;
        let input = json!({
            "name": "Jenny Rosen", "email": "jenny.rosen@example.com", "metadata": { "demo": self.run },
        });
        let customer = self.create("customer.create", &input).await?;
        self.stage.done("Create a customer", &customer.title, &wording::record(&customer))?;

        let product = self.create("product.create", &json!({ "name": "Gold plan" })).await?;
        self.stage.done("Create a product", &product.title, &wording::record(&product))?;

        let input = json!({
            "product": product.id, "currency": "usd", "unit_amount": 1500, "recurring": { "interval": "month" },
        });
        let price = self.create("price.create", &input).await?;
        let monthly = format!("{} a month", self.money(&price, "amount", "15.00 USD")?);
        self.stage.done("Create a price", &monthly, &format!("{monthly} · {}", price.id))?;

        // The first payment saves the card; the subscription is charged to it.
        self.stage.begin("payment_intent.create");
        let mut input = self.payment(&customer, "order 1", 1099, "pm_card_visa");
        input.insert("setup_future_usage".to_owned(), "off_session".into());
        let paid = self.act("payment_intent.create", &input.into(), &Invocation::fresh()?).await?;
        let payment = record_of(&paid)?;
        let (amount, status) =
            (self.money(&payment, "amount", "10.99 USD")?, self.field(&payment, "status", "succeeded")?);
        let result = format!("{amount} {status}");
        self.stage.done("Charge a Visa card", &result, &format!("{result} · {}", payment.id))?;

        let card = wording::text(&paid.output, "payment_method");
        let input = json!({
            "customer": customer.id, "items": [{ "price": price.id }], "default_payment_method": card,
        });
        let subscription = self.create("subscription.create", &input).await?;
        let status = self.field(&subscription, "status", "active")?;
        let until = wording::field(&subscription, "period_ends_at").unwrap_or_default();
        let result = format!("{status} until {}", until.split('T').next().unwrap_or_default());
        self.stage.done("Create a subscription", &result, &format!("{result} · {}", subscription.id))?;
        Ok(Sold { customer, subscription, payment })
    }

    async fn be_declined(&mut self, sold: &Sold) -> Result<(), Failure> {
        const OPERATION: &str = "payment_intent.create";
        self.stage.heading("A card without funds")?;
        self.stage.begin(OPERATION);
        let card = "pm_card_visa_chargeDeclinedInsufficientFunds";
        let input = self.payment(&sold.customer, "order 2", 1099, card).into();
        let declined = self.act(OPERATION, &input, &self.link.fresh_call()?.invocation).await;
        let failure = match declined {
            Err(Failure::Connector(failure)) => failure,
            Err(other) => return Err(other),
            Ok(_) => return Err(Failure::Unexpected("the card without funds was charged".to_owned())),
        };
        let error = &failure.error;
        if error.kind != ErrorKind::Declined {
            return Err(Failure::Connector(failure));
        }
        let code = error.decline_code.clone().unwrap_or_default();
        expect(code == "insufficient_funds", || format!("the decline code is {code:?}, not insufficient_funds"))?;
        expect(error.outcome == Outcome::Rejected, || {
            format!("the outcome is {}, not rejected", error.outcome.name())
        })?;
        self.stage.done("Charge a card without funds", &format!("declined: {code}"), &format!("declined: {code}"))?;
        Ok(self.stage.aside(&[
            ("it says", error.message.clone()),
            ("what to do", error.hint.clone().unwrap_or_default()),
            ("did it charge?", wording::outcome(error.outcome).to_owned()),
        ])?)
    }

    async fn refund(&mut self, sold: &Sold) -> Result<(), Failure> {
        self.stage.heading("Give money back")?;
        let input = json!({ "payment_intent": sold.payment.id, "amount": 400 });
        let refund = self.create("refund.create", &input).await?;
        let amount = self.money(&refund, "amount", "4.00 USD")?;
        self.field(&refund, "status", "succeeded")?;
        let result = format!("{amount} given back");
        Ok(self.stage.done("Refund a part", &result, &format!("{result} · {}", refund.id))?)
    }

    /// A platform that lost its answer runs the step again.
    async fn run_twice(&mut self, sold: &Sold) -> Result<(), Failure> {
        const OPERATION: &str = "payment_intent.create";
        self.stage.heading("The same step, run twice")?;
        let step = Invocation::new(format!("demo_{}_order_3", self.run));
        let label = self.label("order 3");
        let input = self.payment(&sold.customer, "order 3", 2000, "pm_card_visa").into();

        self.stage.begin(OPERATION);
        let first = self.act(OPERATION, &input, &step).await?;
        let one = record_of(&first)?;
        let amount = self.money(&one, "amount", "20.00 USD")?;
        self.stage.done("Run a step", &format!("{amount} charged"), &format!("{amount} charged · {}", one.id))?;

        self.stage.begin(OPERATION);
        let second = self.act(OPERATION, &input, &step).await?;
        let other = record_of(&second)?;
        expect(one.id == other.id, || format!("the second run made {} beside {}", other.id, one.id))?;
        expect(second.metadata.replayed, || "the second run was not answered from the first".to_owned())?;
        self.stage.done("Run it again", "the first run's answer", &format!("the first run's answer · {}", other.id))?;

        self.stage.begin("count the charges");
        let request = ChoiceRequest { limit: Some(100), ..ChoiceRequest::of("charge") };
        let call = self.link.fresh_call()?;
        let charges = watch("Counting", self.connector.choices(&call, request)).await?.value.choices;
        let count = charges.iter().filter(|charge| charge.label == label).count();
        expect(count == 1, || format!("the account has {count} charges of the step that ran twice"))?;
        Ok(self.stage.done("Count its charges", "1", &format!("1 charge of “{label}” in the account"))?)
    }

    /// Waits for the event of each trigger that is about what was sold. Returns the payment's.
    async fn receive(&mut self, mail: &mut Mail, sold: &Sold) -> Result<Event, Failure> {
        let how = match mail.source {
            Source::Delivered(..) => "delivered and signed",
            Source::Fetched(_) => "fetched",
        };
        self.stage.heading(&format!("Events, {how}, and what they became"))?;
        self.stage.begin("wait for events");
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut found: Vec<Option<Event>> = vec![None; TRIGGERS.len()];
        while found.iter().any(Option::is_none) {
            let Ok(events) = timeout_at(deadline, watch("Waiting for events", self.more(mail))).await else {
                let missing = TRIGGERS.iter().zip(&found).filter(|(_, event)| event.is_none());
                let missing: Vec<&str> = missing.map(|(trigger, _)| *trigger).collect();
                return Err(Failure::Unexpected(format!("no event came of {}", missing.join(", "))));
            };
            for event in events? {
                let slot = TRIGGERS.iter().zip(&mut found).find(|(trigger, _)| is_of(&event, trigger));
                if let Some((_, slot)) = slot
                    && is_about(&event, sold)
                {
                    slot.get_or_insert(event);
                }
            }
        }
        let found: Vec<Event> = found.into_iter().flatten().collect();
        self.stage.done(
            "Receive the events",
            &format!("{} events", found.len()),
            &format!("{} kinds of event, {how}", found.len()),
        )?;
        let became: Vec<(&str, String)> = found
            .iter()
            .map(|event| {
                let record = event.record.as_ref();
                let money = record
                    .and_then(|record| ["amount", "total"].iter().find_map(|field| wording::money(record, field)));
                let money = money.map(|money| format!("{money} · ")).unwrap_or_default();
                let text =
                    record.map_or("no record".to_owned(), |record| format!("{money}{}", wording::record(record)));
                (event.event_type.as_str(), text)
            })
            .collect();
        self.stage.aside(&became)?;
        expect(found.iter().all(|event| event.record.is_some()), || "an event became no record".to_owned())?;
        let payment = found.into_iter().find(|event| is_of(event, "payment_intent.succeeded"));
        payment.ok_or_else(|| Failure::Unexpected("no event of the payment".to_owned()))
    }

    /// The next events, however they come.
    async fn more(&self, mail: &mut Mail) -> Result<Vec<Event>, Failure> {
        match &mut mail.source {
            Source::Delivered(mailbox, _) => match mailbox.deliveries.recv().await {
                Some(Delivery::Event(event)) => Ok(vec![*event]),
                Some(Delivery::NotTaken(reason)) => {
                    Err(Failure::Unexpected(format!("a genuine delivery was not taken: {reason}")))
                }
                Some(Delivery::Known(_)) => Ok(Vec::new()),
                None => Err(Failure::Unexpected("the receiver has stopped".to_owned())),
            },
            Source::Fetched(cursor) => {
                let page = self.connector.poll(&self.link.fresh_call()?, uses(), Some(cursor.as_str())).await?.value;
                if page.events.is_empty() {
                    tokio::time::sleep(POLL_INTERVAL).await;
                }
                *cursor = page.cursor;
                Ok(page.events)
            }
        }
    }

    async fn refuse_forgeries(&mut self, mail: &mut Mail, event: &Event) -> Result<(), Failure> {
        self.stage.heading("Deliveries that must not pass")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let forged = post::signature("whsec_guessed", now, &event.payload);
        let old = post::signature(&mail.secret, now.saturating_sub(OLD), &event.payload);
        for (what, title, signature) in
            [("a forged delivery", "Forge a delivery", forged), ("an old one, replayed", "Replay an old one", old)]
        {
            self.stage.begin(what);
            let (status, answer) = mail.own.post(&signature, &event.payload).await?;
            expect(status == 400, || format!("{what}: it was answered {status} {answer}"))?;
            self.stage.done(title, "refused", &format!("{status}, nothing taken"))?;
            self.stage.aside(&[("it says", answer)])?;
        }
        let genuine = post::signature(&mail.secret, now, &event.payload);
        let (status, answer) = mail.own.post(&genuine, &event.payload).await?;
        expect(status == 200, || format!("a genuine delivery was answered {status} {answer}"))?;
        self.stage.begin("the same event again");
        let (status, answer) = mail.own.post(&genuine, &event.payload).await?;
        expect(status == 200, || format!("a repeated delivery was answered {status} {answer}"))?;
        let wait = async {
            loop {
                match mail.own.deliveries.recv().await {
                    Some(Delivery::Known(id)) if id == event.id => return true,
                    Some(_) => {}
                    None => return false,
                }
            }
        };
        let dropped = timeout_at(tokio::time::Instant::now() + PATIENCE, wait).await.unwrap_or(false);
        expect(dropped, || "the same event was taken twice".to_owned())?;
        Ok(self.stage.done("Repeat an event", "dropped", &format!("{status}, and dropped: it was taken before"))?)
    }

    async fn tidy_up(&mut self, mail: &Mail, sold: &Sold) -> Result<(), Failure> {
        self.stage.heading("Tidy up")?;
        let cancelled = self.create("subscription.cancel", &json!({ "subscription": sold.subscription.id })).await?;
        let status = self.field(&cancelled, "status", "canceled")?;
        self.stage.done("Cancel the subscription", &status, &format!("{status} · {}", cancelled.id))?;
        if let Source::Delivered(_, state) = &mail.source {
            self.stage.begin("stop the deliveries");
            let call = self.link.fresh_call()?;
            watch("Removing the webhook endpoint", self.connector.unsubscribe(&call, state, None)).await?;
            self.stage.done("Stop the deliveries", "unsubscribed", "the webhook endpoint is gone")?;
        }
        Ok(())
    }

    /// Runs an action whose object is mapped.
    async fn create(&mut self, operation: &'static str, input: &Value) -> Result<ResourceRecord, Failure> {
        self.stage.begin(operation);
        let invocation = Invocation::fresh()?;
        record_of(&self.act(operation, input, &invocation).await?)
    }

    async fn act(&self, operation: &str, input: &Value, invocation: &Invocation) -> Result<ActionResult, Failure> {
        let call = self.link.call(invocation.clone());
        let input = input.to_string();
        let permit =
            watch("Asking the guard", self.connector.permit_action(&call, operation, &input, Vec::new())).await?;
        watch(operation, self.connector.run_action(permit)).await.map(|reply| reply.value)
    }

    fn payment(&self, customer: &ResourceRecord, order: &str, amount: u64, card: &str) -> Map<String, Value> {
        let fields: [(&str, Value); 7] = [
            ("amount", amount.into()),
            ("currency", "usd".into()),
            ("customer", customer.id.as_str().into()),
            ("payment_method", card.into()),
            ("confirm", true.into()),
            ("return_url", "https://example.com/return".into()),
            ("description", self.label(order).into()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn label(&self, order: &str) -> String {
        format!("demo {} {order}", self.run)
    }

    /// A money field, which must read so.
    fn money(&self, record: &ResourceRecord, field: &str, expected: &str) -> Result<String, Failure> {
        let given = wording::money(record, field).unwrap_or_default();
        expect(given == expected, || {
            format!("{} {} has {field} {given:?}, not {expected:?}", record.resource, record.id)
        })?;
        Ok(given)
    }

    /// A text field, which must read so.
    fn field(&self, record: &ResourceRecord, field: &str, expected: &str) -> Result<String, Failure> {
        let given = wording::field(record, field).unwrap_or_default();
        expect(given == expected, || {
            format!("{} {} has {field} {given:?}, not {expected:?}", record.resource, record.id)
        })?;
        Ok(given)
    }
}

fn record_of(result: &ActionResult) -> Result<ResourceRecord, Failure> {
    result.record.clone().ok_or_else(|| Failure::Unexpected("the answer was not mapped to a record".to_owned()))
}

/// The triggers, without filters.
fn uses() -> Vec<TriggerUse> {
    TRIGGERS.iter().map(|&trigger| TriggerUse::every(trigger)).collect()
}

fn is_of(event: &Event, trigger: &str) -> bool {
    event.triggers.iter().any(|matched| matched == trigger)
}

/// Whether the event is about this run's objects, and not about somebody else's in the same account.
fn is_about(event: &Event, sold: &Sold) -> bool {
    let Some(record) = &event.record else { return true };
    let points_to = |field: &str, other: &ResourceRecord| wording::field(record, field).as_deref() == Some(&other.id);
    match event.event_type.as_str() {
        "customer.created" => record.id == sold.customer.id,
        "customer.subscription.created" => record.id == sold.subscription.id,
        "payment_intent.succeeded" => record.id == sold.payment.id,
        "charge.succeeded" => points_to("payment", &sold.payment),
        _ => points_to("contact", &sold.customer),
    }
}
