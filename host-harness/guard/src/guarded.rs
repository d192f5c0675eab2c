//! A connector behind its guard: the same functions, each judged before it runs, at its requests, and in its answer.
//!
//! Whoever has this has no other way to the connector: it is not given out. What needs no connection (descriptions,
//! schemas, samples) passes as it is.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use host::contract::{
    ActionResult, ChoicePage, ChoiceRequest, ConnectionReport, DescribeRequest, Event, File, Operation,
    OperationFilter, OperationSummary, Outcome, PollResult, QueryResult, Receipt, RecentEvents, ResourceRecord,
    ResourceType, Subscription, SubscriptionRequest, SubscriptionState, TriggerUse, Unsubscribed, WebhookRequest,
};
use host::manifest::Manifest;
use host::{Call, CallError, ComponentFacts, Connection, Connector, Reply, Running};
use serde_json::{Map, Value, json};

use crate::acting::Acting;
use crate::audit::{Audit, AuditError};
use crate::catalogue::Safety;
use crate::customer;
use crate::gate::{Checkpoint, OneLook, Rules, Stance, Stop};
use crate::judge::{self, Subject};
use crate::known::Known;
use crate::ledger::{Ledger, Reserved, Spender};
use crate::load;
use crate::mask;
use crate::policy::Policy;
use crate::request::Outgoing;
use crate::stopped::{GuardError, Refusal, Stopped};
use crate::verdict::{Rule, Ruling, Spend, Verdict};

/// So many objects are looked up for one verdict.
const MOST_LOOKS: usize = 60;

/// A connector, and what stands before it. Cheap to clone.
#[derive(Clone)]
pub struct Guarded {
    connector: Connector,
    guard: Option<Arc<Guard>>,
    dry_run: bool,
    caller: Caller,
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// What it is, for the audit log: `command-line`.
    pub name: Arc<str>,
    /// The run that caps per run count together: of a workflow, of an agent's session, of a process.
    pub run: Arc<str>,
}

struct Guard {
    rules: Arc<Rules>,
    audit: Option<Audit>,
    ledger: Option<Ledger>,
    /// The request of an operation, as it was asked for.
    sends: Mutex<std::collections::BTreeMap<String, Option<String>>>,
}

/// A call that may run. Where somebody has to agree first, [`question`](Self::question) says to what.
#[derive(Debug)]
pub struct Permit {
    call: Call,
    operation: String,
    input: String,
    files: Vec<File>,
    cursor: Option<String>,
    subject: Option<Subject>,
    known: Known,
    ruling: Ruling,
    agreed: bool,
    judged: Option<[u8; 32]>,
    /// The rehearsal needed nothing but reading, and this is its result.
    done: Option<Box<Reply<ActionResult>>>,
}

impl Permit {
    fn of(call: &Call, operation: &str, input: &str) -> Self {
        Self {
            call: call.clone(),
            operation: operation.to_owned(),
            input: input.to_owned(),
            files: Vec::new(),
            cursor: None,
            subject: None,
            known: Known::default(),
            ruling: Ruling::allow(),
            agreed: false,
            judged: None,
            done: None,
        }
    }

    /// What somebody has to agree to before it runs, and the rule that says so.
    #[must_use]
    pub fn question(&self) -> Option<(String, &Rule)> {
        match &self.ruling.verdict {
            Verdict::Ask { reason } if !self.agreed => Some((reason.clone(), &self.ruling.rule)),
            _ => None,
        }
    }

    /// Somebody agreed.
    pub fn agree(&mut self) {
        self.agreed = true;
    }
}

/// A verdict, and what it is about.
#[derive(Clone, Debug)]
pub struct Explained {
    /// What would be run.
    pub subject: Subject,
    /// The verdict.
    pub ruling: Ruling,
    /// The request that would be sent, where the verdict depends on it.
    pub request: Option<Box<Outgoing>>,
}

/// How a rehearsal went.
enum Rehearsed {
    /// It came to this request.
    Came(Box<(Outgoing, Ruling)>),
    /// A request of it is denied.
    Denied(Box<Ruling>),
    /// It needed no request that counts.
    Through,
}

/// What a caller wants to run.
struct Wanted<'a> {
    operation: &'a str,
    input: &'a str,
    files: Vec<File>,
    cursor: Option<&'a str>,
    action: bool,
}

type Result<T, E = Stopped> = std::result::Result<T, E>;

impl Guarded {
    /// A connector that nobody stands before. With `dry_run` nothing that changes anything is sent.
    #[must_use]
    pub fn open(connector: Connector, caller: Caller, dry_run: bool) -> Self {
        Self { connector, guard: None, dry_run, caller }
    }

    /// A connector behind the guard of this file's text. `folder` is where the paths in it begin.
    ///
    /// # Errors
    /// The file is not taken; the connector does not say what it offers; the audit log cannot be used.
    pub async fn behind(
        connector: Connector,
        connection: &Connection,
        (file, text, folder): (&str, &str, &Path),
        caller: Caller,
        dry_run: bool,
    ) -> Result<Self, GuardError> {
        let names = Policy::named(file, text)?;
        let catalogue = load::catalogue(&connector, connection, &names).await?;
        let policy = Policy::parse(file, text, &catalogue)?;
        let dry_run = dry_run || policy.dry_run.is_some();
        let audit = policy.audit.as_ref().map(|path| Audit::open(folder.join(path))).transpose()?;
        let ledger = policy.ledger.as_ref().map(|path| Ledger::open(folder.join(path))).transpose()?;
        let guard = Guard { rules: Arc::new(Rules { policy, catalogue }), audit, ledger, sends: Mutex::default() };
        Ok(Self { connector, guard: Some(Arc::new(guard)), dry_run, caller })
    }

    /// What was found out about the component.
    #[must_use]
    pub fn facts(&self) -> &ComponentFacts {
        self.connector.facts()
    }

    /// Where the component's requests may go.
    #[must_use]
    pub fn reach(&self) -> &host::egress::Policy {
        self.connector.policy()
    }

    /// What the guard's file says, if there is one.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.guard.as_ref().map(|guard| &guard.rules.policy)
    }

    /// The manifest that the connector was loaded with.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        self.connector.manifest()
    }

    /// Everything about one operation.
    pub fn describe_operation(&self, request: DescribeRequest) -> Running<Operation> {
        self.connector.describe_operation(request)
    }

    /// All the operations that pass the filter.
    ///
    /// # Errors
    /// The component's.
    pub async fn all_operations(&self, filter: OperationFilter) -> Result<Vec<OperationSummary>, CallError> {
        self.connector.all_operations(filter).await
    }

    /// Every kind of object that the connector knows.
    pub fn list_resources(&self) -> Running<Vec<ResourceType>> {
        self.connector.list_resources()
    }

    /// An event of the right shape.
    pub fn sample(&self, trigger: &str) -> Running<Event> {
        self.connector.sample(trigger)
    }

    /// Judges an action, and lets it run when nobody is against it.
    ///
    /// # Errors
    /// The verdict, when it is not to run; what failed on the way.
    pub async fn permit_action(&self, call: &Call, operation: &str, input: &str, files: Vec<File>) -> Result<Permit> {
        self.permit(call, Wanted { operation, input, files, cursor: None, action: true }).await
    }

    /// Judges a query, as [`permit_action`](Self::permit_action) does.
    ///
    /// # Errors
    /// The verdict, when it is not to run; what failed on the way.
    pub async fn permit_query(
        &self,
        call: &Call,
        operation: &str,
        input: &str,
        cursor: Option<&str>,
    ) -> Result<Permit> {
        self.permit(call, Wanted { operation, input, files: Vec::new(), cursor, action: false }).await
    }

    async fn permit(&self, call: &Call, wanted: Wanted<'_>) -> Result<Permit> {
        let mut permit = Permit::of(call, wanted.operation, wanted.input);
        permit.files = wanted.files;
        permit.cursor = wanted.cursor.map(str::to_owned);
        let Some(guard) = &self.guard else {
            if self.dry_run && (wanted.action || !self.is_offline(wanted.operation)) {
                return Err(self.rehearsed_openly(&permit, wanted.action).await);
            }
            return Ok(permit);
        };
        let subject = self.subject(guard, &call.connection, wanted.operation, wanted.input).await?;
        let (ruling, request) = self.decide(guard, &subject, &mut permit, wanted.action).await?;
        self.note(guard, &subject, call, &ruling, ruling.verdict.name())?;
        refused(&subject, call, &ruling)?;
        if ruling.verdict == Verdict::DryRun {
            return Err(Stopped::DryRun { operation: subject.id, request });
        }
        permit.ruling = ruling;
        permit.subject = Some(subject);
        Ok(permit)
    }

    /// The verdict on a call, and the request that it would send, where that had to be known. Changes nothing, and writes
    /// nothing down.
    async fn decide(
        &self,
        guard: &Guard,
        subject: &Subject,
        permit: &mut Permit,
        action: bool,
    ) -> Result<(Ruling, Option<Box<Outgoing>>)> {
        let policy = &guard.rules.policy;
        let mut ruling = judge::by_name(policy, subject, permit.call.connection.environment());
        if matches!(ruling.verdict, Verdict::Deny { .. }) || self.is_offline(&subject.id) {
            return Ok((ruling, None));
        }
        let acts = action && !subject.reads();
        let mut request = None;
        if policy.customer.is_some() || (acts && policy.needs_request()) || self.dry_run {
            match self.rehearse(guard, subject, permit, action).await? {
                Rehearsed::Came(at) => {
                    let (outgoing, other) = *at;
                    permit.judged = Some(outgoing.digest);
                    ruling = judge::stricter(ruling, other);
                    request = Some(Box::new(outgoing));
                }
                Rehearsed::Denied(other) => ruling = *other,
                Rehearsed::Through => {}
            }
        }
        if self.dry_run && !matches!(ruling.verdict, Verdict::Deny { .. }) {
            ruling.verdict = Verdict::DryRun;
        }
        Ok((ruling, request))
    }

    /// The verdict that a call would get. Changes nothing, and is not written down.
    ///
    /// # Errors
    /// What failed on the way: an input that is wrong, an object that cannot be looked up.
    pub async fn explain(&self, call: &Call, operation: &str, input: &str, action: bool) -> Result<Explained> {
        let nobody = |subject: Subject| Explained { subject, ruling: Ruling::allow(), request: None };
        let Some(guard) = &self.guard else { return Ok(nobody(plain(operation, Safety::Change))) };
        let mut permit = Permit::of(call, operation, input);
        let subject = self.subject(guard, &call.connection, operation, input).await?;
        let (ruling, request) = self.decide(guard, &subject, &mut permit, action).await?;
        Ok(Explained { subject, ruling, request })
    }

    /// The verdict that an operation gets by its name alone, whatever its input.
    ///
    /// # Errors
    /// That there is no such operation.
    pub async fn explain_name(&self, call: &Call, operation: &str) -> Result<Explained> {
        let Some(guard) = &self.guard else {
            let subject = plain(operation, Safety::Change);
            return Ok(Explained { subject, ruling: Ruling::allow(), request: None });
        };
        let subject = self.subject_of(guard, &call.connection, operation, None).await?;
        let ruling = judge::by_name(&guard.rules.policy, &subject, call.connection.environment());
        Ok(Explained { subject, ruling, request: None })
    }

    /// What the component answers by itself.
    fn is_offline(&self, operation: &str) -> bool {
        matches!(operation, "api.search" | "api.describe")
    }

    /// A dry run without a guard.
    async fn rehearsed_openly(&self, permit: &Permit, action: bool) -> Stopped {
        let rules = Arc::new(Rules { policy: Policy::default(), catalogue: crate::catalogue::Catalogue::default() });
        let subject = plain(&permit.operation, Safety::Change);
        let stance = Stance::Rehearsal { reads: !action };
        let gate = Arc::new(Checkpoint::new(rules, subject, Known::default(), stance));
        let call = permit.call.clone().through(Arc::clone(&gate) as Arc<dyn host::Gate>);
        let failed = if action {
            let running =
                self.connector.run_action_with_files(&call, &permit.operation, &permit.input, permit.files.clone());
            running.await.err()
        } else {
            self.connector.run_query(&call, &permit.operation, &permit.input, permit.cursor.as_deref()).await.err()
        };
        let operation = permit.operation.clone();
        match (gate.stopped(), failed) {
            (Some(Stop::At(at)), _) => Stopped::DryRun { operation, request: Some(Box::new(at.0)) },
            (_, Some(failed)) => Stopped::Failed(failed),
            (_, None) => Stopped::DryRun { operation, request: None },
        }
    }

    /// Runs a call up to the first request that counts, looking up what the verdict on it depends on.
    async fn rehearse(&self, guard: &Guard, subject: &Subject, permit: &mut Permit, action: bool) -> Result<Rehearsed> {
        for _ in 0..MOST_LOOKS {
            let stance = Stance::Rehearsal { reads: !action };
            let gate =
                Arc::new(Checkpoint::new(Arc::clone(&guard.rules), subject.clone(), permit.known.clone(), stance));
            let call = permit.call.clone().through(Arc::clone(&gate) as Arc<dyn host::Gate>);
            let ended = if action {
                let files = permit.files.clone();
                let running = self.connector.run_action_with_files(&call, &permit.operation, &permit.input, files);
                running.await.map(Some)
            } else {
                let cursor = permit.cursor.as_deref();
                self.connector.run_query(&call, &permit.operation, &permit.input, cursor).await.map(|_| None)
            };
            match gate.stopped() {
                Some(Stop::Needs(path)) => {
                    let object = self.look(&permit.call, &path).await;
                    permit.known.keep(path, object);
                }
                Some(Stop::Denied(ruling)) => return Ok(Rehearsed::Denied(ruling)),
                Some(Stop::At(at)) => return Ok(Rehearsed::Came(at)),
                None => {
                    permit.done = ended?.map(Box::new);
                    return Ok(Rehearsed::Through);
                }
            }
        }
        let rule = Rule::always("a verdict looks at a few objects");
        let reason = format!("it depends on more than {MOST_LOOKS} objects");
        Ok(Rehearsed::Denied(Box::new(Ruling::deny(&rule, reason, "do it in several calls"))))
    }

    /// Reads one object.
    async fn look(&self, call: &Call, path: &str) -> Option<Value> {
        let [reads, _] = load::ANY;
        let call = call.clone().through(Arc::new(OneLook(path.to_owned())));
        let input = json!({ "method": "GET", "path": path }).to_string();
        let found = self.connector.run_query(&call, reads, &input, None).await.ok()?;
        serde_json::from_str(&found.value.output).ok()
    }

    /// What a name means, with this input.
    async fn subject(&self, guard: &Guard, connection: &Connection, called: &str, input: &str) -> Result<Subject> {
        self.subject_of(guard, connection, called, Some(input)).await
    }

    async fn subject_of(
        &self,
        guard: &Guard,
        connection: &Connection,
        called: &str,
        input: Option<&str>,
    ) -> Result<Subject> {
        let catalogue = &guard.rules.catalogue;
        let mut id = load::canonical(&self.connector, &catalogue.entries, called).await?;
        let mut names = [called.to_owned(), id.clone()].to_vec();
        if let Some(input) = input.filter(|_| load::ANY.contains(&id.as_str())) {
            let meant = load::target(&self.connector, connection, input).await?;
            let known = catalogue.entries.contains_key(&meant);
            id = if known { meant } else { load::canonical(&self.connector, &catalogue.entries, &meant).await? };
            names.push(id.clone());
        }
        let request = self.request_of(guard, connection, &id).await;
        if let Some(template) = request.as_ref().and_then(|request| catalogue.template(request)) {
            names.push(template.id.clone());
            if template.id == id {
                names.extend(template.curated.clone());
            }
        }
        let everything = || [Safety::Change, Safety::MoveMoney, Safety::Destroy].into();
        let (resource, safety) = match catalogue.entry(&id) {
            Some(entry) => (entry.resource.clone(), entry.safety.clone()),
            None => (String::new(), everything()),
        };
        Ok(Subject { called: called.to_owned(), id, names: names.into_iter().collect(), request, resource, safety })
    }

    async fn request_of(&self, guard: &Guard, connection: &Connection, id: &str) -> Option<String> {
        let catalogue = &guard.rules.catalogue;
        if let Some(known) = catalogue.request_of(id) {
            return Some(known.to_owned());
        }
        if !catalogue.tells_requests() {
            return None;
        }
        let lock = || guard.sends.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(id) {
            return known.clone();
        }
        let found = load::request(&self.connector, connection, catalogue, id).await;
        lock().insert(id.to_owned(), found.clone());
        found
    }

    /// Runs what was permitted. It fails where nobody agreed though somebody had to, with the verdict at a request, with the
    /// call's own failure, and where the answer is withheld.
    pub fn run_action(&self, permit: Permit) -> Acting<'_, ActionResult> {
        Acting::of(|seen| async move {
            if let (Some(guard), Some(subject)) = (&self.guard, permit.subject.clone()) {
                self.settle_question(guard, &subject, &permit)?;
                let mut reply = match permit.done {
                    Some(done) => *done,
                    None => {
                        let (gate, call) = Self::gated(guard, &subject, &permit);
                        let reserved = self.reserve(guard, &subject, &permit)?;
                        let Permit { operation, input, files, .. } = permit;
                        let run = self.connector.run_action_with_files(&call, &operation, &input, files);
                        let ended = seen.see(run).await;
                        Self::settle(guard, reserved.as_deref(), &ended);
                        self.ended(guard, &subject, &call, &gate, ended)?
                    }
                };
                let ActionResult { output, record, .. } = &mut reply.value;
                self.show(guard, &subject, true, output, record.as_mut().into_iter())?;
                return Ok(reply);
            }
            let Permit { call, operation, input, files, .. } = permit;
            Ok(seen.see(self.connector.run_action_with_files(&call, &operation, &input, files)).await?)
        })
    }

    /// Runs what was permitted, one page of it.
    ///
    /// # Errors
    /// As [`run_action`](Self::run_action).
    pub async fn run_query(&self, permit: Permit) -> Result<Reply<QueryResult>> {
        if let (Some(guard), Some(subject)) = (&self.guard, permit.subject.clone()) {
            self.settle_question(guard, &subject, &permit)?;
            let (gate, call) = Self::gated(guard, &subject, &permit);
            let run = self.connector.run_query(&call, &permit.operation, &permit.input, permit.cursor.as_deref());
            let mut reply = self.ended(guard, &subject, &call, &gate, run.await)?;
            let QueryResult { output, records, .. } = &mut reply.value;
            // What the component tells of itself is about nobody.
            if !self.is_offline(&subject.id) {
                self.show(guard, &subject, false, output, records.iter_mut())?;
            }
            return Ok(reply);
        }
        let Permit { call, operation, input, cursor, .. } = permit;
        Ok(self.connector.run_query(&call, &operation, &input, cursor.as_deref()).await?)
    }

    /// Reserves what a call spends. The id of the reservation, where this try made it.
    fn reserve(&self, guard: &Guard, subject: &Subject, permit: &Permit) -> Result<Option<String>> {
        let spends = &permit.ruling.spends;
        let Some(ledger) = guard.ledger.as_ref().filter(|_| !spends.is_empty()) else { return Ok(None) };
        let what = permit.judged.unwrap_or_default();
        let what: String = what.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let day = since.as_secs() / (24 * 3600);
        // The same request with the same key is one payment, for at least a day.
        let id = format!("{day}:{what}");
        let who = Spender { id: &id, run: &self.caller.run, day };
        match ledger.reserve(who, spends, &guard.rules.policy.caps)? {
            Reserved::New(id) => Ok(Some(id)),
            Reserved::Already => Ok(None),
            Reserved::Over(over) => {
                let (cap, left) = *over;
                let of = format!("the cap of {} per {}", cap.amount, cap.per.name());
                let reason = format!("{} is over what is left of {of}: {left}", told(spends));
                let ruling = Ruling::deny(
                    &cap.rule,
                    reason,
                    format!("move at most {left}, or wait for the next {}", cap.per.name()),
                );
                let ruling = ruling.spending(spends.clone());
                self.refuse_denied(guard, subject, &permit.call, &ruling)?;
                Ok(None)
            }
        }
    }

    /// What is certain is settled. What nobody knows stays reserved; so does what cannot be written down.
    fn settle<T>(guard: &Guard, reserved: Option<&str>, ended: &Result<Reply<T>, CallError>) {
        let (Some(ledger), Some(id)) = (&guard.ledger, reserved) else { return };
        let _ = match ended {
            Ok(_) => ledger.commit(id),
            Err(error) if error.history().in_doubt => Ok(()),
            Err(error) => match error.outcome() {
                Outcome::NotSent | Outcome::Rejected => ledger.release(id),
                Outcome::Committed => ledger.commit(id),
                Outcome::Unknown => Ok(()),
            },
        };
    }

    fn gated(guard: &Guard, subject: &Subject, permit: &Permit) -> (Arc<Checkpoint>, Call) {
        let stance = Stance::Run { agreed: permit.agreed, judged: permit.judged };
        let gate = Checkpoint::new(Arc::clone(&guard.rules), subject.clone(), permit.known.clone(), stance);
        let gate = Arc::new(gate);
        let call = permit.call.clone().through(Arc::clone(&gate) as Arc<dyn host::Gate>);
        (gate, call)
    }

    fn settle_question(&self, guard: &Guard, subject: &Subject, permit: &Permit) -> Result<()> {
        let Verdict::Ask { reason } = &permit.ruling.verdict else { return Ok(()) };
        let answer = if permit.agreed { "agreed" } else { "not-agreed" };
        self.note(guard, subject, &permit.call, &permit.ruling, answer)?;
        match permit.agreed {
            true => Ok(()),
            false => {
                let reason = format!("{reason}, and nobody agreed");
                let fix = "let somebody agree: on a terminal, or beforehand with --yes".to_owned();
                Err(refusal(subject, &permit.call, &permit.ruling, reason, fix))
            }
        }
    }

    /// A call's end, or the verdict that ended it. After a request had left, the call's own end says what is known.
    fn ended<T>(
        &self,
        guard: &Guard,
        subject: &Subject,
        call: &Call,
        gate: &Checkpoint,
        ended: Result<Reply<T>, CallError>,
    ) -> Result<Reply<T>> {
        let error = match ended {
            Ok(reply) => return Ok(reply),
            Err(error) => error,
        };
        let stopped = match gate.stopped() {
            Some(Stop::Denied(ruling)) => Some(*ruling),
            Some(Stop::Needs(_)) => {
                let rule = Rule::always("what is not known is denied");
                Some(Ruling::deny(&rule, "whose object it is about cannot be known", "look at it by itself first"))
            }
            _ => None,
        };
        if let Some(ruling) = stopped.filter(|_| error.outcome() == Outcome::NotSent) {
            self.refuse_denied(guard, subject, call, &ruling)?;
        }
        Err(Stopped::Failed(error))
    }

    /// Makes an answer one that the caller may see.
    fn show<'a>(
        &self,
        guard: &Guard,
        subject: &Subject,
        acted: bool,
        output: &mut String,
        records: impl Iterator<Item = &'a mut ResourceRecord>,
    ) -> Result<()> {
        let policy = &guard.rules.policy;
        let records: Vec<&mut ResourceRecord> = records.collect();
        if let Some((customer, _)) = &policy.customer {
            let is_theirs = customer::shows_only(output, customer)
                && records.iter().all(|record| {
                    !customer::names_another(&record.id, customer) && customer::shows_only(&record.fields, customer)
                });
            if !is_theirs {
                return Err(Stopped::Withheld { operation: subject.id.clone(), acted });
            }
        }
        let (shown, mut hidden) = policy.mask.json(output);
        *output = shown;
        for record in records {
            let (fields, more) = policy.mask.json(&record.fields);
            hidden.extend(more);
            record.fields = mask::json_without(&hidden, &fields);
            record.title = mask::without(&hidden, &record.title);
        }
        Ok(())
    }

    /// Tries the connection and changes nothing. It shows nobody's data, so that one customer only is no reason against it.
    ///
    /// # Errors
    /// The verdict, or the call's failure.
    pub async fn test_connection(&self, call: &Call) -> Result<Reply<ConnectionReport>> {
        if let Some(guard) = &self.guard {
            let subject = plain("connection.test", Safety::Read);
            let live = judge::by_name(
                &Policy { live: guard.rules.policy.live, ..Policy::default() },
                &subject,
                call.connection.environment(),
            );
            self.refuse_denied(guard, &subject, call, &live)?;
            self.note(guard, &subject, call, &live, live.verdict.name())?;
        }
        Ok(self.connector.test_connection(call).await?)
    }

    /// A page of objects to choose from.
    ///
    /// # Errors
    /// The verdict, or the call's failure.
    pub async fn choices(&self, call: &Call, request: ChoiceRequest) -> Result<Reply<ChoicePage>> {
        let mut subject = plain("resources.choices", Safety::Read);
        subject.resource.clone_from(&request.resource);
        let Some((guard, gate, call)) = self.admit(call, std::slice::from_ref(&subject))? else {
            return Ok(self.connector.choices(call, request).await?);
        };
        let mut reply = self.ended(guard, &subject, &call, &gate, self.connector.choices(&call, request).await)?;
        let policy = &guard.rules.policy;
        for choice in &mut reply.value.choices {
            let texts = [Some(&choice.value), Some(&choice.label), choice.detail.as_ref()];
            if let Some((customer, _)) = &policy.customer
                && texts.into_iter().flatten().any(|text| customer::names_another(text, customer))
            {
                return Err(Stopped::Withheld { operation: subject.id, acted: false });
            }
            // A label is made of whatever fields there are.
            if !policy.mask.is_empty() {
                choice.label = mask::MASKED.to_owned();
                choice.detail = None;
            }
        }
        Ok(reply)
    }

    /// Checks a webhook request and says which events it holds.
    ///
    /// # Errors
    /// The verdict, or the call's failure.
    pub async fn receive(
        &self,
        call: &Call,
        state: Option<&SubscriptionState>,
        uses: Vec<TriggerUse>,
        request: WebhookRequest,
    ) -> Result<Reply<Receipt>> {
        let subjects = self.of_triggers("triggers.receive", Safety::Read, named(&uses)).await;
        let Some((guard, gate, call)) = self.admit(call, &subjects)? else {
            return Ok(self.connector.receive(call, state, uses, request).await?);
        };
        let run = self.connector.receive(&call, state, uses, request).await;
        let mut reply = self.ended(guard, &plain("triggers.receive", Safety::Read), &call, &gate, run)?;
        reply.value.events.iter_mut().try_for_each(|event| self.show_event(guard, event))?;
        Ok(reply)
    }

    /// Fetches what a thin event points at.
    ///
    /// # Errors
    /// The verdict, or the call's failure.
    pub async fn load(&self, call: &Call, uses: Vec<TriggerUse>, payload: &str) -> Result<Reply<Event>> {
        let subject = plain("triggers.load", Safety::Read);
        let Some((guard, gate, call)) = self.admit(call, std::slice::from_ref(&subject))? else {
            return Ok(self.connector.load(call, uses, payload).await?);
        };
        let mut reply = self.ended(guard, &subject, &call, &gate, self.connector.load(&call, uses, payload).await)?;
        self.show_event(guard, &mut reply.value)?;
        Ok(reply)
    }

    /// Makes the service deliver events to a URL. It fails with the verdict, or as the call itself does.
    pub fn subscribe<'a>(&'a self, call: &'a Call, request: SubscriptionRequest) -> Acting<'a, Subscription> {
        Acting::of(|seen| async move {
            let subjects = self.of_triggers("triggers.subscribe", Safety::Change, named(&request.triggers)).await;
            let Some((guard, gate, call)) = self.admit(call, &subjects)? else {
                return Ok(seen.see(self.connector.subscribe(call, request)).await?);
            };
            let run = seen.see(self.connector.subscribe(&call, request)).await;
            self.ended(guard, &plain("triggers.subscribe", Safety::Change), &call, &gate, run)
        })
    }

    /// Looks whether a subscription is still as it was made, and prolongs it. It fails with the verdict, or as the call
    /// itself does.
    pub fn renew<'a>(&'a self, call: &'a Call, state: &'a SubscriptionState) -> Acting<'a, Subscription> {
        Acting::of(|seen| async move {
            let subject = plain("triggers.renew", Safety::Change);
            let Some((guard, gate, call)) = self.admit(call, std::slice::from_ref(&subject))? else {
                return Ok(seen.see(self.connector.renew(call, state)).await?);
            };
            self.ended(guard, &subject, &call, &gate, seen.see(self.connector.renew(&call, state)).await)
        })
    }

    /// Stops the delivery of these triggers; of all of them without `triggers`. It fails with the verdict, or as the call
    /// itself does.
    pub fn unsubscribe<'a>(
        &'a self,
        call: &'a Call,
        state: &'a SubscriptionState,
        triggers: Option<Vec<String>>,
    ) -> Acting<'a, Unsubscribed> {
        Acting::of(|seen| async move {
            let subject = plain("triggers.unsubscribe", Safety::Change);
            let Some((guard, gate, call)) = self.admit(call, std::slice::from_ref(&subject))? else {
                return Ok(seen.see(self.connector.unsubscribe(call, state, triggers)).await?);
            };
            self.ended(
                guard,
                &subject,
                &call,
                &gate,
                seen.see(self.connector.unsubscribe(&call, state, triggers)).await,
            )
        })
    }

    /// Fetches the events of these triggers since a cursor.
    ///
    /// # Errors
    /// The verdict, or the call's failure.
    pub async fn poll(
        &self,
        call: &Call,
        triggers: Vec<TriggerUse>,
        cursor: Option<&str>,
    ) -> Result<Reply<PollResult>> {
        let subjects = self.of_triggers("triggers.poll", Safety::Read, named(&triggers)).await;
        let Some((guard, gate, call)) = self.admit(call, &subjects)? else {
            return Ok(self.connector.poll(call, triggers, cursor).await?);
        };
        let run = self.connector.poll(&call, triggers, cursor).await;
        let mut reply = self.ended(guard, &plain("triggers.poll", Safety::Read), &call, &gate, run)?;
        reply.value.events.iter_mut().try_for_each(|event| self.show_event(guard, event))?;
        Ok(reply)
    }

    /// The newest real events of a trigger.
    ///
    /// # Errors
    /// The verdict, or the call's failure.
    pub async fn recent(&self, call: &Call, trigger: TriggerUse, limit: u32) -> Result<Reply<RecentEvents>> {
        let subjects = self.of_triggers("triggers.recent", Safety::Read, vec![trigger.trigger.clone()]).await;
        let Some((guard, gate, call)) = self.admit(call, &subjects)? else {
            return Ok(self.connector.recent(call, trigger, limit).await?);
        };
        let run = self.connector.recent(&call, trigger, limit).await;
        let mut reply = self.ended(guard, &plain("triggers.recent", Safety::Read), &call, &gate, run)?;
        reply.value.events.iter_mut().try_for_each(|event| self.show_event(guard, event))?;
        Ok(reply)
    }

    fn show_event(&self, guard: &Guard, event: &mut Event) -> Result<()> {
        let subject = plain(&event.event_type, Safety::Read);
        self.show(guard, &subject, false, &mut event.payload, event.record.as_mut().into_iter())
    }

    /// A function of triggers, as what it is and as each of its triggers.
    async fn of_triggers(&self, function: &str, safety: Safety, triggers: Vec<String>) -> Vec<Subject> {
        let mut subjects = Vec::new();
        for trigger in triggers {
            let mut subject = plain(&trigger, safety);
            if let Some(guard) = &self.guard {
                let entries = &guard.rules.catalogue.entries;
                // What is no trigger the component refuses.
                if let Ok(id) = load::canonical(&self.connector, entries, &trigger).await {
                    subject.resource = entries.get(&id).map(|entry| entry.resource.clone()).unwrap_or_default();
                    subject.names.insert(id.clone());
                    subject.id = id;
                }
            }
            subjects.push(subject);
        }
        if subjects.is_empty() {
            subjects.push(plain(function, safety));
        }
        subjects
    }

    /// Judges a function that is no operation. None where there is no guard. One that had to be asked about is denied:
    /// nobody is there to be asked.
    fn admit<'g>(&'g self, call: &Call, subjects: &[Subject]) -> Result<Option<(&'g Guard, Arc<Checkpoint>, Call)>> {
        let acts = subjects.iter().any(|subject| !subject.reads());
        let Some(guard) = &self.guard else {
            return match subjects.first().filter(|_| self.dry_run && acts) {
                Some(subject) => Err(Stopped::DryRun { operation: subject.id.clone(), request: None }),
                None => Ok(None),
            };
        };
        let mut last = plain("nothing", Safety::Read);
        for subject in subjects {
            let mut ruling = judge::by_name(&guard.rules.policy, subject, call.connection.environment());
            if let Verdict::Ask { reason } = &ruling.verdict {
                let rule = ruling.rule.clone();
                ruling =
                    Ruling::deny(&rule, format!("{reason}, and nobody can be asked here"), "allow it without asking");
            }
            if let Some((customer, rule)) =
                guard.rules.policy.customer.as_ref().filter(|_| subject.id != "resources.choices")
            {
                let reason = "events are of all customers";
                ruling = Ruling::deny(rule, reason, format!("this caller may only work on {customer}"));
            }
            self.refuse_denied(guard, subject, call, &ruling)?;
            self.note(guard, subject, call, &ruling, ruling.verdict.name())?;
            last = subject.clone();
        }
        if self.dry_run && acts {
            return Err(Stopped::DryRun { operation: last.id, request: None });
        }
        let stance = Stance::Run { agreed: false, judged: None };
        let gate = Arc::new(Checkpoint::new(Arc::clone(&guard.rules), last, Known::default(), stance));
        let call = call.clone().through(Arc::clone(&gate) as Arc<dyn host::Gate>);
        Ok(Some((guard, gate, call)))
    }

    fn refuse_denied(&self, guard: &Guard, subject: &Subject, call: &Call, ruling: &Ruling) -> Result<()> {
        if matches!(ruling.verdict, Verdict::Deny { .. }) {
            self.note(guard, subject, call, ruling, ruling.verdict.name())?;
        }
        refused(subject, call, ruling)
    }

    fn note(
        &self,
        guard: &Guard,
        subject: &Subject,
        call: &Call,
        ruling: &Ruling,
        verdict: &str,
    ) -> Result<(), AuditError> {
        let Some(audit) = &guard.audit else { return Ok(()) };
        let mut line = Map::new();
        let spends: Vec<String> = ruling.spends.iter().map(ToString::to_string).collect();
        for (name, value) in [
            ("verdict", json!(verdict)),
            ("operation", json!(subject.id)),
            ("rule", json!(ruling.rule.to_string())),
            ("caller", json!(&*self.caller.name)),
            ("run", json!(run_id(&self.caller.run))),
            ("invocation", json!(run_id(&call.invocation.id))),
            ("money", json!(spends)),
        ] {
            line.insert(name.to_owned(), value);
        }
        audit.write(line)
    }
}

fn refused(subject: &Subject, call: &Call, ruling: &Ruling) -> Result<()> {
    match &ruling.verdict {
        Verdict::Deny { reason, fix } => Err(refusal(subject, call, ruling, reason.clone(), fix.clone())),
        _ => Ok(()),
    }
}

fn refusal(subject: &Subject, call: &Call, ruling: &Ruling, reason: String, fix: String) -> Stopped {
    let (operation, rule) = (subject.id.clone(), ruling.rule.clone());
    // That nothing leaves now settles nothing of an earlier try.
    let in_doubt = call.invocation.history.is_some_and(|history| history.in_doubt);
    let outcome = if in_doubt && !subject.reads() { Outcome::Unknown } else { Outcome::NotSent };
    Stopped::Denied(Box::new(Refusal { operation, reason, fix, rule, outcome }))
}

fn told(spends: &[Spend]) -> String {
    spends.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// A run's id as the log has it: what a caller chose may be anything.
fn run_id(id: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    id.chars().take(100).map(|letter| if plain(letter) { letter } else { '?' }).collect()
}

fn named(uses: &[TriggerUse]) -> Vec<String> {
    uses.iter().map(|used| used.trigger.clone()).collect()
}

/// A function that is no operation.
fn plain(id: &str, safety: Safety) -> Subject {
    Subject {
        called: id.to_owned(),
        id: id.to_owned(),
        names: [id.to_owned()].into(),
        request: None,
        resource: String::new(),
        safety: [safety].into(),
    }
}
